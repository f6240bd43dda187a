/** A run of a command (`replay`) in a terminal: the run screen and nothing else. Light: Ink is loaded when it is called. */
import type { RunEnd, RunTitle, Start } from '../run.ts';
import { type InkIo, prepare } from './io.ts';

/**
 * Runs `start` in the run screen: shows its events, asks its questions. The last picture of the hosts stays in the terminal.
 * @throws what `start` threw, after the screen has gone
 */
export async function runInInk(io: InkIo, title: RunTitle, start: Start): Promise<RunEnd> {
  const capabilities = prepare(io);
  const { drawRun } = await import('./draw.tsx');
  return drawRun(io, capabilities, title, start);
}
