import { expect, test } from 'vitest';
import { displayWidth, pad, take, truncate, wrap } from '../../src/terminal/width.ts';

test.each([
  ['', 0],
  ['pi1', 3],
  ['größe', 5],
  ['e\u0301', 1],
  ['東京', 4],
  ['한국', 4],
  ['🙂', 2],
  ['✓ ● ▲ ❯ ⠼ █ ▁ ⏎ …', 17],
])('%s takes %i cells', (text, cells) => {
  expect(displayWidth(text)).toBe(cells);
});

test('a wide character is not halved', () => {
  expect(take('東京', 3)).toBe('東');
  expect(truncate('東京都', 5)).toBe('東京…');
  expect(truncate('abc', 3)).toBe('abc');
  expect(truncate('abcd', 1)).toBe('a');
});

test('padding counts cells', () => {
  expect(pad('東', 4)).toBe('東  ');
  expect(pad('7', 3, 'start')).toBe('  7');
});

test.each([
  ['one two three', 7, ['one two', 'three']],
  ['unbreakable', 4, ['unbr', 'eaka', 'ble']],
  ['東京都', 4, ['東京', '都']],
  ['', 10, ['']],
])('%s in %i cells', (text, cells, lines) => {
  expect(wrap(text, cells)).toEqual(lines);
});
