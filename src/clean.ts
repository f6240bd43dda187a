/**
 * Text from outside (host output, banners, certificates, profile fields) may carry terminal escapes,
 * direction overrides or invisible characters. Everything that is shown, logged or put into JSON passes here.
 */

/** C0 except \n and \t, DEL, C1, bidi controls, zero-width and other invisible format characters, lone surrogates. */
const HOSTILE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\u034f|\u17b4|\u17b5|[\u180b-\u180f]|[\ufe00-\ufe0f]|\p{Cs}|[\u{1d173}-\u{1d17a}]|[\u{e0000}-\u{e0fff}]/gu;

/**
 * Makes text safe for a terminal, a log and JSON: hostile characters become visible escapes (`\x1b`, `\u{202e}`).
 * Newlines and tabs stay; use {@link cleanLine} where a single line is wanted.
 */
export function clean(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(HOSTILE, escapeCharacter);
}

/** Like {@link clean}, on one line: newlines and tabs become visible too. */
export function cleanLine(text: string): string {
  return clean(text).replace(/\n/g, '\\n').replace(/\t/g, ' ');
}

/** True when the text holds anything that {@link clean} would change, or a line break. */
export function isHostile(text: string): boolean {
  return cleanLine(text) !== text;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
