/** Draws an app: Ink computes the frames, Screen writes them, and the terminal is given back however the process ends. */
import { EventEmitter } from 'node:events';
import { createElement, type ReactNode, useLayoutEffect } from 'react';
import type { Capabilities } from './capabilities.ts';
import { Root, renderInk, type Terminal, type WindowSize } from './ink.ts';
import { type CursorPosition, Screen } from './screen.ts';
import { Ticker } from './ticker.ts';

/** What Ink believes to be the terminal: takes its frames, one a write. */
class FrameTaker extends EventEmitter {
  readonly isTTY = false;
  readonly #size: () => WindowSize;
  readonly #take: (frame: string) => void;

  constructor(size: () => WindowSize, take: (frame: string) => void) {
    super();
    this.#size = size;
    this.#take = take;
  }

  get columns(): number {
    return this.#size().columns;
  }

  get rows(): number {
    return this.#size().rows;
  }

  write(frame: string): boolean {
    this.#take(frame);
    return true;
  }
}

export interface AppOptions {
  capabilities: Capabilities;
  stdin?: NodeJS.ReadStream;
  stdout?: NodeJS.WriteStream;
  /** The last frame stays in the terminal after the app has gone. */
  keepLastFrame?: boolean;
}

export interface RunningApp {
  /** Resolves when the app has gone and the terminal is as before; rejects when a component threw. */
  done: Promise<void>;
  /** Takes the app away. */
  close(): void;
}

/** Frames a second at most; over ssh more is waste. */
const MAX_FPS = 15;
const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';

/** Draws the tree until `close`, and gives the terminal back however the process ends. */
export function renderApp(tree: ReactNode, options: AppOptions): RunningApp {
  const { stdin = process.stdin, stdout = process.stdout, capabilities } = options;
  const screen = new Screen(stdout, { synchronised: capabilities.synchronised });
  const size = memoSize(stdout);
  const resized = new Set<() => void>();
  let cursor: CursorPosition | undefined;
  let frame: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (frame === undefined) return;
    last = performance.now();
    screen.draw(frame, cursor);
  };
  const taker = new FrameTaker(size, (next) => {
    frame = next;
    if (performance.now() - last >= 1000 / MAX_FPS) flush();
    else timer ??= setTimeout(flush, 1000 / MAX_FPS);
  });
  const terminal: Terminal = {
    unicode: capabilities.unicode,
    animated: !capabilities.serial && !capabilities.screenReader,
    size,
    onResize: (listener) => {
      resized.add(listener);
      return () => resized.delete(listener);
    },
    setCursor: (position) => {
      cursor = position;
    },
    repaint: () => {
      screen.repaint();
      flush();
    },
    ticker: new Ticker(),
  };
  const onResize = () => {
    screen.resized();
    for (const listener of [...resized]) listener();
    taker.emit('resize');
  };

  const release = holdBack(process.stderr);
  stdout.write(PASTE_ON);
  let restored = false;
  const restore = () => {
    if (restored) return;
    restored = true;
    clearTimeout(timer);
    stdout.off('resize', onResize);
    process.off('exit', restore);
    if (!stdout.destroyed && !stdout.writableEnded) {
      if (options.keepLastFrame) flush();
      screen.finish(options.keepLastFrame ?? false);
      stdout.write(PASTE_OFF);
    }
    if (stdin.isTTY && !stdin.destroyed) stdin.setRawMode(false);
    release();
  };
  stdout.on('resize', onResize);
  process.on('exit', restore);

  // Ink takes the tree away on its own when a signal ends the process: the terminal is given back in the same moment.
  const app = renderInk(createElement(Root, { terminal }, createElement(Departure, { onGone: restore }), tree), {
    stdin,
    // Ink uses of the stream what FrameTaker has: size, resize events and write.
    stdout: taker as unknown as NodeJS.WriteStream,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: capabilities.screenReader,
  });
  const done = app.waitUntilExit().then(
    () => restore(),
    (error: unknown) => {
      restore();
      throw error;
    },
  );
  return {
    done,
    close: () => {
      app.unmount();
      restore();
    },
  };
}

/** What others write to standard error (Node's warnings) would tear the frame: it is held back until the app has gone. */
function holdBack(stderr: NodeJS.WriteStream): () => void {
  if (!stderr.isTTY) return () => {};
  const held: (string | Uint8Array)[] = [];
  const write = stderr.write;
  stderr.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    held.push(chunk);
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
  return () => {
    stderr.write = write;
    for (const chunk of held) stderr.write(chunk);
  };
}

function Departure({ onGone }: { onGone: () => void }): ReactNode {
  useLayoutEffect(() => onGone, [onGone]);
  return null;
}

/** The size as one object that stays the same while the size does, as useSyncExternalStore wants it. */
function memoSize(stdout: { columns?: number; rows?: number }): () => WindowSize {
  let size: WindowSize = { columns: 0, rows: 0 };
  return () => {
    const columns = stdout.columns || 80;
    const rows = stdout.rows || 24;
    if (columns !== size.columns || rows !== size.rows) size = { columns, rows };
    return size;
  };
}
