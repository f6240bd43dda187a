/** Hosts that are off, lose their link or their power while a new cluster is made on them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../setup/process.ts';
import { cable } from './faults.ts';
import { startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

/** What a replay writes to on a host. */
const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups', '/run/etcd-wizard.lock'];

let lab: Lab;
let profile: string;
beforeAll(async () => {
  lab = await Lab.start({ hosts: 3 });
  profile = await lab.controller.profile();
});
afterAll(async () => await lab?.stop());

const look = (hosts = lab.hosts) => Promise.all(hosts.map((host) => host.tree(...OURS)));
const started = (kind: string) => new RegExp(`"kind":"${kind}","state":"started"`);
/** The next replay finishes the work, and one more finds nothing to do. */
async function finishes(after: Result): Promise<void> {
  const next = await lab.run(['replay', profile, '--yes']);
  expect(next, `${after.stdout}${after.stderr}\n${next.stdout}${next.stderr}`).toMatchObject({ code: 0 });
  expect(next.stdout).toContain('homelab is healthy: 3 of 3 up');
  const again = await lab.run(['replay', profile]);
  expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
  expect(again.stdout).toContain('nothing to do');
}

describe('a new cluster', () => {
  it('one host is off: stops before anything changes, and says nothing but that', async () => {
    const before = await look();
    await cable(lab.host(2), 'down');
    const replay = await lab.run(['replay', profile, '--yes']);
    await cable(lab.host(2), 'up');
    expect(replay, replay.stderr).toMatchObject({ code: 1 });
    expect(replay.stderr).toMatch(/pi3, preflight: pi3 could not be reached\.\n.*(no route|does not answer)/);
    expect(replay.stdout).not.toContain('peer port');
    expect(await look()).toEqual(before);
    expect(await lab.controller.exec('ls', ['.local/state/etcd-wizard/homelab'])).not.toMatchObject({ code: 0 });
  });

  it('the cable of a host is pulled while files are written: the others finish theirs, the next replay goes on', async () => {
    const running = lab.controller.start(['replay', profile, '--yes', '--json']);
    await running.until(/"id":"files:pi3".*"state":"started"/);
    await cable(lab.host(2), 'down');
    const ended = await running.done;
    await cable(lab.host(2), 'up');
    expect(ended, ended.stdout).toMatchObject({ code: 4 });
    expect(ended.elapsedMs, 'signs of life every 10 s, three of them missed').toBeLessThan(75_000);
    expect(ended.stdout).toContain('The connection to pi3 (10.77.0.13:22) was lost.');
    expect(ended.stdout).toContain('stopped answering');
    expect(ended.stdout).toContain(`etcd-wizard replay ${profile}`);
    for (const name of ['pi1', 'pi2'])
      expect(ended.stdout).toContain(
        `{"type":"action","id":"files:${name}","host":"${name}","kind":"files","state":"done"`,
      );
    for (const index of [0, 1]) expect(await lab.host(index).exists('/run/etcd-wizard.lock')).toBe(false);
    await finishes(ended);
  });

  it('the power of a host is cut while members start: told at once, the others are not harmed', async () => {
    await startAgain(lab);
    const running = lab.controller.start(['replay', profile, '--yes', '--json']);
    await running.until(started('start'));
    await lab.host(2).kill();
    const ended = await running.done;
    await lab.host(2).boot();
    expect(ended, ended.stdout).toMatchObject({ code: 4 });
    expect(ended.stdout).toContain('The connection to pi3 (10.77.0.13:22) was lost.');
    await finishes(ended);
  });
});
