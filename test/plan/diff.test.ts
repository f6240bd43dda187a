/** A file before and after, line by line. */
import { expect, test } from 'vitest';
import { fileDiff } from '../../src/plan/render.ts';

test.each([
  ['', 'a\n', '+a'],
  ['a\n', '', '-a'],
  ['a\nb\nc\n', 'a\nx\nc\n', ' a -b +x  c'],
  ['a\n', 'a\n', ' a'],
  ['a\nb', 'a\nb\n', ' a  b'],
  ['a\n\nb\n', 'a\n\nc\n', ' a   -b +c'],
])('the difference of %j and %j', (before, after, expected) => {
  expect(
    fileDiff(before, after)
      .map(({ sign, text }) => sign + text)
      .join(' '),
  ).toBe(expected);
});
