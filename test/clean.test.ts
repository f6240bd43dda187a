import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { clean, cleanLine, isHostile } from '../src/clean.ts';
import { quote, quoteAll } from '../src/quote.ts';

describe('text from outside', () => {
  it.each([
    ['colour escape', '\u001b[31mred', '\\x1b[31mred'],
    ['window title', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
    ['C1 CSI', '\u009b2J', '\\x9b2J'],
    ['carriage return', 'ok\rbad', 'ok\\x0dbad'],
    ['right-to-left override', 'a\u202etxt.exe', 'a\\u{202e}txt.exe'],
    ['zero width', 'pi\u200b1', 'pi\\u{200b}1'],
    ['tag characters', 'a\u{e0041}', 'a\\u{e0041}'],
    ['lone surrogate', 'a\ud800', 'a\\u{d800}'],
    ['DEL and NUL', '\u007f\u0000', '\\x7f\\x00'],
  ])('%s becomes visible', (_, text, expected) => {
    expect(clean(text)).toBe(expected);
    expect(isHostile(text)).toBe(true);
  });

  it.each(['Raspberry Pi OS 13', 'Zürich', '第一', 'a\tb\nc', 'emoji 🙂'])('leaves %j as it is', (text) =>
    expect(clean(text)).toBe(text),
  );

  it('on one line nothing breaks out of the line', () => expect(cleanLine('a\r\nb\tc')).toBe('a\\nb c'));
});

describe('shell words', () => {
  it.each([
    'plain',
    '',
    "it's",
    'a b',
    '$(reboot)',
    '`id`',
    '-rf',
    '*',
    'ä\n\tb',
    '"',
    '\\',
    '!x',
    '~',
    "'; rm -rf /; '",
  ])('%j arrives as it is', (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${quote(word)}`], { encoding: 'utf8' })).toBe(word);
  });

  it('several words stay several words', () => {
    expect(execFileSync('sh', ['-c', `printf '%s|' ${quoteAll(['a b', '', 'c'])}`], { encoding: 'utf8' })).toBe(
      'a b||c|',
    );
  });

  it('refuses what no argument can hold', () => expect(() => quote('a\0b')).toThrow(RangeError));
});
