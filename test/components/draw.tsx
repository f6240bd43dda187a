/** Draws a screen in a window of any size, without a terminal: frames as text, keys as a person's. */
import { EventEmitter } from 'node:events';
import { render } from 'ink';
import type { ReactNode } from 'react';
import { Keys } from '../../components/keys.tsx';
import { fixedTerminal, Root, type WindowSize } from '../../src/terminal/ink.ts';

class Output extends EventEmitter {
  frame = '';
  tallest = 0;
  constructor(readonly columns: number) {
    super();
  }
  write(frame: string): boolean {
    this.frame = frame;
    this.tallest = Math.max(this.tallest, frame.split('\n').length);
    return true;
  }
}

class Input extends EventEmitter {
  readonly isTTY = true;
  setEncoding() {}
  setRawMode() {}
  resume() {}
  pause() {}
  ref() {}
  unref() {}
  read() {
    return null;
  }
}

export const KEY = {
  enter: '\r',
  escape: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  tab: '\t',
  ctrlC: '\x03',
  pageDown: '\x1b[6~',
  backspace: '\x7f',
};

export interface Drawing {
  /** The frame as text, without styles. */
  text(): string;
  /** With styles. */
  frame(): string;
  lines(): string[];
  /** Rows of the tallest frame so far. */
  tallest(): number;
  /** Types keys one after the other and lets the screen follow. */
  press(...keys: string[]): Promise<void>;
  /** Waits until the frame shows the text. */
  shows(text: string): Promise<void>;
  close(): void;
}

export const SIZES: readonly WindowSize[] = [
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 50 },
  { columns: 20, rows: 5 },
];

export function draw(tree: ReactNode, size: WindowSize = { columns: 80, rows: 24 }, unicode = true): Drawing {
  const stdout = new Output(size.columns);
  const stdin = new Input();
  const app = render(
    <Root terminal={fixedTerminal(size, unicode)}>
      <Keys>{tree}</Keys>
    </Root>,
    { stdout: stdout as never, stdin: stdin as never, debug: true, exitOnCtrlC: false, patchConsole: false },
  );
  const text = () => stdout.frame.replace(/\x1b\[[0-9;]*m/g, '');
  const settle = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));
  return {
    text,
    frame: () => stdout.frame,
    lines: () => text().split('\n'),
    tallest: () => stdout.tallest,
    press: async (...keys) => {
      await settle();
      for (const key of keys) {
        stdin.emit('data', key);
        // A lone Esc is one only when nothing follows for a while.
        await settle(key === KEY.escape ? 60 : 5);
      }
    },
    shows: async (wanted) => {
      for (let tries = 0; tries < 400; tries++) {
        if (text().includes(wanted)) return;
        await settle(10);
      }
      throw new Error(`never shown: ${wanted}\n${text()}`);
    },
    close: () => app.unmount(),
  };
}
