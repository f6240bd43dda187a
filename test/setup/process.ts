/** Running commands for tests: one small wrapper round `spawn`, with everything collected. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Result {
  /** Exit status; null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  elapsedMs: number;
}

export interface RunOptions {
  cwd?: string;
  /** The whole environment; absent: this process's own. */
  env?: Record<string, string>;
  /** Standard input; absent: none. */
  input?: string | Buffer;
  /** Milliseconds until it is killed; default 60 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A command that is still running. */
export interface Running {
  child: ChildProcess;
  /** Settles when it has ended and its output is complete. */
  done: Promise<Result>;
  /** What has come so far. */
  output(): string;
  /** Waits until the output so far (both streams) matches. */
  until(pattern: RegExp, timeoutMs?: number): Promise<void>;
}

/** Starts a command; a non-zero exit is a result, not an error. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Running {
  const begun = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
    signal: options.signal,
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let all = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    all += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr.push(chunk);
    all += chunk;
  });
  // A command that ends before it has read everything closes the pipe: its exit status tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const done = new Promise<Result>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        elapsedMs: performance.now() - begun,
      });
    });
  });
  const until = async (pattern: RegExp, timeoutMs = 30_000): Promise<void> => {
    const deadline = performance.now() + timeoutMs;
    while (!pattern.test(all)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        await done;
        if (pattern.test(all)) return;
        throw new Error(`${command} ended without printing ${pattern}; it printed:\n${all}`);
      }
      if (performance.now() > deadline)
        throw new Error(`${command} did not print ${pattern} within ${timeoutMs} ms; it printed:\n${all}`);
      await sleep(10);
    }
  };
  return { child, done, output: () => all, until };
}

/** Runs a command to its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return start(command, args, options).done;
}

/**
 * Runs a command that must succeed.
 * @returns its standard output
 * @throws Error with both streams when it did not exit with 0
 */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await run(command, args, options);
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')}: exit ${code ?? signal}\n${stdout}${stderr}`);
  return stdout;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until the condition holds. @throws Error naming `what` after `timeoutMs`. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
  everyMs = 25,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(everyMs);
  }
}
