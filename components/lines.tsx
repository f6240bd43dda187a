/**
 * A screen is made of lines, a line of spans: so its height is known before it is drawn, it can be tested as text, and every
 * text passes through the one function that takes hostile characters away.
 */
import type { ReactNode } from 'react';
import { cleanLine } from '../src/clean.ts';
import { Box, Text, useTerminal, useWindowSize } from '../src/terminal/ink.ts';
import { displayWidth, take, wrap } from '../src/terminal/width.ts';
import { oneToOne, symbolsFor } from './symbols.ts';
import { COLOURS, type Role } from './theme.ts';

export interface Span {
  readonly text: string;
  readonly role?: Role;
  readonly bold?: boolean;
}

export interface Line {
  readonly spans: readonly Span[];
  /** Where the real cursor stands in it, in cells. */
  readonly cursor?: number;
}

export type Part = string | Span | Line | undefined | false;

/** A piece of text in a role; control and invisible characters become visible escapes. */
export const span = (text: string, role?: Role, bold?: boolean): Span => ({ text: cleanLine(text), role, bold });
export const accent = (text: string): Span => span(text, 'accent');
export const ok = (text: string): Span => span(text, 'ok');
export const warn = (text: string): Span => span(text, 'warn');
export const bad = (text: string): Span => span(text, 'bad');
export const dim = (text: string): Span => span(text, 'dim');
export const bold = (text: string, role?: Role): Span => span(text, role, true);

/** Joins parts into a line; of several cursors the last counts. */
export function line(...parts: Part[]): Line {
  const spans: Span[] = [];
  let cursor: number | undefined;
  for (const part of parts) {
    if (part === undefined || part === false) continue;
    if (typeof part === 'string') spans.push(span(part));
    else if ('spans' in part) {
      if (part.cursor !== undefined) cursor = width({ spans }) + part.cursor;
      spans.push(...part.spans);
    } else spans.push(part);
  }
  return { spans, cursor };
}

export const BLANK: Line = { spans: [] };

export const textOf = (of: Line): string => of.spans.map((each) => each.text).join('');
export const width = (of: Line | Span | string): number =>
  typeof of === 'string'
    ? displayWidth(cleanLine(of))
    : 'spans' in of
      ? of.spans.reduce((sum, each) => sum + displayWidth(each.text), 0)
      : displayWidth(of.text);

/** At most `cells` wide; what is cut ends in `mark`. */
export function cut(of: Line, cells: number, mark = '…'): Line {
  if (width(of) <= cells) return of;
  const spans: Span[] = [];
  let left = Math.max(0, cells - mark.length);
  for (const each of of.spans) {
    const text = take(each.text, left);
    left -= displayWidth(text);
    if (text !== '') spans.push({ ...each, text });
    if (text !== each.text) break;
  }
  if (cells > 0) spans.push({ text: mark, role: spans.at(-1)?.role });
  return { spans, cursor: of.cursor !== undefined && of.cursor < cells ? of.cursor : undefined };
}

/** Filled with spaces to `cells`, or cut. */
export function sized(of: Line | Span | string, cells: number, side: 'end' | 'start' = 'end'): Line {
  const whole = cut(line(of), cells);
  const gap = ' '.repeat(Math.max(0, cells - width(whole)));
  return side === 'end' ? line(whole, gap) : line(gap, whole);
}

/** A paragraph, each line indented. */
export function paragraph(text: string, cells: number, options: { role?: Role; indent?: number } = {}): Line[] {
  const indent = ' '.repeat(options.indent ?? 0);
  return wrap(cleanLine(text), Math.max(1, cells - indent.length)).map((each) =>
    line(indent, span(each, options.role)),
  );
}

/** Begins at the left, ends at the right: a heading with its remark. The remark goes first when there is no room. */
export function between(left: Line, right: Line, cells: number): Line {
  const gap = cells - width(left) - width(right);
  return gap < 2 ? cut(left, cells) : line(left, ' '.repeat(gap), right);
}

/** Draws lines, each on one row, never wrapped. */
export function Lines({ lines }: { lines: readonly Line[] }): ReactNode {
  const { columns } = useWindowSize();
  const { unicode } = useTerminal();
  const mark = symbolsFor(unicode).ellipsis;
  return (
    <Box flexDirection="column" width={columns}>
      {lines.map((each, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its row
        <Text key={row} wrap="truncate-end">
          {each.spans.length === 0
            ? ' '
            : cut(each, columns, mark).spans.map((part, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a span is its place
                <Piece key={`${place}:${part.role}`} span={part} unicode={unicode} />
              ))}
        </Text>
      ))}
    </Box>
  );
}

function Piece({ span: { text, role, bold: heavy }, unicode }: { span: Span; unicode: boolean }): ReactNode {
  return (
    <Text color={role === undefined ? undefined : COLOURS[role]} bold={heavy}>
      {unicode ? text : oneToOne(text)}
    </Text>
  );
}
