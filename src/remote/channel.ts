/** One command on one channel: input in, output out, bounded in time and size. */
import type { Client, ClientChannel } from 'ssh2';
import { WizardError } from '../errors.ts';
import type { ExecResult } from './transport.ts';

/** Beyond these a reply is not an answer but a flood. */
const MAX_STDOUT = 64 * 1024 * 1024;
const MAX_STDERR = 8 * 1024 * 1024;

export interface RunOptions {
  input: Buffer | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  onOutput: ((stream: 'stdout' | 'stderr', chunk: Buffer) => void) | undefined;
  /** For errors. */
  host: string;
  step: string | undefined;
  /** The error for a connection that broke. */
  lost: () => WizardError;
  /** The error for an interruption. */
  interrupted: () => WizardError;
}

/** The host would not open another channel (MaxSessions). */
export class ChannelRefused extends Error {}

/**
 * Runs a command line.
 * @throws ChannelRefused before anything ran; WizardError `timeout`, `connect`, `interrupted`, `remote` (endless output)
 */
export function runOnChannel(client: Client, command: string, options: RunOptions): Promise<ExecResult> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let channel: ClientChannel | undefined;
    let done = false;
    const finish = () => {
      done = true;
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (error: Error) => {
      if (done) return;
      finish();
      if (channel) stop(client, channel);
      reject(error);
    };
    const onAbort = () => giveUp(options.interrupted());
    const timer = setTimeout(() => giveUp(timedOut(options)), options.timeoutMs);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted) return onAbort();

    const opened = (error: (Error & { reason?: unknown }) | undefined, opening: ClientChannel) => {
      if (error) return giveUp(typeof error.reason === 'number' ? new ChannelRefused(error.message) : options.lost());
      channel = opening;
      if (done) return stop(client, opening);
      const stdout = collect('stdout', MAX_STDOUT);
      const stderr = collect('stderr', MAX_STDERR);
      let exit: { code: number | null; signal?: string } | undefined;
      opening.on('data', stdout.take);
      opening.stderr.on('data', stderr.take);
      opening.on('exit', (code: number | null, signal?: string) => {
        exit = signal === undefined ? { code } : { code, signal };
      });
      opening.on('error', () => giveUp(options.lost()));
      opening.on('close', () => {
        if (done) return;
        if (exit === undefined) return giveUp(options.lost());
        finish();
        const elapsedMs = performance.now() - began;
        resolve({ ...exit, stdout: stdout.all(), stderr: stderr.all(), elapsedMs });
      });
      opening.end(options.input);
    };
    const collect = (stream: 'stdout' | 'stderr', limit: number) => {
      const chunks: Buffer[] = [];
      let size = 0;
      return {
        take: (chunk: Buffer) => {
          if (done) return;
          size += chunk.length;
          if (size > limit) return giveUp(tooMuch(options, limit));
          chunks.push(chunk);
          options.onOutput?.(stream, chunk);
        },
        all: () => Buffer.concat(chunks),
      };
    };
    try {
      client.exec(command, opened);
    } catch {
      giveUp(options.lost()); // ssh2 throws only when the socket is gone
    }
  });
}

/**
 * Ends a command: a signal to its process group, then the channel's end. sshd delivers signals to processes of the login
 * user; what runs as root through sudo is left to end by itself when its pipes break.
 */
function stop(client: Client, channel: ClientChannel): void {
  // channel.signal() does nothing once standard input has ended (ssh2 1.17), so the message is sent directly.
  const internals = client as unknown as { _protocol?: { signal?: (channel: number, name: string) => void } };
  const remote = channel as unknown as { outgoing?: { id?: number; state?: string } };
  const id = remote.outgoing?.id;
  if (id !== undefined && (remote.outgoing?.state === 'open' || remote.outgoing?.state === 'eof'))
    internals._protocol?.signal?.(id, 'TERM');
  channel.on('error', () => undefined); // it is given up already
  channel.close();
  channel.resume();
  channel.stderr.resume();
}

function timedOut({ host, step, timeoutMs }: RunOptions): WizardError {
  const seconds = timeoutMs / 1000;
  return new WizardError('timeout', `${host} did not finish${step === undefined ? '' : `: ${step}`}.`, {
    host,
    step,
    why: `The command was given up after ${seconds} s.`,
    next: [
      'Look what keeps the host busy (load, disk, a lock): top, dmesg',
      'Then run it again: it looks first and goes on where it stopped.',
    ],
  });
}

function tooMuch({ host, step }: RunOptions, limit: number): WizardError {
  return new WizardError('remote', `${host} sends output without end${step === undefined ? '' : `: ${step}`}.`, {
    host,
    step,
    why: `It was cut off after ${limit / 1024 / 1024} MiB.`,
    next: ['Look at the login scripts on the host (~/.bashrc, ~/.profile): they must print nothing for commands.'],
  });
}
