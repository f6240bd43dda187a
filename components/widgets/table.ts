/** Tables that fit: columns are as wide as what they hold, the least important ones go when there is no room. Pure. */
import { BLANK, cut, dim, type Line, line, type Part, sized, width } from '../lines.tsx';

export interface Column {
  title: string;
  /** Goes first when there is no room: the higher, the sooner. 0 stays. */
  drop: number;
  align?: 'start' | 'end';
  /** Never narrower, so that nothing jumps when the content changes. */
  min?: number;
  /** Never wider. */
  max?: number;
}

export type Cell = Exclude<Part, undefined | false>;

export interface TableOptions {
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  cells: number;
  indent?: number;
  /** Before a row, in place of the indent: a pointer. */
  lead?(row: number): Part;
}

const GAP = 2;

/** Heading and rows. The last column that is left takes what room there is. */
export function tableLines({ columns, rows, cells, indent = 3, lead }: TableOptions): Line[] {
  const kept = keep(columns, rows, cells - indent);
  const row = (of: readonly Cell[], before: Part, heading = false): Line => {
    let result = sized(line(before), indent);
    kept.forEach(({ index, width: wide, column }, place) => {
      const last = place === kept.length - 1;
      const cell = line(heading ? dim(column.title) : (of[index] ?? ''));
      result = line(
        result,
        last && column.align !== 'end'
          ? cut(cell, Math.max(1, cells - width(result)))
          : sized(cell, wide, column.align === 'end' ? 'start' : 'end'),
        !last && ' '.repeat(GAP),
      );
    });
    return result;
  };
  const heading = columns.some(({ title }) => title !== '') ? [row([], '', true)] : [];
  return [...heading, ...rows.map((each, index) => row(each, lead?.(index)))];
}

function keep(columns: readonly Column[], rows: readonly (readonly Cell[])[], cells: number) {
  const all = columns.map((column, index) => ({
    index,
    column,
    width: Math.min(
      column.max ?? Number.POSITIVE_INFINITY,
      Math.max(column.min ?? 0, width(column.title), ...rows.map((each) => width(line(each[index])))),
    ),
  }));
  // A column that no row fills is no column.
  let kept = all.filter(
    ({ index, column }) =>
      column.drop === 0 || column.min !== undefined || rows.some((each) => width(line(each[index])) > 0),
  );
  // The last column may be cut: it only needs some room.
  const needed = () =>
    kept.reduce(
      (sum, each, place) =>
        sum + (place === kept.length - 1 ? Math.min(each.width, Math.max(each.column.min ?? 0, 12)) : each.width + GAP),
      0,
    );
  while (needed() > cells && kept.length > 1) {
    const worst = Math.max(...kept.map(({ column }) => column.drop));
    if (worst === 0) break;
    kept = kept.filter(({ column }) => column.drop !== worst);
  }
  return kept;
}

/** For windows below 60 columns: one item a block, first its name, then what there is to say, each on a line. */
export function stackedLines(
  items: readonly { name: Part; lines: readonly Line[] }[],
  cells: number,
  indent = 3,
): Line[] {
  return items.flatMap(({ name, lines }, index) => [
    ...(index > 0 && lines.length > 1 ? [BLANK] : []),
    cut(line(' '.repeat(indent), name), cells),
    ...lines.map((each) => cut(line(' '.repeat(indent + 2), each), cells)),
  ]);
}
