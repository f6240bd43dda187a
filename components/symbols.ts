/** Every symbol that is drawn, each with its ASCII stand-in. None is wider than one cell. */

const UNICODE = {
  pointer: '❯',
  ok: '✓',
  failed: '✗',
  warn: '▲',
  on: '●',
  off: '○',
  pending: '·',
  ellipsis: '…',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  enter: '⏎',
  tab: '⇥',
  dash: '–',
  full: '█',
  empty: '░',
  mask: '•',
  spinner: ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'],
  bars: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
};

export type Symbols = typeof UNICODE;

const ASCII: Symbols = {
  pointer: '>',
  ok: '+',
  failed: 'x',
  warn: '!',
  on: '*',
  off: 'o',
  pending: '.',
  ellipsis: '~',
  up: 'up',
  down: 'down',
  left: 'left',
  right: 'right',
  enter: 'enter',
  tab: 'tab',
  dash: '-',
  full: '#',
  empty: '.',
  mask: '*',
  spinner: ['|', '/', '-', '\\'],
  bars: ['_', '.', ',', '-', '=', '+', '*', '#'],
};

export const symbolsFor = (unicode: boolean): Symbols => (unicode ? UNICODE : ASCII);

/** Characters of our own sentences, each with an ASCII one of the same width: columns stay columns. */
const STAND_INS: Record<string, string> = {
  '«': '"',
  '»': '"',
  '„': '"',
  '“': '"',
  '”': '"',
  '’': "'",
  '‘': "'",
  '–': '-',
  '—': '-',
  '…': '~',
  '→': '>',
  '←': '<',
  '↑': '^',
  '↓': 'v',
  '×': 'x',
  '−': '-',
  '·': '.',
  '⏎': '>',
};

/** The text for a terminal without Unicode: our own punctuation replaced, what hosts and people wrote as it is. */
export const oneToOne = (text: string): string =>
  text.replace(/[«»„“”’‘–—…→←↑↓×−·⏎]/g, (character) => STAND_INS[character] ?? character);
