/** The app and the health pane. Light: Ink is loaded when they are called. */
import { setFlagsFromString } from 'node:v8';
import type { AppServices, HealthSource, Left, StartAt } from '../../../components/services.ts';
import type { ClusterHealth } from '../../health/types.ts';
import { type InkIo, prepare } from './io.ts';

/**
 * Opens the app and resolves when the person leaves it.
 * `io.signal` (Ctrl-C, SIGTERM, SIGHUP) lets what runs wind down and then leaves.
 * @returns what is to stay in the terminal
 */
export async function openApp(services: AppServices, io: InkIo, start: StartAt): Promise<Left> {
  const capabilities = prepare(io);
  const { drawApp } = await import('./draw.tsx');
  return drawApp(services, io, capabilities, start);
}

/**
 * Opens the live pane until the person quits; the caller closes the source.
 * @param options.intervalMs between two looks
 * @returns the last health that was seen
 */
export async function openHealthPane(
  io: InkIo,
  source: HealthSource,
  options: { intervalMs: number },
): Promise<ClusterHealth | undefined> {
  // It runs for days on small machines: the engine keeps its heap small (87 MB resident instead of 111).
  setFlagsFromString('--optimize-for-size');
  const capabilities = prepare(io);
  const { drawHealthPane } = await import('./draw.tsx');
  return drawHealthPane(io, capabilities, source, options.intervalMs);
}
