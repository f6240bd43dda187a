/**
 * What this terminal can do, from the environment and the two streams alone: a pure function, settled once and before Ink
 * is imported. Sources: no-color.org, force-color.org, locale(7), console_codes(4).
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** The part of a TTY stream that is looked at. */
export interface StreamFacts {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

export interface Capabilities {
  /** The app can be drawn: both streams are terminals that move their cursor, and nobody has it read out. */
  ink: boolean;
  /** stdin and stdout are terminals, however poor: questions can be asked line by line. */
  tty: boolean;
  /** Colours may be written. Only the 16 named ones are ever used. */
  colour: boolean;
  /** Symbols beyond ASCII are shown as they are meant. */
  unicode: boolean;
  /** TERM=dumb: neither cursor movement nor colour. */
  dumb: boolean;
  /** A screen reader was announced: linear text, no redraw. */
  screenReader: boolean;
  /** Probably a serial line: no animation, slow refresh. */
  serial: boolean;
  /** Understands «synchronized update» markers, or ignores them silently. */
  synchronised: boolean;
  columns: number;
  rows: number;
}

/** `--no-color` makes it false; true or absent says nothing. */
export interface ColourChoice {
  color?: boolean;
}

export function capabilities(
  env: Environment,
  stdin: StreamFacts,
  stdout: StreamFacts,
  choice: ColourChoice = {},
): Capabilities {
  const term = env.TERM ?? '';
  const dumb = term === 'dumb' || (term === '' && env.WT_SESSION === undefined);
  const tty = stdin.isTTY === true && stdout.isTTY === true;
  const screenReader = env.INK_SCREEN_READER === 'true' || env.ETCD_WIZARD_SCREEN_READER === '1';
  const serial = /^(vt\d+|ansi|sun)/.test(term);
  return {
    ink: tty && !dumb && !screenReader,
    tty,
    colour: hasColour(env, stdout, dumb, choice),
    unicode: hasUnicode(env, dumb, serial),
    dumb,
    screenReader,
    serial,
    synchronised: !serial && term !== 'linux',
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
  };
}

function hasColour(env: Environment, stdout: StreamFacts, dumb: boolean, { color }: ColourChoice): boolean {
  if (color === false) return false;
  // no-color.org: present and not empty, whatever its value; it outranks FORCE_COLOR.
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  // Real vt terminals are monochrome; the Linux console has the 16 colours.
  return stdout.isTTY === true && !dumb && !/^vt\d+/.test(env.TERM ?? '');
}

function hasUnicode(env: Environment, dumb: boolean, serial: boolean): boolean {
  // The Linux console speaks UTF-8, but its font has neither braille nor the block elements.
  if (dumb || serial || env.TERM === 'linux') return false;
  // locale(7): the first that is set and not empty decides.
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  if (locale === undefined) return env.WT_SESSION !== undefined || env.TERM_PROGRAM === 'vscode';
  return /utf-?8/i.test(locale);
}
