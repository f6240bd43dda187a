import { describe, expect, test } from 'vitest';
import { type Capabilities, capabilities, type Environment } from '../../src/terminal/capabilities.ts';
import { prepareTerminal } from '../../src/terminal/prepare.ts';

const TTY = { isTTY: true, columns: 100, rows: 30 };
const XTERM = { TERM: 'xterm-256color', LANG: 'de_DE.UTF-8' };
const of = (env: Environment, stdin = TTY as { isTTY?: boolean }, stdout = TTY as { isTTY?: boolean }, choice = {}) =>
  capabilities(env, stdin, stdout, choice);

describe('what the environment says', () => {
  test.each<[string, Environment, Partial<Capabilities>]>([
    ['a usual terminal', XTERM, { ink: true, colour: true, unicode: true, synchronised: true, columns: 100, rows: 30 }],
    ['NO_COLOR', { ...XTERM, NO_COLOR: '1' }, { colour: false, ink: true }],
    ['NO_COLOR outranks FORCE_COLOR', { ...XTERM, NO_COLOR: '1', FORCE_COLOR: '3' }, { colour: false }],
    ['an empty NO_COLOR says nothing', { ...XTERM, NO_COLOR: '' }, { colour: true }],
    ['FORCE_COLOR=0', { ...XTERM, FORCE_COLOR: '0' }, { colour: false }],
    ['TERM=dumb', { ...XTERM, TERM: 'dumb' }, { ink: false, tty: true, colour: false, unicode: false, dumb: true }],
    ['no TERM at all', { LANG: 'C.UTF-8' }, { dumb: true, ink: false }],
    [
      'the Linux console',
      { TERM: 'linux', LANG: 'C.UTF-8' },
      { ink: true, colour: true, unicode: false, synchronised: false },
    ],
    [
      'a serial line',
      { TERM: 'vt220', LANG: 'C.UTF-8' },
      { ink: true, colour: false, unicode: false, serial: true, synchronised: false },
    ],
    ['LANG=C', { ...XTERM, LANG: 'C' }, { unicode: false }],
    ['LC_ALL decides before LANG', { ...XTERM, LC_ALL: 'C' }, { unicode: false }],
    ['LC_CTYPE decides before LANG', { ...XTERM, LANG: 'C', LC_CTYPE: 'en_US.utf8' }, { unicode: true }],
    ['no locale', { TERM: 'xterm' }, { unicode: false }],
    ['a screen reader', { ...XTERM, INK_SCREEN_READER: 'true' }, { screenReader: true, ink: false, tty: true }],
  ])('%s', (_name, env, expected) => {
    expect(of(env)).toMatchObject(expected);
  });
});

test('both streams must be terminals', () => {
  expect(of(XTERM, { isTTY: false }).ink).toBe(false);
  expect(of(XTERM, TTY, { isTTY: false })).toMatchObject({ ink: false, tty: false, colour: false });
});

test('--no-color', () => {
  expect(of(XTERM, TTY, TTY, { color: false }).colour).toBe(false);
  expect(of({ ...XTERM, NO_COLOR: '1' }, TTY, TTY, { color: true }).colour).toBe(false);
});

test('a size that is not known yet is 80 by 24', () => {
  expect(of(XTERM, TTY, { isTTY: true })).toMatchObject({ columns: 80, rows: 24 });
});

test('before Ink is imported: colour is settled for chalk, and CI no longer keeps Ink from drawing', () => {
  const env: Record<string, string | undefined> = { ...XTERM, NO_COLOR: '1', CI: 'true', CONTINUOUS_INTEGRATION: '1' };
  prepareTerminal({}, { env, stdin: TTY, stdout: TTY });
  expect(env).toMatchObject({ FORCE_COLOR: '0' });
  expect(env).not.toHaveProperty('CI');
  expect(env).not.toHaveProperty('CONTINUOUS_INTEGRATION');
});

test('without a terminal CI stays what it is', () => {
  const env: Record<string, string | undefined> = { ...XTERM, CI: 'true' };
  prepareTerminal({}, { env, stdin: TTY, stdout: {} });
  expect(env.CI).toBe('true');
});
