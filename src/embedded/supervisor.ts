/** Members as plain processes of this user: started from their environment file, gone when this program is gone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { createInterface } from 'node:readline';
import { pause } from '../apply/parallel.ts';
import type { ServiceControl } from '../apply/service.ts';
import { WizardError } from '../errors.ts';
import { parseEnvironmentFile } from '../etcd/environment-file.ts';
import type { Embedded } from '../plan/types.ts';
import { childEnvironment } from '../remote/local.ts';
import type { Transport } from '../remote/transport.ts';

/**
 * Runs a command ($@) and ends it when standard input ends. This program holds the other end of that pipe and never writes:
 * whatever ends it, kill -9 included, closes the pipe. The reader is a built-in of the shell, so it leaves no process behind.
 */
const WATCHED = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
( read -r _ <&3; kill -TERM $child; sleep 5; kill -KILL $child ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $child
code=$?
kill $watcher 2>/dev/null
exit $code`;

/** etcd says so when it has joined a quorum, which is what Type=notify reports to systemd; 3.4 has only the second line with zap. */
const READY = /ready to serve client requests|serving client traffic/;
const MAX_LINES = 500;
const MAX_LINE = 4000;

interface Process {
  child: ChildProcess;
  ready: boolean;
  /** Set when it has ended. */
  ended?: string;
  stopping: boolean;
}

export class EmbeddedService implements ServiceControl {
  readonly #embedded: Embedded;
  readonly #processes = new Map<string, Process>();
  /** Last lines by member; they outlive the process that wrote them. */
  readonly #logs = new Map<string, string[]>();

  constructor(embedded: Embedded) {
    this.#embedded = embedded;
  }

  /** @throws WizardError `start` with the last log lines, `timeout`, `interrupted` */
  async start(
    { host }: Pick<Transport, 'host'>,
    { restart, timeoutMs, signal }: { restart: boolean; timeoutMs: number; signal?: AbortSignal },
  ): Promise<void> {
    const running = this.#processes.get(host);
    if (running !== undefined && running.ended === undefined) {
      if (!restart && running.ready) return;
      await this.#end(host, 10_000);
    }
    const process = this.#spawn(host, await this.#environment(host));
    const until = performance.now() + timeoutMs;
    while (!process.ready) {
      if (process.ended !== undefined) throw this.#failure('start', host, `etcd did not start: ${process.ended}.`);
      if (performance.now() > until)
        throw this.#failure('timeout', host, `etcd was not ready within ${Math.round(timeoutMs / 1000)} s.`);
      await pause(20, signal);
    }
  }

  async stop(
    { host }: Pick<Transport, 'host'>,
    { timeoutMs }: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<void> {
    await this.#end(host, timeoutMs);
  }

  /** Ends every member; those that do not end by themselves are killed. */
  async stopAll(timeoutMs = 10_000): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((host) => this.#end(host, timeoutMs)));
  }

  state({ host }: Pick<Transport, 'host'>): Promise<string> {
    const process = this.#processes.get(host);
    if (process === undefined) return Promise.resolve('not started');
    return Promise.resolve(
      process.ended ??
        (process.ready ? `running (pid ${process.child.pid})` : 'starting: waiting for the other members'),
    );
  }

  logs({ host }: Pick<Transport, 'host'>, lines: number): Promise<string[]> {
    return Promise.resolve((this.#logs.get(host) ?? []).slice(-lines));
  }

  async #environment(host: string): Promise<Record<string, string>> {
    const path = posix.join(this.#embedded.root, host, 'etcd.conf');
    try {
      return parseEnvironmentFile(await readFile(path, 'utf8'));
    } catch (cause) {
      throw new WizardError('start', `${host}: its configuration cannot be read.`, {
        host,
        step: 'start',
        why: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }

  #spawn(host: string, settings: Record<string, string>): Process {
    // A session of its own: Ctrl-C in the terminal is for this program, which then ends its members in order.
    const child = spawn('sh', ['-c', WATCHED, 'sh', this.#embedded.etcdPath], {
      env: { ...childEnvironment(), ...settings },
      cwd: posix.join(this.#embedded.root, host),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const process: Process = { child, ready: false, stopping: false };
    const lines = this.#logs.get(host) ?? [];
    this.#logs.set(host, lines);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (READY.test(line)) process.ready = true;
        lines.push(line.slice(0, MAX_LINE));
        if (lines.length > MAX_LINES) lines.splice(0, lines.length - MAX_LINES);
      });
    }
    child.once('error', (error) => {
      process.ended = `failed: ${error.message}`;
    });
    child.once('close', (code, signal) => {
      process.ended ??= process.stopping
        ? 'stopped'
        : `failed: ${code === null ? `killed by ${signal}` : `exit code ${code}`}`;
    });
    this.#processes.set(host, process);
    return process;
  }

  async #end(host: string, timeoutMs: number): Promise<void> {
    const process = this.#processes.get(host);
    if (process === undefined || process.ended !== undefined) return;
    process.stopping = true;
    const { child } = process;
    const closed = once(child, 'close');
    child.stdin?.end();
    const timer = setTimeout(() => killGroup(child), timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  #failure(code: 'start' | 'timeout', host: string, what: string): WizardError {
    return new WizardError(code, `${host}: ${what}`, {
      host,
      step: 'start',
      evidence: (this.#logs.get(host) ?? []).slice(-20),
    });
  }
}

/** The shell and etcd together: the shell leads a group of its own. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Ended in this very moment.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
