/** systemd's EnvironmentFile format, written and read by the rules of its own parser (src/basic/env-file.c). */

const WHITESPACE = ' \t\n\r';
const NEWLINE = '\n\r';
/** Inside double quotes a backslash is taken away before these only. */
const ESCAPED = '"\\`$';

/** @returns `NAME="value"`: double quotes, so that blanks, «#» and «;» need no care. */
export function environmentLine(name: string, value: string): string {
  return `${name}="${value.replace(/["\\`$]/g, '\\$&')}"`;
}

/**
 * Reads an environment file as systemd would.
 * @returns the last value of each name; what systemd ignores (comments, lines without «=») is not in it
 */
export function parseEnvironmentFile(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  let state:
    | 'pre-key'
    | 'key'
    | 'pre-value'
    | 'value'
    | 'value-escape'
    | 'single'
    | 'double'
    | 'double-escape'
    | 'comment'
    | 'comment-escape' = 'pre-key';
  let key = '';
  let value = '';
  /** Length to which unquoted blanks at the end are cut; -1: nothing to cut. */
  let cut = -1;
  const push = () => {
    result[key.trim()] = cut >= 0 ? value.slice(0, cut) : value;
    [key, value, cut, state] = ['', '', -1, 'pre-key'];
  };
  for (const c of text) {
    switch (state) {
      case 'pre-key':
        if (c === '#' || c === ';') state = 'comment';
        else if (!WHITESPACE.includes(c)) [state, key] = ['key', c];
        break;
      case 'key':
        if (NEWLINE.includes(c)) [state, key] = ['pre-key', ''];
        else if (c === '=') [state, cut] = ['pre-value', -1];
        else key += c;
        break;
      case 'pre-value':
        if (NEWLINE.includes(c)) push();
        else if (c === "'") state = 'single';
        else if (c === '"') state = 'double';
        else if (c === '\\') state = 'value-escape';
        else if (!WHITESPACE.includes(c)) [state, value] = ['value', value + c];
        break;
      case 'value':
        if (NEWLINE.includes(c)) push();
        else if (c === '\\') [state, cut] = ['value-escape', -1];
        else {
          if (!WHITESPACE.includes(c)) cut = -1;
          else if (cut < 0) cut = value.length;
          value += c;
        }
        break;
      case 'value-escape':
        // An escaped line break joins two lines.
        if (!NEWLINE.includes(c)) value += c;
        state = 'value';
        break;
      case 'single':
        if (c === "'") state = 'pre-value';
        else value += c;
        break;
      case 'double':
        if (c === '"') state = 'pre-value';
        else if (c === '\\') state = 'double-escape';
        else value += c;
        break;
      case 'double-escape':
        if (ESCAPED.includes(c)) value += c;
        else if (c !== '\n') value += `\\${c}`;
        state = 'double';
        break;
      case 'comment':
        if (c === '\\') state = 'comment-escape';
        else if (NEWLINE.includes(c)) state = 'pre-key';
        break;
      case 'comment-escape':
        // Since systemd 254 a comment is not continued; what we write never ends a comment with a backslash.
        state = NEWLINE.includes(c) ? 'pre-key' : 'comment';
        break;
    }
  }
  if (!['pre-key', 'key', 'comment', 'comment-escape'].includes(state)) push();
  return result;
}
