/** One run at a time on every host: locks taken together, kept fresh, always given back. */
import type { Emit } from '../apply/events.ts';
import type { Embedded } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import { type HeldLock, takeLock } from '../remote/lock.ts';
import type { Transport } from '../remote/transport.ts';

/** A lock that was not refreshed for this long belongs to a run that is gone. */
const STALE_MS = 120_000;
const REFRESH_MS = 30_000;

interface LockOptions {
  profile: Profile;
  transports: ReadonlyMap<string, Transport>;
  who: string;
  emit: Emit;
  embedded?: Embedded;
}

/** Runs `work` while every connected host is locked. @throws WizardError `locked` naming the holder, before anything is done */
export async function withLocks<T>(
  { profile, transports, who, emit, embedded }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  // Members of `try` share one machine and one run: there is nobody to keep out.
  if (embedded) return work();
  const taken = await Promise.allSettled(
    [...transports.values()].map((transport) =>
      takeLock(transport, { cluster: profile.name, who, staleAfterMs: STALE_MS }),
    ),
  );
  const locks = taken.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refused = taken.find((result) => result.status === 'rejected');
  const timer = setInterval(() => refresh(locks), REFRESH_MS);
  try {
    if (refused) throw refused.reason;
    for (const { note } of locks) if (note) emit({ type: 'note', text: note });
    return await work();
  } finally {
    clearInterval(timer);
    await Promise.allSettled(locks.map((lock) => lock.release()));
  }
}

/** A refresh that fails shows itself in the next command on that connection; the lock then goes stale by itself. */
function refresh(locks: readonly HeldLock[]): void {
  void Promise.allSettled(locks.map((lock) => lock.refresh()));
}
