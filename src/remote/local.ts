/** The machine that the wizard runs on, as a host: used by `try` and wherever a profile names this very machine. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { WizardError } from '../errors.ts';
import type { Privilege } from '../facts.ts';
import { DialError, type ExecOptions, type ExecResult, type Transport } from './transport.ts';

/** Beyond this a command's output is not an answer any more but a mistake: 64 MiB. */
const MAX_OUTPUT = 64 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;
/** How long a child that outlives its shell may keep the pipes open. */
const DRAIN_MS = 500;

/**
 * The environment that children get: only what is named here, so that no secret, `*_proxy` or `ETCD*` slips through.
 * (etcd reads any ETCD_* variable as a setting and refuses to start when a flag says the same.)
 */
export function childEnvironment(from: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|XDG_[A-Z_]+)$/;
  const environment = Object.fromEntries(Object.entries(from).filter(([name]) => kept.test(name)));
  return { ...environment, PATH: environment.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
}

/** A transport that runs scripts on this machine. `host` is the member name it stands for. */
export function localTransport(host: string): Transport {
  const transport: Transport = {
    host,
    kind: 'local',
    label: 'this machine',
    privilege: undefined,
    async exec(script, options = {}) {
      const shell = ['sh', '-c', script, 'sh', ...(options.args ?? [])];
      if (!options.privileged) return run(host, shell, options);
      transport.privilege ??= await probe(host, options);
      const prefix = PREFIX[transport.privilege];
      if (prefix) return run(host, [...prefix, ...shell], options);
      throw new WizardError('privilege', `${options.label ?? 'This step'} needs root's rights on this machine`, {
        host,
        step: options.label,
        why: 'The wizard was not started by root, and sudo does not work without a password here.',
        next: ['Run the same command with sudo.'],
      });
    },
    dial,
    close: async () => {},
  };
  return transport;
}

/** How a command is run as root; absent where it cannot be (there is nobody to ask for a password here). */
const PREFIX: Partial<Record<Privilege, string[]>> = { root: [], sudo: ['sudo', '-n'], doas: ['doas', '-n'] };

async function probe(host: string, { signal, timeoutMs }: ExecOptions): Promise<Privilege> {
  if (process.getuid?.() === 0) return 'root';
  const script =
    'sudo -n true 2>/dev/null && exit 10; doas -n true 2>/dev/null && exit 11; command -v sudo >/dev/null && exit 12; exit 13';
  const { code } = await run(host, ['sh', '-c', script], { signal, timeoutMs, label: 'asking for root’s rights' });
  const answers: Record<number, Privilege> = { 10: 'sudo', 11: 'doas', 12: 'sudo-password' };
  return answers[code ?? -1] ?? 'none';
}

function run(host: string, command: string[], options: ExecOptions): Promise<ExecResult> {
  const { input, timeoutMs = DEFAULT_TIMEOUT_MS, signal, onOutput, label: step } = options;
  const [program = 'sh', ...args] = command;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new WizardError('interrupted', 'Interrupted', { host, step }));
    // A process group of its own, so that everything a script started can be ended with it.
    const child = spawn(program, args, { detached: true, env: childEnvironment(), cwd: '/', stdio: 'pipe' });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    let size = 0;
    let failure: WizardError | undefined;

    const end = (error: WizardError) => {
      failure ??= error;
      killGroup(child.pid);
    };
    const onAbort = () => end(new WizardError('interrupted', 'Interrupted', { host, step }));
    const seconds = Math.round(timeoutMs / 100) / 10;
    const timer = setTimeout(
      () =>
        end(
          new WizardError('timeout', `No answer within ${seconds} s`, {
            host,
            step,
            evidence: lastLines(output.stderr),
          }),
        ),
      timeoutMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });

    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_OUTPUT)
          return end(new WizardError('remote', 'The output of a command does not end', { host, step }));
        output[stream].push(chunk);
        onOutput?.(stream, chunk);
      });
    }
    // A command that does not read all of its input closes the pipe: its exit status tells what matters.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET')
        end(new WizardError('remote', error.message, { host, step, cause: error }));
    });
    child.stdin.end(input);

    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    child.on('error', (error) =>
      settle(() =>
        reject(
          new WizardError('remote', `${program} could not be started`, {
            host,
            step,
            why: error.message,
            cause: error,
          }),
        ),
      ),
    );
    // Something in the background may hold the pipes after the script has ended.
    child.on('exit', () =>
      setTimeout(() => [child.stdout, child.stderr].forEach((stream) => void stream.destroy()), DRAIN_MS).unref(),
    );
    child.on('close', (code, killedBy) =>
      settle(() => {
        if (failure) return reject(failure);
        const { stdout, stderr } = output;
        const elapsedMs = performance.now() - started;
        resolve({
          code,
          signal: killedBy ?? undefined,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr),
          elapsedMs,
        });
      }),
    );
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // Gone already, or (under sudo) no longer ours to end: it stops when its input and output are closed.
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  };
  // First asked, so that scripts can remove what they have staged.
  send('SIGTERM');
  setTimeout(() => send('SIGKILL'), 1_000).unref();
}

function lastLines(chunks: Buffer[]): string[] {
  return Buffer.concat(chunks).toString().trimEnd().split('\n').slice(-10);
}

const DIAL_REASONS: Record<string, DialError['reason']> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
};

function dial(
  address: string,
  port: number,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Duplex> {
  const { timeoutMs = 5_000, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new DialError('closed', 'interrupted'));
    const socket = connect({ host: address, port });
    const fail = (reason: DialError['reason'], message: string) => {
      finish();
      socket.destroy();
      reject(new DialError(reason, message));
    };
    const timer = setTimeout(() => fail('timeout', `no answer within ${timeoutMs / 1000} s`), timeoutMs);
    const onAbort = () => fail('closed', 'interrupted');
    const onError = (error: NodeJS.ErrnoException) => fail(DIAL_REASONS[error.code ?? ''] ?? 'closed', error.message);
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', onError);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => {
      finish();
      resolve(socket);
    });
  });
}
