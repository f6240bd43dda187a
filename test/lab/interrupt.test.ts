/**
 * A replay that is ended at any of its steps, politely (Ctrl-C) or not at all (power cut of the controller), is finished by
 * the next one and ends in the same state. A selection of steps; LAB_EVERY_STEP=1 tries each of them with both signals.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { actionsOf, errorOf, memberState, replayUntil, startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

const everyStep = process.env.LAB_EVERY_STEP === '1';

describe('a replay that is ended at one of its steps', () => {
  let lab: Lab;
  let profile: string;
  /** Events of the uninterrupted run. */
  let events: string[];
  let whole: string[];

  const states = () => Promise.all(lab.hosts.map(memberState));
  const locks = async () =>
    (await Promise.all(lab.hosts.map((host) => host.exists('/run/etcd-wizard.lock')))).includes(true);

  /** The next replay finishes, and a further one has nothing to do. */
  async function finishes(): Promise<string> {
    const next = await lab.run(['replay', profile, '--yes']);
    expect(next, next.stdout + next.stderr).toMatchObject({ code: 0 });
    expect(next.stdout).toContain('homelab is healthy: 3 of 3 up');
    expect(await states()).toEqual(whole);
    const again = await lab.run(['replay', profile]);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('nothing to do');
    return next.stdout + next.stderr;
  }

  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    profile = await lab.controller.profile();
    const run = await lab.run(['replay', profile, '--yes', '--json']);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    events = actionsOf(run).map(({ kind, state }) => `${kind} ${state}`);
    whole = await states();
  });
  afterAll(async () => await lab?.stop());

  /** Of events that differ in their host only, the first and the last. */
  const telling = () =>
    events.flatMap((event, index) =>
      everyStep || events.indexOf(event) === index || events.lastIndexOf(event) === index ? [index + 1] : [],
    );

  it('by Ctrl-C: says what is done and how to go on, gives the locks back', async () => {
    for (const n of telling()) {
      await startAgain(lab);
      const at = `${n}: ${events[n - 1]}`;
      const ended = await replayUntil(lab.controller, profile, n, 'SIGINT');
      expect(ended, `${at}\n${ended.stderr}`).toMatchObject({ sent: true, code: 130 });
      expect(await locks(), at).toBe(false);
      const error = errorOf(ended);
      expect(error.partial, at).toBe(n > 1 ? true : error.partial);
      expect(error.next.at(-1), at).toBe(`etcd-wizard replay ${profile}`);
      console.log(at, JSON.stringify(error), ended.elapsedMs);
      await finishes();
    }
  }, 600_000);

  it('by SIGKILL: the locks that stay behind are taken over at once, with a note', async () => {
    for (const n of telling()) {
      await startAgain(lab);
      const at = `${n}: ${events[n - 1]}`;
      const ended = await replayUntil(lab.controller, profile, n, 'SIGKILL');
      expect(ended, at).toMatchObject({ sent: true, signal: 'SIGKILL' });
      expect(await locks(), at).toBe(true);
      const out = await finishes();
      console.log(at, out);
      expect(out, at).toMatch(/pi1: took over the lock of .*: that run has ended/);
    }
  }, 600_000);

  it.todo('rolling');
  void readFile;
});
