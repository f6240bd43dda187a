/** One timer for everything that moves: nothing ticks while nothing listens, and what ticks together is drawn together. */

/** The finest step, milliseconds. */
const STEP = 250;

export class Ticker {
  readonly #listeners = new Map<() => void, number>();
  #timer: NodeJS.Timeout | undefined;
  #steps = 0;

  /** Calls the listener every `ms` milliseconds, rounded to the step. @returns the end of it */
  every(ms: number, listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.set(own, Math.max(1, Math.round(ms / STEP)));
    this.#timer ??= setInterval(() => this.#step(), STEP);
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #step(): void {
    this.#steps++;
    for (const [listener, steps] of [...this.#listeners]) if (this.#steps % steps === 0) listener();
  }
}
