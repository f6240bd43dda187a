/** TCP connections opened from a host: direct-tcpip channels of its SSH connection (RFC 4254, 7.2). */
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { cleanLine } from '../clean.ts';
import { DialError } from './transport.ts';

/** RFC 4254, 5.1. */
const PROHIBITED = 1;
const UNKNOWN_TYPE = 3;
/** A reset comes back within a round trip; a lost packet is retried for seconds before the host gives up. */
const REFUSAL_MS = 2_500;

/**
 * @param timeoutMs until the connection is given up; the host itself may take minutes.
 * @throws DialError
 */
export function dialThrough(
  client: Client,
  address: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Duplex> {
  const began = performance.now();
  const where = `${address} port ${port}`;
  return new Promise((resolve, reject) => {
    let done = false;
    const finish = () => {
      done = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      client.off('close', onClose);
    };
    const fail = (reason: DialError['reason'], message: string) => {
      if (done) return;
      finish();
      reject(new DialError(reason, message));
    };
    const onAbort = () => fail('closed', 'interrupted');
    const onClose = () => fail('closed', `the connection was lost while dialling ${where}`);
    const timer = setTimeout(() => fail('timeout', `${where} did not answer within ${timeoutMs / 1000} s`), timeoutMs);
    client.once('close', onClose);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      client.forwardOut('127.0.0.1', 0, address, port, (error: (Error & { reason?: unknown }) | undefined, channel) => {
        if (error)
          return fail(
            reasonOf(error, performance.now() - began),
            `${where}: ${cleanLine(error.message.replace(/^\(SSH\) Channel open failure: /, ''))}`,
          );
        if (done) {
          channel.on('error', () => undefined); // nobody waits for it any more
          channel.close();
          return;
        }
        finish();
        resolve(channel);
      });
    } catch {
      onClose(); // ssh2 throws only when the socket is gone
    }
  });
}

/** @param elapsedMs decides where the server gives no reason in words. */
export function reasonOf(error: { message: string; reason?: unknown }, elapsedMs: number): DialError['reason'] {
  const text = error.message;
  if (typeof error.reason !== 'number') return 'closed';
  if (error.reason === PROHIBITED || error.reason === UNKNOWN_TYPE) return 'prohibited';
  if (/refused/i.test(text)) return 'refused';
  if (/timed? ?out/i.test(text)) return 'timeout';
  if (/unreachable|no route|network is down|permission denied/i.test(text)) return 'unreachable';
  if (/not known|unknown host|resol|no address|name does not/i.test(text)) return 'unresolved';
  return elapsedMs < REFUSAL_MS ? 'refused' : 'timeout';
}
