/** One run at a time on every host: locks taken together, kept fresh, always given back. */
import type { Emit } from '../apply/events.ts';
import { asWizardError } from '../errors.ts';
import type { Embedded } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import { type HeldLock, takeLock } from '../remote/lock.ts';
import type { Transport } from '../remote/transport.ts';
import type { RunId } from '../state/run-id.ts';

/** A lock that was not refreshed for this long belongs to a run that is gone. */
const STALE_MS = 120_000;
const REFRESH_MS = 30_000;

interface LockOptions {
  profile: Profile;
  transports: ReadonlyMap<string, Transport>;
  who: string;
  /** Names this run, and tells which locks are those of runs that were killed here. */
  runId?: () => Promise<RunId>;
  emit: Emit;
  signal: AbortSignal;
  embedded?: Embedded;
}

/**
 * Runs `work` while every connected host is locked. Its signal is aborted also when a lock is lost: a machine that slept
 * longer than a lock stays fresh must not go on where another run has begun.
 * @throws WizardError `locked` naming the holder, before anything is done or once the lock was lost
 */
export async function withLocks<T>(options: LockOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  // Members of `try` share one machine and one run: there is nobody to keep out.
  if (options.embedded) return work(options.signal);
  const locks = await takeAll(options);
  const lost = new AbortController();
  const timer = setInterval(() => void refresh(locks, lost), REFRESH_MS);
  try {
    for (const { note } of locks) if (note) options.emit({ type: 'note', text: note });
    return await work(AbortSignal.any([options.signal, lost.signal]));
  } catch (thrown) {
    throw lost.signal.aborted ? lost.signal.reason : thrown;
  } finally {
    clearInterval(timer);
    await release(locks);
  }
}

/**
 * All at once, as fast as the slowest host. Two runs that begin at the same moment may each get some of the locks: both
 * give them back and take them one after the other in the same order, so that one of them gets all.
 */
async function takeAll(options: LockOptions): Promise<HeldLock[]> {
  const { profile, transports, who, runId } = options;
  const { id, hasEnded } = (await runId?.()) ?? {};
  const take = (transport: Transport) =>
    takeLock(transport, { cluster: profile.name, who, run: id, hasEnded, staleAfterMs: STALE_MS });
  const taken = await Promise.allSettled([...transports.values()].map(take));
  const locks = taken.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refused = taken.flatMap((result) => (result.status === 'rejected' ? [asWizardError(result.reason)] : []));
  const [first] = refused;
  if (first === undefined) return locks;
  await release(locks);
  if (locks.length === 0 || refused.some(({ code }) => code !== 'locked')) throw first;

  const inOrder: HeldLock[] = [];
  try {
    for (const host of [...transports.keys()].sort()) inOrder.push(await take(transports.get(host) as Transport));
    return inOrder;
  } catch (thrown) {
    await release(inOrder);
    throw thrown;
  }
}

/** What cannot be given back (a host that is gone) goes stale by itself. */
const release = (locks: readonly HeldLock[]) => Promise.allSettled(locks.map((lock) => lock.release()));

/** Any other refresh that fails shows itself in the next command on that connection; the lock then goes stale by itself. */
async function refresh(locks: readonly HeldLock[], lost: AbortController): Promise<void> {
  for (const result of await Promise.allSettled(locks.map((lock) => lock.refresh()))) {
    if (result.status === 'fulfilled') continue;
    const error = asWizardError(result.reason);
    if (error.code === 'locked') lost.abort(error);
  }
}
