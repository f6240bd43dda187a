/**
 * A changed setting on a running cluster, ended at one of its steps: the cluster keeps its quorum, the next replay finishes.
 * A selection of steps; LAB_EVERY_STEP=1 tries each with both signals.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf, errorOf, replayUntil } from './interruption.ts';
import { Lab } from './lab.ts';

describe('a rolling change that is ended at one of its steps', () => {
  let lab: Lab;
  let heartbeat = 100;
  /** Events of an uninterrupted change. */
  let events: string[];

  /** A profile with a setting that no member has yet: every member has to be restarted for it. */
  const changed = () => {
    heartbeat += 1;
    return lab.controller.profile({ etcd: { extraArgs: { 'heartbeat-interval': heartbeat } } });
  };
  /** What every member runs with, by its process. */
  const inForce = () =>
    Promise.all(
      lab.hosts.map((host) =>
        host.sh(
          "tr '\\0' '\\n' </proc/$(systemctl show -p MainPID --value etcd)/environ | sed -n 's/^ETCD_HEARTBEAT_INTERVAL=//p'",
        ),
      ),
    );
  const everyStep = process.env.LAB_EVERY_STEP === '1';

  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    const first = await lab.run(['replay', await lab.controller.profile(), '--yes']);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const run = await lab.run(['replay', await changed(), '--yes', '--json']);
    expect(run, run.stdout).toMatchObject({ code: 0 });
    events = actionsOf(run).map(({ kind, state }) => `${kind} ${state}`);
    expect(events).toEqual(Array(3).fill(['files started', 'files done', 'restart started', 'restart done']).flat());
  });
  afterAll(async () => await lab?.stop());

  it.each([
    ['SIGINT', [2, 3]],
    ['SIGKILL', [7, 8]],
  ] as const)(
    'by %s',
    async (signal, selection) => {
      for (const n of everyStep ? events.map((_, index) => index + 1) : selection) {
        const profile = await changed();
        const ended = await replayUntil(lab.controller, profile, n, signal);
        const at = `${n}, ${events[n - 1]}:\n${ended.stdout}${ended.stderr}`;
        if (signal === 'SIGINT' && n < events.length) {
          expect(ended, at).toMatchObject({ code: 130 });
          expect(errorOf(ended), at).toMatchObject({ code: 'interrupted', partial: true });
          for (const host of lab.hosts) expect(await host.exists('/run/etcd-wizard.lock'), at).toBe(false);
        }
        // The member that was being restarted may still be on its way; the others never stopped.
        const health = await lab.run(['health', profile, '--once', '--json']);
        expect(JSON.parse(health.stdout).state, `${at}\n${health.stdout}`).toMatch(/^(healthy|degraded)$/);
        const next = await lab.run(['replay', profile, '--yes']);
        expect(next, `${at}\n${next.stdout}${next.stderr}`).toMatchObject({ code: 0 });
        expect(await inForce(), at).toEqual(Array(3).fill(`${heartbeat}\n`));
        const again = await lab.run(['replay', profile]);
        expect(again.stdout, at).toContain('nothing to do');
      }
    },
    900_000,
  );
});
