/**
 * The one door to Ink. Everything that differs between Ink's versions, or that Ink 6 does not do well enough, is here:
 * window size, one shared timer, keys, cursor, writing frames, giving the terminal back.
 * Import it only after `prepareTerminal()`.
 */
import { EventEmitter } from 'node:events';
import { render, useStdin } from 'ink';
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { Capabilities } from './capabilities.ts';
import { type Key, KeyParser } from './key-parser.ts';
import { type CursorPosition, Screen } from './screen.ts';
import { Ticker } from './ticker.ts';

export { Box, Text } from 'ink';
export type { Key, KeyName } from './key-parser.ts';

export interface WindowSize {
  columns: number;
  rows: number;
}

/** What components see of the terminal. */
export interface Terminal {
  readonly unicode: boolean;
  /** Spinners may turn: not on serial lines and not for screen readers. */
  readonly animated: boolean;
  size(): WindowSize;
  onResize(listener: () => void): () => void;
  setCursor(position: CursorPosition | undefined): void;
  /** Draws everything again (Ctrl-L). */
  repaint(): void;
  readonly ticker: Ticker;
}

/** A terminal that never changes: for tests and for drawing without a window. */
export function fixedTerminal(size: WindowSize, unicode = true): Terminal {
  return {
    unicode,
    animated: false,
    size: () => size,
    onResize: () => () => {},
    setCursor: () => {},
    repaint: () => {},
    ticker: new Ticker(),
  };
}

const TerminalContext = createContext<Terminal>(fixedTerminal({ columns: 80, rows: 24 }));

type KeyListener = (key: Key) => void;
const KeyContext = createContext<Set<KeyListener>>(new Set());

/** Time after which an ESC that nothing follows is the Esc key, milliseconds; a sequence split by the network takes less. */
const ESCAPE_DELAY = 40;

/** Hands the terminal and its keys to the tree below. Every app and every test has one at its root. */
export function Root({ terminal, children }: { terminal: Terminal; children?: ReactNode }): ReactNode {
  const { stdin } = useStdin();
  const [listeners] = useState(() => new Set<KeyListener>());
  useEffect(() => {
    const parser = new KeyParser();
    let timer: NodeJS.Timeout | undefined;
    const queue: Key[] = [];
    let delivering: NodeJS.Immediate | undefined;
    // One key at a time, with React's update between two: the second of one chunk must meet what the first changed.
    const next = () => {
      delivering = undefined;
      const key = queue.shift();
      if (key === undefined) return;
      for (const listener of [...listeners]) listener(key);
      // React schedules its work in a microtask by an immediate of its own, which comes after one that is set here.
      // Also after the last: the next chunk may be here before the update.
      delivering = setImmediate(() => (delivering = setImmediate(next)));
    };
    const deliver = (keys: Key[]) => {
      queue.push(...keys);
      if (delivering === undefined) next();
    };
    const receive = (chunk: Buffer | string) => {
      clearTimeout(timer);
      deliver(parser.push(chunk.toString()));
      if (parser.waiting) timer = setTimeout(() => deliver(parser.flush()), ESCAPE_DELAY);
    };
    stdin.setEncoding('utf8');
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.ref();
    stdin.on('data', receive);
    stdin.resume();
    return () => {
      clearTimeout(timer);
      clearImmediate(delivering);
      stdin.off('data', receive);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      stdin.unref();
    };
  }, [stdin, listeners]);
  return createElement(
    TerminalContext.Provider,
    { value: terminal },
    createElement(KeyContext.Provider, { value: listeners }, children),
  );
}

export const useTerminal = (): Terminal => useContext(TerminalContext);

/** The window's size, now and after each change. */
export function useWindowSize(): WindowSize {
  const terminal = useTerminal();
  return useSyncExternalStore(terminal.onResize, terminal.size);
}

/** Counts up every so many milliseconds while `active`; all users share one timer. */
export function useTicker(everyMs: number, active = true): number {
  const { ticker } = useTerminal();
  const [count, setCount] = useState(0);
  useEffect(
    () => (active ? ticker.every(everyMs, () => setCount((before) => before + 1)) : undefined),
    [ticker, everyMs, active],
  );
  return count;
}

/** Every key, as it comes. Components use the bindings of components/keys.ts instead. */
export function useKeys(listener: KeyListener): void {
  const listeners = useContext(KeyContext);
  const latest = useRef(listener);
  useLayoutEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const call: KeyListener = (key) => latest.current(key);
    listeners.add(call);
    return () => {
      listeners.delete(call);
    };
  }, [listeners]);
}

/** Puts the real cursor at a place of the frame (screen readers, magnifiers and input methods follow it), or hides it. */
export function useCursor(position: CursorPosition | undefined): void {
  const terminal = useTerminal();
  // Before Ink hands out the frame of this very commit.
  useInsertionEffect(() => terminal.setCursor(position));
}

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
  const app = render(createElement(Root, { terminal }, createElement(Departure, { onGone: restore }), tree), {
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
