/**
 * Puts frames on the terminal, in place, below what was there: only lines that changed are written.
 *
 * Ink 6.8's own writers do not fit: the incremental one goes up one line too few at every frame, the other writes the whole
 * frame each time and clears the window's history when the frame is as tall as the window. So Ink only computes
 * the frames and this writes them.
 */
import { displayWidth } from './width.ts';

export interface Sink {
  write(text: string): unknown;
  columns?: number;
  rows?: number;
}

export interface CursorPosition {
  row: number;
  column: number;
}

const CSI = '\x1b[';
const HIDE = `${CSI}?25l`;
const SHOW = `${CSI}?25h`;
/** Without autowrap a character that the terminal takes for wider than we do cannot push the frame down. */
const NO_WRAP = `${CSI}?7l`;
const WRAP = `${CSI}?7h`;
/** The cursor's place: in a window that was made smaller there may be no row further down. */
const SAVE = '\x1b7';
const RESTORE = '\x1b8';
const STYLE = /\x1b\[[0-9;]*m/g;

export class Screen {
  readonly #sink: Sink;
  readonly #synchronised: boolean;
  #lines: string[] = [];
  /** Where the cursor is, counted from the frame's first line. */
  #row = 0;
  /** The lowest row that exists below the frame's first line: further down only a line feed leads. */
  #deepest = 0;
  #cursor: CursorPosition | undefined;
  #started = false;

  constructor(sink: Sink, options: { synchronised: boolean }) {
    this.#sink = sink;
    this.#synchronised = options.synchronised;
  }

  /** Shows the frame; a frame that is too tall loses its last lines, never the window's history. */
  draw(frame: string, cursor?: CursorPosition): void {
    const lines = frame.split('\n').slice(0, Math.max(1, (this.#sink.rows ?? 24) - 1));
    let out = '';
    for (const [row, line] of lines.entries()) {
      const before = this.#lines[row];
      if (line !== before) out += this.#goTo(row) + replaceLine(before, line);
    }
    if (lines.length < this.#lines.length) out += `${this.#goTo(lines.length)}${CSI}J`;
    if (out === '' && cursor?.row === this.#cursor?.row && cursor?.column === this.#cursor?.column && this.#started)
      return;
    const place = cursor !== undefined && cursor.row < lines.length ? cursor : undefined;
    out += this.#goTo(place?.row ?? lines.length);
    if (place !== undefined && place.column > 0) out += `${CSI}${place.column}C`;
    const before = this.#started && this.#cursor === undefined ? NO_WRAP : HIDE + NO_WRAP;
    this.#write(before + out + WRAP + (place === undefined ? '' : SHOW));
    this.#lines = lines;
    this.#cursor = place;
    this.#started = true;
  }

  /** The window changed: takes away the old frame as the terminal has re-broken it, so that the next one starts clean. */
  resized(): void {
    const columns = this.#sink.columns ?? 80;
    const above = this.#lines
      .slice(0, this.#row)
      .reduce((rows, line) => rows + Math.max(1, Math.ceil(width(line) / columns)), 0);
    // A frame that no longer fits has already gone up into the history in part; tmux brings that back in a larger window,
    // unless the window is cleared.
    const erase = this.#deepest < (this.#sink.rows ?? 24) ? this.#eraseDown() : `${CSI}J`;
    this.#write(`\r${above > 0 ? `${CSI}${above}A` : ''}${erase}`);
    this.#forget();
  }

  /** Clears the window and forgets: the next frame is drawn whole (Ctrl-L, or after something else wrote). */
  repaint(): void {
    this.#write(`${CSI}2J${CSI}H`);
    this.#forget();
  }

  /** Gives the terminal back: the last frame stays (`keep`) or goes, the cursor stands below it. */
  finish(keep: boolean): void {
    if (!this.#started) return;
    this.#write(keep ? this.#goTo(this.#lines.length) + SHOW : `${this.#goTo(0)}${this.#eraseDown()}${SHOW}`);
    this.#forget();
    this.#started = false;
  }

  /**
   * Erases the frame from its first line, where the cursor is, to the end of the window. That line by itself: tmux takes an
   * erasure from the window's first cell for a cleared window, and keeps the frame in its history.
   */
  #eraseDown(): string {
    return this.#deepest > 0 ? `${CSI}K${SAVE}${CSI}B${CSI}J${RESTORE}` : `${CSI}K`;
  }

  #forget(): void {
    this.#lines = [];
    this.#row = 0;
    this.#deepest = 0;
  }

  #goTo(row: number): string {
    const existing = Math.min(row, this.#deepest);
    const distance = existing - this.#row;
    let moves = '\r';
    if (distance < 0) moves += `${CSI}${-distance}A`;
    if (distance > 0) moves += `${CSI}${distance}B`;
    moves += '\n'.repeat(row - existing);
    this.#row = row;
    this.#deepest = Math.max(this.#deepest, row);
    return moves;
  }

  #write(text: string): void {
    this.#sink.write(this.#synchronised ? `${CSI}?2026h${text}${CSI}?2026l` : text);
  }
}

const width = (line: string): number => displayWidth(line.replace(STYLE, ''));

/** What changes one line of the terminal into another, the cursor being at its beginning. */
function replaceLine(before: string | undefined, line: string): string {
  if (before === undefined) return line;
  const [same, rest] = commonBeginning(before, line);
  // Erasing after a full line would take its last character away; a shorter one than before cannot be full.
  const erase = width(line) < width(before) ? `${CSI}K` : '';
  return `${same > 0 ? `${CSI}${same}C` : ''}${rest}${erase}`;
}

/**
 * How many cells at the beginning are the same, as far as no style begins there and every character is a single ASCII cell.
 * @returns the number of cells to skip, and what is to be written after them
 */
function commonBeginning(before: string, line: string): [number, string] {
  let same = 0;
  while (same < line.length && line[same] === before[same] && isPlain(line.charCodeAt(same))) same++;
  // A short skip costs more bytes than it saves.
  return same < 5 ? [0, line] : [same, line.slice(same)];
}

const isPlain = (code: number): boolean => code >= 0x20 && code < 0x7f;
