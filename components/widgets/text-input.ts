/** A field of one line with the terminal's real cursor. The text is the caller's: it is never lost, whatever happens here. */
import { useRef, useState } from 'react';
import type { Key } from '../../src/terminal/ink.ts';
import { displayWidth, take } from '../../src/terminal/width.ts';
import { type LayerOptions, LEVEL, useBindings } from '../keys.tsx';
import { dim, type Line, line, span } from '../lines.tsx';
import { editText, startText, type TextState } from './text-state.ts';

export interface TextInputOptions extends Pick<LayerOptions, 'active'> {
  value: string;
  onChange(text: string): void;
  /** A paste of several lines, whole; absent: its line breaks become spaces. */
  onPasteLines?(text: string): void;
  /** Shown while the field is empty. */
  placeholder?: string;
  /** One character that stands for each of the text's. */
  mask?: string;
  level?: number;
}

export interface TextInput {
  /** The field in so many cells, with the cursor. */
  field(cells: number): Line;
  remark: string | undefined;
}

export function useTextInput({
  value,
  onChange,
  onPasteLines,
  placeholder = '',
  mask,
  active = true,
  level = LEVEL.widget,
}: TextInputOptions): TextInput {
  const state = useRef<TextState>(startText(value));
  const [, redraw] = useState(0);
  // Changed from outside (another question, a default): the cursor goes to the end.
  if (state.current.text !== value) state.current = startText(value);
  const text = (key: Key): boolean => {
    if (key.name === 'paste' && onPasteLines !== undefined && key.text.trim().includes('\n')) {
      onPasteLines(key.text);
      return true;
    }
    const next = editText(state.current, key);
    if (next === undefined) return false;
    const changed = next.text !== state.current.text;
    state.current = next;
    if (changed) onChange(next.text);
    redraw((count) => count + 1);
    return true;
  };
  useBindings([], { level, active, text });
  return {
    field: (cells) => drawField(state.current, cells, { placeholder, mask, active }),
    remark: state.current.remark,
  };
}

/** The part of the text around the cursor that fits. */
function drawField(
  state: TextState,
  cells: number,
  options: { placeholder: string; mask?: string; active: boolean },
): Line {
  const characters = [...(options.mask === undefined ? state.text : options.mask.repeat([...state.text].length))];
  if (characters.length === 0)
    return { ...line(dim(take(options.placeholder, cells))), cursor: options.active ? 0 : undefined };
  let start = 0;
  // The cursor itself takes the last cell.
  while (displayWidth(characters.slice(start, state.at).join('')) > cells - 1)
    start += Math.max(1, Math.floor((state.at - start) / 8));
  start = Math.min(start, state.at);
  const shown = take(characters.slice(start).join(''), cells);
  const cursor = displayWidth(characters.slice(start, state.at).join(''));
  return { ...line(span(shown)), cursor: options.active ? cursor : undefined };
}
