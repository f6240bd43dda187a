/** What a key does to the text in a field: pure, so that it can be tested by table. */
import { cleanLine, isHostile } from '../../src/clean.ts';
import type { Key } from '../../src/terminal/ink.ts';

export interface TextState {
  text: string;
  /** Characters (code points) before the cursor. */
  at: number;
  /** What was taken out of typed or pasted text, in words. */
  remark?: string;
}

export const startText = (text: string): TextState => ({ text, at: [...text].length });

/** @returns the new state; undefined when the key is none of the field's. */
export function editText(state: TextState, key: Key): TextState | undefined {
  const before = [...state.text].slice(0, state.at);
  const after = [...state.text].slice(state.at);
  const result = (head: string[], tail: string[], remark?: string): TextState => ({
    text: [...head, ...tail].join(''),
    at: head.length,
    remark,
  });
  switch (key.name) {
    case 'text':
    case 'paste': {
      const { text, remark } = acceptable(key.text);
      return result([...before, ...text], after, remark);
    }
    case 'backspace':
      return result(before.slice(0, -1), after);
    case 'delete':
    case 'ctrl-d':
      return result(before, after.slice(1));
    case 'left':
    case 'ctrl-b':
      return { text: state.text, at: Math.max(0, state.at - 1) };
    case 'right':
    case 'ctrl-f':
      return { text: state.text, at: Math.min(before.length + after.length, state.at + 1) };
    case 'home':
    case 'ctrl-a':
      return { text: state.text, at: 0 };
    case 'end':
    case 'ctrl-e':
      return { text: state.text, at: before.length + after.length };
    case 'ctrl-u':
      return result([], after);
    case 'ctrl-k':
      return result(before, []);
    case 'ctrl-w':
      return result([...before.join('').replace(/\S*\s*$/, '')], after);
    default:
      return undefined;
  }
}

/** Line breaks and tabs become spaces; control and invisible characters go, and that is said. */
function acceptable(text: string): { text: string; remark?: string } {
  const single = text.replace(/\s*[\n\t]\s*/g, ' ');
  if (!isHostile(single)) return { text: single };
  const kept = [...single].filter((character) => cleanLine(character) === character);
  const gone = [...single].length - kept.length;
  return {
    text: kept.join(''),
    remark:
      gone === 1
        ? 'one control or invisible character was left out'
        : `${gone} control or invisible characters were left out`,
  };
}
