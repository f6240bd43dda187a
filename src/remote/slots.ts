/** Lets at most so many at once through; the rest waits in line. */
export class Slots {
  #limit: number;
  #taken = 0;
  readonly #waiting: { enter: () => void; signal: AbortSignal | undefined; onAbort: () => void }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Fewer from now on, never less than one. */
  narrow(limit: number): void {
    this.#limit = Math.max(1, Math.min(this.#limit, limit));
  }

  /** Waits for a place; give it back by {@link leave}. @throws the signal's reason when aborted while waiting */
  enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#taken < this.#limit) {
      this.#taken++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      const waiter = { enter: resolve, signal, onAbort };
      this.#waiting.push(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  leave(): void {
    this.#taken--;
    while (this.#taken < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next.signal?.removeEventListener('abort', next.onAbort);
      this.#taken++;
      next.enter();
    }
  }
}
