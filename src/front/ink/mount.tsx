/** Draws a tree with the terminal's own streams; loaded only after `prepareTerminal()`, since it brings Ink along. */
import type { ReactNode } from 'react';
import type { Capabilities } from '../../terminal/capabilities.ts';
import { renderApp } from '../../terminal/render.ts';
import type { InkIo } from './io.ts';

/**
 * Draws until `leave` is called.
 * @param build makes the tree; `leave` gives the result and takes the tree away
 * @returns what `leave` was given. @throws what a component threw
 */
export async function untilLeft<T>(
  io: InkIo,
  capabilities: Capabilities,
  options: { keepLastFrame: boolean },
  build: (leave: (result: T) => void) => ReactNode,
): Promise<T> {
  let outcome: { result: T } | undefined;
  const app = renderApp(
    build((result) => {
      outcome ??= { result };
      // Not in the middle of a commit: the last frame is to be drawn first.
      setImmediate(() => app.close());
    }),
    { capabilities, stdin: io.stdin, stdout: io.stdout, ...options },
  );
  await app.done;
  if (outcome === undefined) throw new Error('the screen went away without a result');
  return outcome.result;
}

/** Ctrl-C as a key is what Ctrl-C is elsewhere: a signal to the whole program, which decides what the second one means. */
export function interrupt(otherwise: () => void): void {
  if (process.listenerCount('SIGINT') > 0) process.emit('SIGINT');
  else otherwise();
}
