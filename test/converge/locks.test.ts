/** Locks of several hosts at once, against hosts that keep theirs in memory and answer at their own pace. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { withLocks } from '../../src/converge/locks.ts';
import { WizardError } from '../../src/errors.ts';
import { readProfile } from '../../src/profile/read.ts';
import type { ExecOptions, ExecResult, Transport } from '../../src/remote/transport.ts';

const NAMES = ['pi1', 'pi2', 'pi3'];
const { profile } = readProfile(
  JSON.stringify({
    schemaVersion: 1,
    name: 'homelab',
    hosts: NAMES.map((name, index) => ({ name, address: `10.0.11.${index + 1}` })),
  }),
  'test',
);

/** Holders by host. */
type Held = Map<string, { run: string; who: string }>;

/** A host as the lock's script would answer; `delayMs` is how far away it is for this controller. */
function host(name: string, held: Held, delayMs: number): Transport {
  const exec = async (_script: string, { args = [], input }: ExecOptions = {}): Promise<ExecResult> => {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const [who = '', run = ''] = (input ?? Buffer.alloc(0)).toString().trimEnd().split('\n').slice(-3);
    const [what, , ended] = args;
    const before = held.get(name);
    const answer = (code: number, text = ''): ExecResult => ({
      code,
      stdout: Buffer.from(text),
      stderr: Buffer.alloc(0),
      elapsedMs: 0,
    });
    if (what === 'release') {
      if (before?.run === run) held.delete(name);
      return answer(0);
    }
    if (what === 'refresh') return before?.run === run ? answer(0) : answer(2, `lost\t1\thomelab\t${before?.who}\n`);
    if (before !== undefined && before.run !== ended)
      return answer(2, `held\t1\thomelab\t${before.who}\t${before.run}\n`);
    held.set(name, { run, who });
    return answer(0, before === undefined ? '' : `stale\t1\thomelab\t${before.who}\t${before.run}\n`);
  };
  return {
    host: name,
    kind: 'ssh',
    label: name,
    privilege: 'root',
    exec,
    dial: () => Promise.reject(new Error('not here')),
    close: () => Promise.resolve(),
  };
}

const controller = (held: Held, who: string, delays: number[]) => ({
  profile,
  transports: new Map(NAMES.map((name, index) => [name, host(name, held, delays[index] ?? 0)])),
  who,
  emit: () => undefined,
  signal: new AbortController().signal,
});

describe('locks of all hosts', () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    [
      [1, 20, 40],
      [40, 20, 1],
    ],
    [
      [1, 1, 30],
      [30, 1, 1],
    ],
    [
      [5, 5, 5],
      [5, 5, 5],
    ],
  ])('of two runs that begin together one gets all of them (%j against %j)', async (first, second) => {
    const held: Held = new Map();
    let working = 0;
    const work = async () => {
      expect(++working, 'alone').toBe(1);
      expect(held.size).toBe(3);
      await new Promise((resolve) => setTimeout(resolve, 300));
      working -= 1;
    };
    const runs = await Promise.allSettled([
      withLocks(controller(held, 'ann@laptop', first), work),
      withLocks(controller(held, 'bob@pc', second), work),
    ]);
    expect(runs.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = runs.find((run) => run.status === 'rejected');
    expect(refused?.reason).toMatchObject({
      code: 'locked',
      why: expect.stringMatching(/held by (ann@laptop|bob@pc)/),
    });
    expect(held.size, 'all are given back').toBe(0);
  });

  it('another’s lock on one host leaves none of ours behind', async () => {
    const held: Held = new Map([['pi2', { run: 'theirs', who: 'ann@laptop' }]]);
    const work = () => Promise.reject(new Error('must not begin'));
    await expect(withLocks(controller(held, 'me', [1, 1, 1]), work)).rejects.toMatchObject({
      code: 'locked',
      host: 'pi2',
    });
    expect([...held.keys()]).toEqual(['pi2']);
  });

  it('of a run of this machine that was killed are taken over, and said so', async () => {
    const held: Held = new Map(NAMES.map((name) => [name, { run: 'mine-before', who: 'me@here' }]));
    const notes: string[] = [];
    const options = {
      ...controller(held, 'me@here', [1, 1, 1]),
      emit: (event: { type: string; text?: string }) => void notes.push(event.text ?? ''),
      runId: () => Promise.resolve({ id: 'mine-now', hasEnded: (run: string) => run === 'mine-before' }),
    };
    await withLocks(options, async () =>
      expect([...held.values()].map(({ run }) => run)).toEqual(Array(3).fill('mine-now')),
    );
    expect(notes).toHaveLength(3);
    expect(notes[0]).toContain('that run has ended');
    expect(held.size).toBe(0);
  });

  it('are given back also when the work fails', async () => {
    const held: Held = new Map();
    const failure = new WizardError('start', 'etcd did not start.');
    await expect(withLocks(controller(held, 'me', [1, 1, 1]), () => Promise.reject(failure))).rejects.toBe(failure);
    expect(held.size).toBe(0);
  });

  it('lost while it slept: the work is ended, and the other’s lock is left alone', async () => {
    vi.useFakeTimers();
    const held: Held = new Map();
    const work = vi.fn((signal: AbortSignal) => {
      held.set('pi2', { run: 'theirs', who: 'bob@pc' });
      return new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(new WizardError('interrupted', 'Interrupted.')));
      });
    });
    const run = withLocks(controller(held, 'me', [1, 1, 1]), work);
    const outcome = expect(run).rejects.toMatchObject({
      code: 'locked',
      host: 'pi2',
      why: expect.stringContaining('bob@pc'),
    });
    await vi.advanceTimersByTimeAsync(31_000);
    await outcome;
    expect([...held.entries()]).toEqual([['pi2', { run: 'theirs', who: 'bob@pc' }]]);
  });
});
