/** Results of a benchmark run, as a table for people. */

/** One line of the table: what was measured, against which bar. */
export interface Row {
  what: string;
  measured: string;
  bar: string;
  /** undefined where there is no bar to hold. */
  met?: boolean;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
};

/** Seconds or milliseconds, whichever reads better; with the range where there are several. */
export function time(values: readonly number[]): string {
  const unit = (ms: number): string => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(0)} ms`);
  return values.length === 1
    ? unit(median(values))
    : `${unit(median(values))} (${unit(Math.min(...values))} to ${unit(Math.max(...values))}, ${values.length} runs)`;
}

export function table(rows: readonly Row[]): string {
  const line = ({ what, measured, bar, met }: Row): string =>
    `| ${what} | ${measured} | ${bar} | ${met === undefined ? '' : met ? 'yes' : '**no**'} |`;
  return ['| what | measured | bar | met |', '|---|---|---|---|', ...rows.map(line)].join('\n');
}
