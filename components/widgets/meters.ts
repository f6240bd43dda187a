/** Numbers as small pictures, each with its number in words beside it. Pure. */
import { accent, dim, type Line, line } from '../lines.tsx';
import type { Symbols } from '../symbols.ts';

/**
 * A row of bars, the latest at the right; gaps where nothing was measured.
 * The scale is fixed by `full`, so that a bar means the same from one look to the next.
 */
export function sparkline(
  values: readonly (number | undefined)[],
  cells: number,
  full: number,
  symbols: Symbols,
): string {
  const latest = values.slice(-cells);
  const bars = latest.map((value) => {
    if (value === undefined) return ' ';
    const step = Math.round((Math.min(Math.max(value, 0), full) / full) * (symbols.bars.length - 1));
    return symbols.bars[step] ?? ' ';
  });
  return bars.join('').padStart(cells);
}

/** `share` from 0 to 1. */
export function progressBar(share: number, cells: number, symbols: Symbols): Line {
  const full = Math.round(Math.min(Math.max(share, 0), 1) * cells);
  return line(accent(symbols.full.repeat(full)), dim(symbols.empty.repeat(cells - full)));
}

/** Minutes and seconds: 0:02, 12:40. */
export function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** 13 295: digits in groups of three. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');
