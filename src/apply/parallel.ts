/** Fan-out over hosts: all of them run to their own end; then the first failure, if any, is thrown. */
import { WizardError } from '../errors.ts';

/**
 * Runs `work` for every item, at most `limit` at once. A failure does not cut off the others: what they began they finish.
 * @throws the failure of the first item (in order) that failed, with the others' hosts named
 */
export async function eachHost<T>(items: readonly T[], work: (item: T) => Promise<void>, limit = 50): Promise<void> {
  const failures: { index: number; error: unknown }[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      try {
        await work(items[index] as T);
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length === 0) return;
  failures.sort((left, right) => left.index - right.index);
  // An interruption explains every other failure of the same moment.
  const interrupted = failures.find(({ error }) => error instanceof WizardError && error.code === 'interrupted');
  const first = (interrupted ?? failures[0])?.error;
  const others = failures
    .filter(({ error }) => error !== first)
    .flatMap(({ error }) =>
      error instanceof WizardError ? [`${error.host ?? 'another host'}: ${error.message}`] : [],
    );
  if (first instanceof WizardError && others.length > 0 && first.code !== 'interrupted') {
    throw new WizardError(first.code, first.message, {
      host: first.host,
      step: first.step,
      why: first.why,
      next: [...first.next],
      evidence: [...first.evidence, ...others],
      cause: first,
    });
  }
  throw first;
}

/** Resolves after `ms` milliseconds, or rejects at once when interrupted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const interrupted = () => {
      clearTimeout(timer);
      reject(new WizardError('interrupted', 'Interrupted.'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', interrupted);
      resolve();
    }, ms);
    if (signal?.aborted) interrupted();
    else signal?.addEventListener('abort', interrupted, { once: true });
  });
}
