/** Which part of too many lines is seen. Pure. */
import { dim, type Line, line } from '../lines.tsx';
import type { Symbols } from '../symbols.ts';

/** focus: the chosen line is always seen; keys: as far as scrolled; tail: the end, unless scrolled. */
export type Scroll = 'focus' | 'keys' | 'tail';

export interface WindowOptions {
  height: number;
  scroll: Scroll;
  focus?: number;
  /** First line seen before. */
  offset: number;
  symbols: Symbols;
}

/** At most `height` lines; where more lie above or below, the outermost line says how many. */
export function windowOf(
  lines: readonly Line[],
  { height, scroll, focus = 0, offset, symbols }: WindowOptions,
): { lines: readonly Line[]; offset: number } {
  if (lines.length <= height) return { lines, offset: 0 };
  const most = lines.length - height;
  let first = Math.min(Math.max(0, offset), most);
  if (scroll === 'tail') first = most;
  // One line of margin on either side is taken by «more».
  if (scroll === 'focus') first = Math.min(most, Math.max(0, focus - height + 2, Math.min(first, focus - 1)));
  const seen = lines.slice(first, first + height);
  if (height >= 3) {
    if (first > 0) seen[0] = line('   ', dim(`${symbols.up} ${first + 1} more`));
    if (first < most) seen[height - 1] = line('   ', dim(`${symbols.down} ${most - first + 1} more`));
  }
  return { lines: seen, offset: first };
}
