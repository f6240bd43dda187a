/**
 * The frame of every screen: title, what stays, what scrolls, remarks, keys. It holds the one hard rule of the display: never
 * taller than the window less one row (a taller frame scrolls the window and leaves copies behind).
 */
import { type ReactNode, useRef, useState } from 'react';
import { useCursor, useTerminal, useTicker, useWindowSize } from '../src/terminal/ink.ts';
import { type Binding, LEVEL, useBindings, useKeyMap } from './keys.tsx';
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
  const seen = useScroll(body, { height, scroll, focus: help ? 0 : props.focus });
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
    ? [line('window too small'), line(`${MIN_COLUMNS}x${MIN_ROWS} is needed`)].slice(0, budget)
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

/**
 * The part of the body that is seen. It follows the focus (or the end of a log) until the person scrolls by hand, and
 * again when the focus moves on.
 */
function useScroll(
  body: readonly Line[],
  { height, scroll, focus = 0 }: { height: number; scroll: Scroll; focus?: number },
) {
  const symbols = useSymbols();
  const offset = useRef(0);
  const byHand = useRef<{ focus: number } | undefined>(undefined);
  const [, redraw] = useState(0);
  if (byHand.current !== undefined && byHand.current.focus !== focus) byHand.current = undefined;
  const seen = windowOf(body, {
    height,
    scroll: byHand.current === undefined ? scroll : 'keys',
    focus,
    offset: offset.current,
    symbols,
  });
  offset.current = seen.offset;
  const move = (by: number) => {
    const most = Math.max(0, body.length - height);
    offset.current = Math.max(0, Math.min(offset.current + by, most));
    // At the end of a log it follows again.
    byHand.current = scroll === 'tail' && offset.current === most ? undefined : { focus };
    redraw((count) => count + 1);
  };
  const page = Math.max(1, height - 2);
  const pages: Binding[] = [
    { keys: ['page-up'], run: () => move(-page) },
    {
      keys: ['page-down'],
      hint: scroll === 'focus' ? 'more' : undefined,
      help: 'what is further down; PgUp goes back',
      run: () => move(page),
    },
  ];
  const arrows: Binding[] = [
    {
      keys: ['up'],
      label: symbols.up + symbols.down,
      hint: 'scroll',
      help: 'one line up or down',
      run: () => move(-1),
    },
    { keys: ['down'], run: () => move(1) },
    { keys: [' '], run: () => move(page) },
    { keys: ['home'], run: () => move(-body.length) },
    { keys: ['end'], run: () => move(body.length) },
  ];
  useBindings(scroll === 'focus' ? pages : [...arrows, ...pages], {
    level: LEVEL.screen,
    active: body.length > height,
  });
  return seen;
}

/** «etcd-wizard» and where one is. */
export const titleLine = (...rest: Line[]): Line =>
  line(bold('etcd-wizard', 'accent'), ...rest.flatMap((each) => [line('   '), each]));
export const pointerSpan = (chosen: boolean, symbols: Symbols) => (chosen ? accent(`${symbols.pointer} `) : dim('  '));
