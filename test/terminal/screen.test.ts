/** The writer of frames, against a small terminal: what is on the screen afterwards is the frame, and nothing above is touched. */
import { expect, test } from 'vitest';
import { Screen } from '../../src/terminal/screen.ts';

/** The part of a terminal that Screen uses: cursor moves, erasing, printing, scrolling. */
class Terminal {
  rows: string[][] = [[]];
  row = 0;
  column = 0;
  written = 0;
  shown = true;
  saved = [0, 0];
  constructor(
    readonly columns: number,
    readonly height: number,
  ) {}

  write(text: string): void {
    this.written += text.length;
    for (const [token, parameter, letter] of text.matchAll(/\x1b\[(\??\d*)([A-Za-z])|\x1b[78]|[\s\S]/g))
      this.#apply(token, parameter ?? '', letter);
  }

  #apply(token: string, parameter: string, letter: string | undefined): void {
    const count = Number(parameter || 1);
    if (letter === 'A') this.row = Math.max(this.#top(), this.row - count);
    else if (letter === 'B') this.row = Math.min(this.#top() + this.height - 1, this.row + count);
    else if (letter === 'C') this.column += count;
    else if (token === '\x1b7') this.saved = [this.row, this.column];
    else if (token === '\x1b8') [this.row = 0, this.column = 0] = this.saved;
    else if (letter === 'K') this.#line().splice(this.column);
    else if (letter === 'J') {
      this.#line().splice(this.column);
      this.rows.splice(this.row + 1);
    } else if (letter === 'h' || letter === 'l') {
      if (parameter === '?25') this.shown = letter === 'h';
    } else if (token === '\r') this.column = 0;
    else if (token === '\n') {
      this.row++;
      this.#line();
    } else this.#line()[this.column++] = token;
  }

  /** The first row of the window; what is above is history. */
  #top(): number {
    return Math.max(0, this.rows.length - this.height);
  }

  #line(): string[] {
    while (this.rows.length <= this.row) this.rows.push([]);
    return this.rows[this.row] ?? [];
  }

  text(): string[] {
    return this.rows.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }
}

function start(columns = 40, rows = 10) {
  const terminal = new Terminal(columns, rows);
  terminal.write('shell history\r\n');
  const sink = { columns, rows, write: (text: string) => terminal.write(text) };
  return { terminal, sink, screen: new Screen(sink, { synchronised: false }) };
}

test.each([
  ['the same line changed', ['head\ntick 1\nfoot', 'head\ntick 2\nfoot']],
  ['longer', ['a', 'a\nb\nc\nd']],
  ['shorter', ['a\nb\nc\nd', 'a']],
  ['shorter and longer again', ['a\nb\nc', 'x', 'x\ny\nz\nlast']],
  ['a line that gets shorter', ['a long line of text', 'a long line']],
  ['a line that fills the window', ['x'.repeat(40), 'y'.repeat(40)]],
  ['empty lines', ['a\n\nb', '\na\n\n']],
])('%s: the terminal shows the last frame below what was there', (_name, frames) => {
  const { terminal, screen } = start();
  for (const frame of frames) screen.draw(frame);
  const last = frames.at(-1)?.split('\n') ?? [];
  expect(terminal.text().slice(0, 1 + last.length)).toEqual(['shell history', ...last]);
  expect(
    terminal
      .text()
      .slice(1 + last.length)
      .join(''),
  ).toBe('');
});

test('a frame taller than the window loses its end, never the history above it', () => {
  const { terminal, screen } = start(40, 10);
  const frame = (tick: number) => Array.from({ length: 30 }, (_, row) => `row ${row} ${tick}`).join('\n');
  for (let tick = 0; tick < 5; tick++) screen.draw(frame(tick));
  expect(terminal.text()[0]).toBe('shell history');
  expect(terminal.text().filter((line) => line.startsWith('row'))).toEqual(
    Array.from({ length: 9 }, (_, row) => `row ${row} 4`),
  );
});

test('only what changed is written', () => {
  const { terminal, screen } = start(80, 24);
  const frame = (tick: number) => [...Array.from({ length: 20 }, () => 'x'.repeat(79)), `tick ${tick}`].join('\n');
  screen.draw(frame(1));
  const before = terminal.written;
  screen.draw(frame(2));
  expect(terminal.written - before).toBeLessThan(60);
  const same = terminal.written;
  screen.draw(frame(2));
  expect(terminal.written).toBe(same);
});

test('the cursor stands where it is wanted, is hidden otherwise, and comes back at the end', () => {
  const { terminal, screen } = start();
  screen.draw('name\n> pi1\nfoot', { row: 1, column: 5 });
  expect([terminal.row, terminal.column, terminal.shown]).toEqual([2, 5, true]);
  screen.draw('name\n> pi1\nfoot');
  expect(terminal.shown).toBe(false);
  screen.draw('name\n> pi12\nfoot\nmore', { row: 1, column: 6 });
  expect(terminal.text()).toEqual(['shell history', 'name', '> pi12', 'foot', 'more']);
  screen.finish(true);
  expect([terminal.row, terminal.column, terminal.shown]).toEqual([5, 0, true]);
});

test('finish without keeping takes the frame away and leaves the rest', () => {
  const { terminal, screen } = start();
  screen.draw('a\nb\nc', { row: 0, column: 1 });
  screen.finish(false);
  expect(terminal.text().join('\n').trimEnd()).toBe('shell history');
  expect(terminal.row).toBe(1);
});

test('after the window got narrower the frame is taken away as the terminal has broken it', () => {
  const { terminal, sink, screen } = start(40, 20);
  screen.draw(`${'x'.repeat(30)}\nshort`);
  // The terminal re-breaks the long line into two rows of 20.
  terminal.rows = ['shell history', 'x'.repeat(20), 'x'.repeat(10), 'short', ''].map((line) => [...line]);
  terminal.row = 4;
  sink.columns = 20;
  screen.resized();
  screen.draw('new');
  expect(terminal.text().join('\n').trimEnd()).toBe('shell history\nnew');
});
