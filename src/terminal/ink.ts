/**
 * The one door to Ink. Everything that differs between Ink's versions, or that Ink 6 does not do well enough, is here:
 * window size, one shared timer, keys, cursor; render.ts writes the frames and gives the terminal back.
 * Import it only after `prepareTerminal()`.
 */
import { useStdin } from 'ink';
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
import { type Key, KeyParser } from './key-parser.ts';
import type { CursorPosition } from './screen.ts';
import { Ticker } from './ticker.ts';

export { Box, render as renderInk, Text } from 'ink';
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
