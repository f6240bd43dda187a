import { describe, expect, it } from 'vitest';
import { environmentLine, parseEnvironmentFile } from '../../src/etcd/environment-file.ts';

describe('environment file', () => {
  it.each([
    ['plain', 'A=1\nB=two', { A: '1', B: 'two' }],
    ['the last one wins', 'A=1\nA=2\n', { A: '2' }],
    ['comments, blank lines and lines without «=»', '# A=1\n;B=2\n\nnothing\nC=3', { C: '3' }],
    ['blanks round an unquoted value go, inside they stay', '  A =  one  two \t\nB=x', { A: 'one  two', B: 'x' }],
    ['an empty value', 'A=\nB=""', { A: '', B: '' }],
    ['single quotes keep everything', "A='$x \\\" #'", { A: '$x \\" #' }],
    ['double quotes keep blanks', 'A=" x "', { A: ' x ' }],
    ['a backslash in double quotes goes only before " \\ ` $', 'A="\\"\\\\\\`\\$\\n"', { A: '"\\`$\\n' }],
    ['quoted parts are joined', `A="a"'b'c`, { A: 'abc' }],
    ['an escaped line break joins lines', 'A=one\\\ntwo', { A: 'onetwo' }],
    ['a value over several lines', 'A="one\ntwo"\nB=3', { A: 'one\ntwo', B: '3' }],
    ['quotes that are never closed', 'A="one', { A: 'one' }],
    ['carriage returns end a line too', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ])('is read as systemd reads it: %s', (_, text, expected) => {
    expect(parseEnvironmentFile(text)).toEqual(expected);
  });

  it.each([
    '',
    'plain',
    ' blanks ',
    '$HOME',
    'back\\slash',
    '"quoted"',
    '`x`',
    "it's",
    '#;=',
    'https://[::1]:2379,https://10.0.0.1:2379',
    'two\nlines',
    '\\',
  ])('gives back what was written: %j', (value) => {
    expect(parseEnvironmentFile(`${environmentLine('ETCD_X', value)}\nETCD_Y="after"\n`)).toEqual({
      ETCD_X: value,
      ETCD_Y: 'after',
    });
  });
});
