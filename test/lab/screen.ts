/** `etcd-wizard` in a terminal of its own (tmux with a socket of its own), for what asks a person. */
import { join } from 'node:path';
import { must, run, waitFor } from '../setup/process.ts';
import { CLI } from './cli.ts';
import type { Controller } from './controller.ts';

let opened = 0;

interface Window {
  columns: number;
  rows: number;
  /** Added to the controller's environment. */
  env: Record<string, string>;
}

export class Screen {
  readonly #controller: Controller;
  readonly #socket: string;

  private constructor(controller: Controller, socket: string) {
    this.#controller = controller;
    this.#socket = socket;
  }

  /** Starts the command in a window of 100 columns; the window stays when it has ended. */
  static open(controller: Controller, args: readonly string[]): Promise<Screen> {
    return Screen.#start(controller, [process.execPath, CLI, ...args], { columns: 100, rows: 50, env: {} });
  }

  /** A shell at its prompt, where `$EW ARGS…` is the command: for what is left in the terminal when it has gone. */
  static async shell(
    controller: Controller,
    { columns = 80, rows = 24, env = {} }: Partial<Window> = {},
  ): Promise<Screen> {
    const ew = `${process.execPath} ${CLI}`;
    const screen = await Screen.#start(controller, ['sh'], { columns, rows, env: { PS1: '$ ', EW: ew, ...env } });
    await screen.until(/^\$/m);
    return screen;
  }

  static async #start(
    controller: Controller,
    program: readonly [string, ...string[]],
    { columns, rows, env: more }: Window,
  ): Promise<Screen> {
    const screen = new Screen(controller, join(controller.home, `tmux-${++opened}`));
    const [command, rest] = controller.command(program[0], program.slice(1));
    const env = Object.entries(controller.env(more)).map(([name, value]) => `${name}=${value}`);
    // `exit` keeps the pane and its status; the shell line is one argument list, not a string to be parsed again.
    await screen.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), 'cat');
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

  /** The window alone. */
  visible(): Promise<string> {
    return this.#tmux('capture-pane', '-p');
  }

  /** The window with its colours. */
  styled(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  /** Waits until the window, without what has scrolled away, shows this. */
  async shows(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    const seen = async () => pattern.test(await this.visible());
    await waitFor(`${pattern}`, seen, timeoutMs).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.visible()}`);
    });
  }

  /** Presses keys by tmux's names: Enter, Escape, Up, C-c, y. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** All lines in one piece, an Enter after each, as a terminal without bracketed paste hands them over. */
  async paste(...lines: string[]): Promise<void> {
    await this.#tmux('set-buffer', `${lines.join('\n')}\n`);
    await this.#tmux('paste-buffer');
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  async cursorShown(): Promise<boolean> {
    return (await this.#tmux('display-message', '-p', '#{cursor_flag}')).trim() === '1';
  }

  /** Process id of the command that the shell runs. */
  async commandPid(): Promise<number> {
    const shell = (await this.#tmux('display-message', '-p', '#{pane_pid}')).trim();
    return Number((await must('ps', ['-o', 'pid=', '--ppid', shell])).trim().split(/\s+/)[0]);
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
