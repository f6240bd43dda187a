/** Runs the built command as a person does, with a home of its own and nothing of this process's environment. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { must, type Result, type RunOptions, run } from '../setup/process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface CommandOptions extends RunOptions {
  /** Added to an environment of PATH, LANG and HOME. */
  env?: Record<string, string>;
  withoutHome?: boolean;
}

/** A home for this test file, removed afterwards. */
export class Home {
  readonly path = mkdtempSync(join(tmpdir(), 'etcd-wizard-cli-'));

  #cli = '';

  constructor() {
    beforeAll(async () => {
      // Builds it unless it is newer than its sources.
      await must(process.execPath, [join(root, 'scripts/start.mjs'), '--version'], { timeoutMs: 120_000 });
      ({ CLI: this.#cli } = await import('../lab/cli.ts'));
    }, 120_000);
    afterAll(() => rmSync(this.path, { recursive: true, force: true }));
  }

  #options({ env = {}, withoutHome = false, ...rest }: CommandOptions): RunOptions {
    const home: Record<string, string> = withoutHome ? {} : { HOME: this.path };
    return { cwd: this.path, ...rest, env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', ...home, ...env } };
  }

  run(args: readonly string[], options: CommandOptions = {}): Promise<Result> {
    return run(process.execPath, [this.#cli, ...args], this.#options(options));
  }

  /** A shell line; `$W` is the command. */
  shell(line: string, options: CommandOptions = {}): Promise<Result> {
    const { env, ...rest } = this.#options(options);
    return run('bash', ['-c', line], { ...rest, env: { ...env, W: `${process.execPath} ${this.#cli}` } });
  }
}
