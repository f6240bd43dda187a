import { describe, expect, test } from 'vitest';
import { type Key, KeyParser } from '../../src/terminal/key-parser.ts';

/** Keys as short words: names as they are, text in quotes, pastes in «». */
const words = (keys: Key[]) =>
  keys
    .map((key) => (key.name === 'text' ? `"${key.text}"` : key.name === 'paste' ? `«${key.text}»` : key.name))
    .join(' ');
const parse = (...chunks: string[]) => {
  const parser = new KeyParser();
  const keys = chunks.flatMap((chunk) => parser.push(chunk));
  return words([...keys, ...parser.flush()]);
};

describe('chunks become keys', () => {
  test.each([
    ['a letter', ['a'], '"a"'],
    ['text and its Enter in one chunk', ['10.0.0.11\r'], '"10.0.0.11" enter'],
    ['line feed', ['a\nb'], '"a" enter "b"'],
    ['CR LF is one Enter', ['a\r\nb'], '"a" enter "b"'],
    ['DEL and BS are both backspace', ['\x7f\b'], 'backspace backspace'],
    ['the delete key', ['\x1b[3~'], 'delete'],
    ['arrows', ['\x1b[A\x1b[B\x1b[C\x1b[D'], 'up down right left'],
    ['arrows in application mode', ['\x1bOA\x1bOB'], 'up down'],
    ['arrows with Ctrl', ['\x1b[1;5A'], 'up'],
    ['Home and End in three dialects', ['\x1b[H\x1b[1~\x1b[7~\x1b[F\x1b[4~\x1b[8~'], 'home home home end end end'],
    ['page keys', ['\x1b[5~\x1b[6~'], 'page-up page-down'],
    ['tab and shift-tab', ['\t\x1b[Z'], 'tab shift-tab'],
    ['Ctrl-C and Ctrl-U', ['\x03\x15'], 'ctrl-c ctrl-u'],
    ['Esc alone', ['\x1b'], 'escape'],
    ['Esc twice', ['\x1b\x1b'], 'escape'],
    ['a sequence split by the network', ['\x1b', '[', 'A'], 'up'],
    ['Alt with a letter is nothing', ['\x1bx'], ''],
    ['function keys are nothing', ['\x1bOP\x1b[15~'], ''],
    ['focus events are nothing', ['\x1b[I\x1b[O'], ''],
    ['a title report is nothing', ['\x1b]0;evil\x07a'], '"a"'],
    ['a device report is nothing', ['\x1b[?1;2c\x1b[24;80Ra'], '"a"'],
    ['NUL is nothing', ['\x00a'], '"a"'],
    ['a paste', ['\x1b[200~10.0.11.1\r10.0.11.2\r\n\x1b[201~'], '«10.0.11.1\n10.0.11.2\n»'],
    ['a paste in pieces, its end marker split', ['\x1b[200~ab', 'cd\x1b[20', '1~x'], '«abcd» "x"'],
    ['escape sequences in a paste are text, not keys', ['\x1b[200~a\x1b[Ab\x1b[201~'], '«a\x1b[Ab»'],
    ['other scripts', ['größe 東京 🙂'], '"größe 東京 🙂"'],
  ])('%s', (_name, chunks, expected) => {
    expect(parse(...chunks)).toBe(expected);
  });
});

test('a paste of 10 000 characters is one key', () => {
  const text = 'x'.repeat(10_000);
  expect(new KeyParser().push(`\x1b[200~${text}\x1b[201~`)).toEqual([{ name: 'paste', text }]);
});

test('endless noise after an escape is given up', () => {
  const parser = new KeyParser();
  for (let count = 0; count < 100; count++) parser.push(count === 0 ? '\x1b]' : 'x'.repeat(100));
  expect(words(parser.push('\x1b[A'))).toContain('up');
});
