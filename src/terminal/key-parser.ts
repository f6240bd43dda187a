/**
 * Terminal input as keys. A chunk may hold several keys, half of one (over ssh an escape sequence can be split), text with
 * its Enter, or a paste. What is not known is dropped: an escape sequence never ends up in a text field.
 * Sequences: ECMA-48, xterm's ctlseqs; bracketed paste: CSI 200~ … CSI 201~.
 */

export type KeyName =
  | 'enter'
  | 'escape'
  | 'tab'
  | 'shift-tab'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'backspace'
  | 'delete'
  | `ctrl-${string}`;

/** `text`: typed; several characters when they came in one chunk. `paste`: the whole paste, line ends as \n. */
export type Key = { name: KeyName } | { name: 'text'; text: string } | { name: 'paste'; text: string };

const FINAL_LETTER: Record<string, KeyName> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift-tab',
};
const TILDE: Record<string, KeyName> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
};
const CONTROL: Record<string, KeyName> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
};
/** A complete CSI or SS3 sequence, a string sequence (OSC, DCS, APC, PM, SOS), or Alt with a character. */
const SEQUENCE =
  /^\x1b(?:\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])|O([\x40-\x7e])|[\]PX^_][\s\S]*?(?:\x07|\x1b\\)|[^[\]OPX^_\x1b])/;
const PASTE_START = '\x1b[200~';
const PASTE_END = '\x1b[201~';
/** A string sequence or half a key longer than this is noise: given up, so that input never hangs. */
const LONGEST_PENDING = 4096;

/** Keeps what is incomplete between chunks. */
export class KeyParser {
  #pending = '';
  #paste: string[] | undefined;

  /** An escape sequence has begun; call {@link flush} if nothing follows within some 50 ms. */
  get waiting(): boolean {
    return this.#paste === undefined && this.#pending !== '';
  }

  push(chunk: string): Key[] {
    let rest = this.#pending + chunk;
    this.#pending = '';
    const keys: Key[] = [];
    while (rest !== '') {
      if (this.#paste !== undefined) rest = this.#continuePaste(this.#paste, rest, keys);
      else if (rest.startsWith(PASTE_START)) {
        this.#paste = [];
        rest = rest.slice(PASTE_START.length);
      } else if (rest[0] === '\x1b') {
        const length = this.#escape(rest, keys);
        if (length === 0) return keys;
        rest = rest.slice(length);
      } else rest = plain(rest, keys);
    }
    return keys;
  }

  /** Nothing followed: a lone ESC is the Esc key, anything else half-received is dropped. */
  flush(): Key[] {
    if (!this.waiting) return [];
    const lone = this.#pending === '\x1b' || this.#pending === '\x1b\x1b';
    this.#pending = '';
    return lone ? [{ name: 'escape' }] : [];
  }

  /** @returns how many characters the sequence took; 0: incomplete, kept for the next chunk. */
  #escape(rest: string, keys: Key[]): number {
    const found = SEQUENCE.exec(rest);
    if (found === null) {
      // Two escapes in a row: the first was the key.
      if (rest.length > 2 && rest[1] === '\x1b') {
        keys.push({ name: 'escape' });
        return 1;
      }
      if (rest.length > LONGEST_PENDING) return rest.length;
      this.#pending = rest;
      return 0;
    }
    const [whole, parameters = '', final, ss3] = found;
    const name = final === '~' ? TILDE[parameters.split(';')[0] ?? ''] : FINAL_LETTER[final ?? ss3 ?? ''];
    if (name !== undefined) keys.push({ name });
    return whole.length;
  }

  #continuePaste(parts: string[], rest: string, keys: Key[]): string {
    // The end marker itself may be split over two chunks: look for it in the tail as well.
    const text = (parts.pop() ?? '') + rest;
    const end = text.indexOf(PASTE_END);
    if (end === -1) {
      parts.push(text.slice(0, -PASTE_END.length), text.slice(-PASTE_END.length));
      return '';
    }
    this.#paste = undefined;
    keys.push({ name: 'paste', text: (parts.join('') + text.slice(0, end)).replace(/\r\n?/g, '\n') });
    return text.slice(end + PASTE_END.length);
  }
}

/** Control characters one by one, runs of text whole. @returns what is left */
function plain(rest: string, keys: Key[]): string {
  const run = /^[^\x00-\x1f\x7f]+/.exec(rest)?.[0];
  if (run !== undefined) {
    keys.push({ name: 'text', text: run });
    return rest.slice(run.length);
  }
  const first = rest[0] ?? '';
  const known = CONTROL[first];
  if (known !== undefined) keys.push({ name: known });
  else if (first > '\x00' && first < '\x1b')
    keys.push({ name: `ctrl-${String.fromCharCode(first.charCodeAt(0) + 0x60)}` });
  // CR LF, as some terminals paste it, is one Enter.
  return rest.slice(rest.startsWith('\r\n') ? 2 : 1);
}
