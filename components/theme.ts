/** Colours by role, from the 16 that every terminal has and its owner has chosen. Meaning is never in the colour alone. */

export type Role = 'accent' | 'ok' | 'warn' | 'bad' | 'dim';

/** Ink's names of the ANSI colours. */
export const COLOURS: Record<Role, string> = {
  accent: 'cyan',
  ok: 'green',
  warn: 'yellow',
  bad: 'red',
  dim: 'gray',
};
