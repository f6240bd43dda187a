/**
 * A replay that is ended at one of its steps, politely (Ctrl-C) or not at all (SIGKILL, as a power cut of the controller),
 * is finished by the next one and ends in the same state. A selection of steps; LAB_EVERY_STEP=1 tries each with both signals.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf, errorOf, memberState, replayUntil, startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

/** Steps as `KIND STATE`, and which of the hosts' events of it: the first or the last. */
type Step = [string, 'first' | 'last'];
const POLITELY: Step[] = [
  ['mint-ca started', 'first'],
  ['files started', 'first'],
  ['start started', 'last'],
];
const KILLED: Step[] = [
  ['issue-client started', 'first'],
  ['files done', 'first'],
  ['start done', 'first'],
];

describe('a new cluster’s replay that is ended at one of its steps', () => {
  let lab: Lab;
  let profile: string;
  /** Of the uninterrupted run: its events, and what the hosts were like afterwards. */
  let events: string[];
  let whole: string[];

  const states = () => Promise.all(lab.hosts.map(memberState));
  const locked = async () => await Promise.all(lab.hosts.map((host) => host.exists('/run/etcd-wizard.lock')));
  /** Numbers of the events to end at, from 1. */
  const chosen = (steps: readonly Step[]): number[] =>
    process.env.LAB_EVERY_STEP === '1'
      ? events.map((_, index) => index + 1)
      : steps.map(([step, which]) => 1 + (which === 'first' ? events.indexOf(step) : events.lastIndexOf(step)));

  /** The next replay finishes, and a further one has nothing to do. @returns what the first of them said */
  async function finishes(at: string): Promise<string> {
    const next = await lab.run(['replay', profile, '--yes']);
    expect(next, `${at}\n${next.stdout}${next.stderr}`).toMatchObject({ code: 0 });
    expect(next.stdout, at).toContain('homelab is healthy: 3 of 3 up');
    expect(await states(), at).toEqual(whole);
    const again = await lab.run(['replay', profile]);
    expect(again, `${at}\n${again.stderr}`).toMatchObject({ code: 0 });
    expect(again.stdout, at).toContain('nothing to do');
    return next.stdout + next.stderr;
  }

  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    profile = await lab.controller.profile();
    const run = await lab.run(['replay', profile, '--yes', '--json']);
    expect(run, run.stdout).toMatchObject({ code: 0 });
    events = actionsOf(run).map(({ kind, state }) => `${kind} ${state}`);
    for (const [step] of [...POLITELY, ...KILLED]) expect(events).toContain(step);
    whole = await states();
  });
  afterAll(async () => await lab?.stop());

  it('by Ctrl-C: says what is done and how to go on, and gives the locks back', async () => {
    for (const n of chosen(POLITELY)) {
      await startAgain(lab);
      const ended = await replayUntil(lab.controller, profile, n, 'SIGINT');
      const at = `${n}, ${events[n - 1]}:\n${ended.stdout}${ended.stderr}`;
      expect(ended.sent, at).toBe(true);
      // After the last event only the proof is left, which may be over before the signal arrives.
      if (n < events.length || ended.code !== 0) {
        expect(ended, at).toMatchObject({ code: 130 });
        const { code, partial, why, next } = errorOf(ended);
        expect(code, at).toBe('interrupted');
        expect(next.at(-1), at).toBe(`etcd-wizard replay ${profile}`);
        const begun = actionsOf(ended).filter(({ state, host }) => state === 'started' && host !== 'controller');
        for (const { host } of begun) expect(why, at).toMatch(new RegExp(`Changed so far: .*${host}`));
        if (begun.length === 0) expect(why, at).toContain('Nothing has been changed on any host.');
        else expect(partial, at).toBe(true);
      }
      expect(await locked(), at).toEqual([false, false, false]);
      await finishes(at);
    }
  }, 900_000);

  const record = (): string => join(lab.controller.home, '.local/state/etcd-wizard/homelab/cluster.json');

  it('by SIGKILL: the locks that stay behind are taken over at once, with a note', async () => {
    for (const n of chosen(KILLED)) {
      await startAgain(lab);
      const ended = await replayUntil(lab.controller, profile, n, 'SIGKILL');
      const at = `${n}, ${events[n - 1]}:\n${ended.stdout}${ended.stderr}`;
      expect(ended, at).toMatchObject({ sent: true, signal: 'SIGKILL' });
      expect(await locked(), at).toEqual([true, true, true]);
      const said = await finishes(at);
      // A run with nothing to do writes nothing on hosts: the lock then stays for the next one that has.
      if (said.includes('nothing to do')) expect(await locked(), at).toEqual([true, true, true]);
      else {
        expect(said, at).toMatch(/pi1: took over the lock of .*: that run has ended without giving it back/);
        expect(await locked(), at).toEqual([false, false, false]);
      }
      expect(JSON.parse(await readFile(record(), 'utf8')), at).toMatchObject({ bootstrappedAt: expect.any(Number) });
    }
  }, 900_000);
});
