/**
 * The frame of every screen: title, what stays, what scrolls, remarks, keys. It holds the one hard rule of the display: never
 * taller than the window less one row (a taller frame scrolls the window and leaves copies behind).
 */
import { type ReactNode, useRef, useState } from 'react';
import { useCursor, useTerminal, useTicker, useWindowSize } from '../src/terminal/ink.ts';
import { LEVEL, useBindings, useKeyMap } from './keys.tsx';
import { accent, BLANK, bold, dim, type Line, Lines, line } from './lines.tsx';
import { type Symbols, symbolsFor } from './symbols.ts';
import { footerLines, helpLines } from './widgets/footer.ts';
import { type Scroll, windowOf } from './widgets/scroll.ts';

/** Below this nothing sensible can be shown. */
const MIN_COLUMNS = 40;
const MIN_ROWS = 10;

export interface FrameProps {
  title: Line | readonly Line[];
  /** Stays above what scrolls. */
  head?: readonly Line[];
  body: readonly Line[];
  /** How the body scrolls when it is too tall: with the chosen line, by keys, or at its end (a log). */
  scroll?: Scroll;
  /** The body's line that must be seen, for `scroll: 'focus'`. */
  focus?: number;
  /** Stays below what scrolls: messages, a field. */
  tail?: readonly Line[];
  /** The last frame, which stays in the terminal: without keys. */
  final?: boolean;
  /** For the help, above the keys: what this screen is for. */
  about?: string;
}

export function useSymbols(): Symbols {
  return symbolsFor(useTerminal().unicode);
}

/** The word of something under way, with a symbol that turns where the terminal likes it. */
export function useSpinner(active: boolean): string {
  const { animated } = useTerminal();
  const { spinner } = useSymbols();
  const count = useTicker(250, active && animated);
  return spinner[count % spinner.length] ?? '';
}

export function Frame(props: FrameProps): ReactNode {
  const { columns, rows } = useWindowSize();
  const terminal = useTerminal();
  const symbols = useSymbols();
  const keys = useKeyMap();
  const offset = useRef(0);
  const [, redraw] = useState(0);
  const overflow = useRef({ lines: 0, height: 0 });

  const budget = Math.max(1, rows - 1);
  const tooSmall = columns < MIN_COLUMNS || rows < MIN_ROWS;
  const help = keys.help;
  const body = help ? helpLines(keys.bindings(), symbols, columns, props.about) : props.body;
  const head = help ? [] : (props.head ?? []);
  const scroll: Scroll = help ? 'keys' : (props.scroll ?? 'keys');
  const footer = props.final
    ? []
    : help
      ? [line(' ', dim('any key goes back'))]
      : footerLines(keys.bindings(), symbols, columns, rows >= 16 ? 2 : 1);
  const title = 'spans' in props.title ? [props.title] : props.title;
  const airy = rows >= 16 ? 1 : 0;
  const tail = help
    ? []
    : (props.tail ?? []).slice(0, Math.max(0, budget - head.length - footer.length - title.length - 3));
  const height = Math.max(1, budget - title.length - airy - head.length - tail.length - 1 - footer.length);
  const seen = windowOf(body, {
    height,
    scroll,
    focus: help ? 0 : props.focus,
    offset: help ? 0 : offset.current,
    symbols,
  });
  if (!help) offset.current = seen.offset;
  overflow.current = { lines: body.length, height };

  const move = (by: number) => {
    const { lines, height: page } = overflow.current;
    offset.current = Math.max(0, Math.min(offset.current + by, lines - page));
    redraw((count) => count + 1);
  };
  const scrolls = scroll !== 'focus' && body.length > height && !help;
  useBindings(
    [
      {
        keys: ['up'],
        label: symbols.up + symbols.down,
        hint: 'scroll',
        help: 'one line up or down',
        run: () => move(-1),
      },
      { keys: ['down'], run: () => move(1) },
      { keys: ['page-up'], run: () => move(1 - overflow.current.height) },
      { keys: ['page-down', ' '], run: () => move(overflow.current.height - 1) },
      { keys: ['home'], run: () => move(-overflow.current.lines) },
      { keys: ['end'], run: () => move(overflow.current.lines) },
    ],
    { level: LEVEL.screen, active: scrolls },
  );
  useBindings(
    [
      {
        keys: ['?'],
        hint: 'help',
        help: 'this list',
        run: () => {
          keys.help = true;
          keys.changed();
        },
      },
      { keys: ['ctrl-l'], run: terminal.repaint },
    ],
    { level: LEVEL.app },
  );

  const lines = tooSmall
    ? [line(`window too small: ${MIN_COLUMNS}x${MIN_ROWS} is needed`)]
    : [
        ...title.map((each) => line(' ', each)),
        ...(airy ? [BLANK] : []),
        ...head,
        ...seen.lines,
        ...tail,
        ...(props.final ? [] : [BLANK]),
        ...footer,
      ].slice(0, budget);
  const row = lines.findIndex((each) => each.cursor !== undefined);
  useCursor(row === -1 ? undefined : { row, column: lines[row]?.cursor ?? 0 });
  return <Lines lines={lines} />;
}

/** «etcd-wizard» and where one is. */
export const titleLine = (...rest: Line[]): Line =>
  line(bold('etcd-wizard', 'accent'), ...rest.flatMap((each) => [line('   '), each]));
export const pointerSpan = (chosen: boolean, symbols: Symbols) => (chosen ? accent(`${symbols.pointer} `) : dim('  '));
