/** A host that is this machine: dials by plain TCP. Stands in for an SSH connection where only `dial` matters. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { DialError, type ExecOptions, type ExecResult, type Transport } from '../../src/remote/transport.ts';
import { run } from '../setup/process.ts';

/** @param portOf maps the port that is asked for to the one that is dialled; may throw a DialError */
export function loopback(host: string, portOf: (port: number) => number = (port) => port): Transport {
  return {
    host,
    kind: 'ssh',
    label: `test@${host}`,
    privilege: undefined,
    exec: async (script: string, options: ExecOptions = {}): Promise<ExecResult> => {
      const { code, stdout, stderr, elapsedMs } = await run('sh', ['-c', script, 'sh', ...(options.args ?? [])], {
        input: options.input,
        timeoutMs: options.timeoutMs,
      });
      return { code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), elapsedMs };
    },
    dial: (address: string, port: number) =>
      new Promise<Duplex>((resolve, reject) => {
        let real: number;
        try {
          real = portOf(port);
        } catch (error) {
          reject(error);
          return;
        }
        const socket = connect(real, address);
        socket.once('connect', () => resolve(socket));
        socket.once('error', (error: NodeJS.ErrnoException) =>
          reject(new DialError(error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable', error.message)),
        );
      }),
    close: async () => undefined,
  };
}
