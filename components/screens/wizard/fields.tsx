/** Several fields one below the other, of which one has the cursor: each text is checked while it is typed. */
import { useState } from 'react';
import { LEVEL, useBindings } from '../../keys.tsx';
import { bad, bold, dim, type Line, line, paragraph, sized, width } from '../../lines.tsx';
import type { Symbols } from '../../symbols.ts';
import { useTextInput } from '../../widgets/text-input.ts';

export interface FieldSpec {
  label: string;
  /** The text as it was last accepted. */
  value: string;
  /** What stands in the field at first although it was not accepted. */
  typed?: string;
  placeholder: string;
  /** What is wrong with a text. */
  problem(text: string): string | undefined;
  /** Another text, and what is wrong with it: one without fault counts at once. */
  onChange(text: string, problem: string | undefined): void;
}

/**
 * Texts that are not accepted stay in their fields.
 * @returns the lines, which of them has the cursor, and whether every text was accepted
 */
export function useFields(
  specs: readonly FieldSpec[],
  cells: number,
  symbols: Symbols,
  onEnd: () => void,
): { lines: Line[]; focus: number; fine: boolean } {
  const [row, setRow] = useState(0);
  const [texts, setTexts] = useState<Record<number, string | undefined>>(() => ({
    ...specs.map(({ typed }) => typed),
  }));
  const now = Math.min(row, specs.length - 1);
  const text = (index: number) => texts[index] ?? specs[index]?.value ?? '';
  const input = useTextInput({
    value: text(now),
    placeholder: specs[now]?.placeholder,
    onChange: (typed) => {
      setTexts((before) => ({ ...before, [now]: typed }));
      specs[now]?.onChange(typed, specs[now].problem(typed));
    },
  });
  const errors = specs.map((spec, index) => {
    const typed = texts[index];
    return typed === undefined ? undefined : spec.problem(typed);
  });
  const fine = errors.every((error) => error === undefined);
  const goOn = () => {
    const wrong = errors.findIndex((error) => error !== undefined);
    // What is not accepted is mended first: here, or before the end.
    if (errors[now] !== undefined) return;
    if (now < specs.length - 1) setRow(now + 1);
    else if (wrong !== -1) setRow(wrong);
    else onEnd();
  };
  useBindings(
    [
      {
        keys: ['enter'],
        hint: now === specs.length - 1 ? 'done' : 'next',
        run: goOn,
      },
      {
        keys: ['up', 'shift-tab'],
        label: symbols.up + symbols.down,
        hint: 'field',
        run: () => setRow(Math.max(0, now - 1)),
      },
      { keys: ['down', 'tab'], run: () => setRow(Math.min(specs.length - 1, now + 1)) },
    ],
    { level: LEVEL.widget },
  );
  const label = Math.max(0, ...specs.map((spec) => width(spec.label))) + 2;
  const lines: Line[] = [];
  let focus = 0;
  specs.forEach((spec, index) => {
    const chosen = index === now;
    if (chosen) focus = lines.length;
    const shown = chosen ? input.field(cells - label - 5) : text(index) === '' ? dim(spec.placeholder) : text(index);
    lines.push(
      line(
        ' ',
        chosen ? bold(`${symbols.pointer} `, 'accent') : '  ',
        sized(chosen ? bold(spec.label) : dim(spec.label), label),
        shown,
      ),
    );
    const error = errors[index];
    if (error !== undefined)
      lines.push(
        ...(chosen
          ? paragraph(`${symbols.failed} ${error}`, cells - 6, { indent: 5, role: 'bad' })
          : [line('     ', bad(`${symbols.failed} ${error}`))]),
      );
  });
  if (input.remark !== undefined)
    lines.push(...paragraph(`${symbols.warn} ${input.remark}`, cells - 6, { indent: 5, role: 'warn' }));
  return { lines, focus, fine };
}
