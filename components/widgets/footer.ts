/** The footer and the help, both from the bindings that work now. */
import { type Binding, keyLabel } from '../keys.tsx';
import { accent, bold, dim, type Line, line, paragraph, sized, width } from '../lines.tsx';
import type { Symbols } from '../symbols.ts';

/** Hints in at most `most` rows; the last binding (help, quit) is the last to go. */
export function footerLines(bindings: readonly Binding[], symbols: Symbols, columns: number, most: number): Line[] {
  const hints = bindings
    .filter(({ hint }) => hint !== undefined)
    .map((binding) => line(accent(keyLabel(binding, symbols)), ' ', dim(binding.hint ?? '')));
  const rows: Line[] = [];
  let row: Line | undefined;
  for (const hint of hints) {
    const joined = row === undefined ? line(' ', hint) : line(row, '   ', hint);
    if (width(joined) <= columns || row === undefined) {
      row = joined;
      continue;
    }
    if (rows.length + 1 >= most) break;
    rows.push(row);
    row = line(' ', hint);
  }
  return row === undefined ? rows : [...rows, row];
}

/** Every key with what it does. */
export function helpLines(bindings: readonly Binding[], symbols: Symbols, columns: number, about?: string): Line[] {
  const shown = bindings.filter(({ hint, help }) => hint !== undefined || help !== undefined);
  const label = Math.max(0, ...shown.map((binding) => width(keyLabel(binding, symbols))));
  return [
    line(' ', bold('Keys that work here')),
    ...shown.map((binding) =>
      line('   ', sized(accent(keyLabel(binding, symbols)), label + 3), binding.help ?? binding.hint ?? ''),
    ),
    line('   ', sized(accent('^C'), label + 3), 'stop; once more: leave at once'),
    ...(about === undefined ? [] : [line(), ...paragraph(about, columns - 2, { indent: 1 })]),
  ];
}
