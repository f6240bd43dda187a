/** One run at a time on a host. */
import { randomUUID } from 'node:crypto';
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { BOOT, scriptThenInput } from './scripts/boot.ts';
import { LOCK_SCRIPT } from './scripts/lock.ts';
import type { Transport } from './transport.ts';

/** Where the lock lies; /run is emptied by a boot, and so is what a power cut left. */
export const LOCK_PATH = '/run/etcd-wizard.lock';

export interface LockOptions {
  cluster: string;
  /** user@host of the controller. */
  who: string;
  /** Name of this run, unique; default a random one. */
  run?: string | undefined;
  /** Whether a run of that name is known to have ended: its lock is taken over however fresh it is. Default: none is. */
  hasEnded?: ((run: string) => boolean) | undefined;
  /** A lock that was not refreshed for this long is taken over, milliseconds. */
  staleAfterMs: number;
  path?: string;
  /** Default true; false for a path that needs no root. */
  privileged?: boolean;
  signal?: AbortSignal;
}

export interface HeldLock {
  /** Set when a stale lock was taken over: whose, and how old. */
  note?: string;
  /** Says that the run lives. @throws WizardError `locked` when another run has taken it over */
  refresh(): Promise<void>;
  /** Gives the lock back; one that is no longer ours is left alone. */
  release(): Promise<void>;
}

/** @throws WizardError `locked` naming the holder and the lock's age; `remote` when it cannot be written. */
export async function takeLock(transport: Transport, options: LockOptions): Promise<HeldLock> {
  const { cluster, who, staleAfterMs, path = LOCK_PATH, privileged = true, signal } = options;
  const { run = randomUUID(), hasEnded = () => false } = options;
  const { host } = transport;
  const fields = [cluster, who, run, String(Math.ceil(staleAfterMs / 1000))].map((field) => cleanLine(field));
  const input = scriptThenInput(LOCK_SCRIPT, Buffer.from(fields.map((field) => `${field}\n`).join('')));
  const tell = async (what: 'take' | 'refresh' | 'release', ended?: string) => {
    const label = `${what} the lock`;
    // Giving back is done also when the run was interrupted.
    const result = await transport.exec(BOOT, {
      args: ended === undefined ? [what, path] : [what, path, ended],
      input,
      privileged,
      label,
      signal: what === 'release' ? undefined : signal,
    });
    if (result.code !== 0 && result.code !== 2) {
      const evidence = result.stderr.toString().split('\n').filter(Boolean).slice(-5);
      throw new WizardError('remote', `The lock ${path} cannot be written`, {
        host,
        step: label,
        why: evidence.at(-1),
        evidence,
      });
    }
    const [state, age = '0', theirs = '', name = '', held = ''] = result.stdout.toString().trimEnd().split('\t');
    const holder = `${cleanLine(name) || 'somebody'}, for the cluster ${cleanLine(theirs) || 'of an unknown name'}`;
    return { refused: result.code === 2, state, age: words(Number(age)), holder, held };
  };

  let taken = await tell('take');
  const ended = taken.refused && hasEnded(taken.held);
  if (ended) taken = await tell('take', taken.held);
  if (taken.refused) {
    throw new WizardError('locked', `${host} is being worked on by another run`, {
      host,
      step: 'take the lock',
      why: `The lock is held by ${taken.holder}, and was last refreshed ${taken.age} ago.`,
      next: [`Wait for that run to end. If it is gone, its lock counts as stale after ${words(staleAfterMs / 1000)}.`],
    });
  }
  return {
    ...(taken.state === 'stale' && {
      note: `${host}: took over the lock of ${taken.holder}: ${ended ? 'that run has ended without giving it back' : `it was not refreshed for ${taken.age}`}.`,
    }),
    async refresh() {
      const { refused, holder } = await tell('refresh');
      if (refused)
        throw new WizardError('locked', `${host}: the lock was taken over by another run`, {
          host,
          why: `This one gave no sign of life for too long (a machine that slept?). It is now held by ${holder}.`,
          next: ['Wait for that run to end.'],
        });
    },
    async release() {
      await tell('release');
    },
  };
}

function words(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'an unknown time';
  const amount = Math.abs(Math.round(seconds));
  if (amount < 120) return `${amount} s`;
  if (amount < 7200) return `${Math.round(amount / 60)} min`;
  return amount < 172_800 ? `${Math.round(amount / 3600)} h` : `${Math.round(amount / 86_400)} days`;
}
