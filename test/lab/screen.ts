/** `etcd-wizard` in a terminal of its own (tmux with a socket of its own), for what asks a person. */
import { join } from 'node:path';
import { must, run, waitFor } from '../setup/process.ts';
import { CLI } from './cli.ts';
import type { Controller } from './controller.ts';

let opened = 0;

export class Screen {
  readonly #controller: Controller;
  readonly #socket: string;

  private constructor(controller: Controller, socket: string) {
    this.#controller = controller;
    this.#socket = socket;
  }

  /** Starts the command in a window of 100 columns; the window stays when it has ended. */
  static async open(controller: Controller, args: readonly string[]): Promise<Screen> {
    const screen = new Screen(controller, join(controller.home, `tmux-${++opened}`));
    const [command, rest] = controller.command(process.execPath, [CLI, ...args]);
    const env = Object.entries(controller.env()).map(([name, value]) => `${name}=${value}`);
    // `exit` keeps the pane and its status; the shell line is one argument list, not a string to be parsed again.
    await screen.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '100', '-y', '50', 'cat');
    await screen.#tmux('set-option', '-g', 'remain-on-exit', 'on');
    await screen.#tmux('set-option', '-g', 'history-limit', '5000');
    await screen.#tmux('new-window', '-c', controller.home, 'env', '-i', ...env, command, ...rest);
    return screen;
  }

  #tmux(...args: string[]): Promise<string> {
    return must('tmux', ['-S', this.#socket, ...args]);
  }

  /** Everything shown so far, what has scrolled away too; wrapped lines joined. */
  text(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-');
  }

  async until(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    const seen = async () => pattern.test(await this.text());
    await waitFor(`${pattern}`, seen, timeoutMs).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.text()}`);
    });
  }

  /** Types the text, then Enter. */
  async type(text: string): Promise<void> {
    if (text !== '') await this.#tmux('send-keys', '-l', text);
    await this.#tmux('send-keys', 'Enter');
  }

  /** Waits for the end. @returns the exit code */
  async exitCode(): Promise<number> {
    const status = () => this.#tmux('display-message', '-p', '#{pane_dead} #{pane_dead_status}');
    let ended: RegExpExecArray | null = null;
    const hasEnded = async () => {
      ended = /^1 (\d+)/.exec(await status());
      return ended !== null;
    };
    await waitFor('the command ends', hasEnded, 60_000);
    return Number((ended as RegExpExecArray | null)?.[1]);
  }

  /** Ends the command, if it still runs, and the terminal. */
  async close(): Promise<void> {
    await run('tmux', ['-S', this.#socket, 'kill-server'], { env: this.#controller.env() });
  }
}
