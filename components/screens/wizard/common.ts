/** What the questions of the wizard have in common: heading, message, explanation, the names in each certificate. Pure. */
import { sanRows } from '../../../src/wizard/review.ts';
import type { Answers, Question } from '../../../src/wizard/types.ts';
import { bold, dim, type Line, line, paragraph } from '../../lines.tsx';
import type { Symbols } from '../../symbols.ts';
import { tableLines } from '../../widgets/table.ts';

export const heading = (question: Question): Line => line(' ', bold(question.title));

/** What is wrong, else the hint. Always one line at least, so that nothing jumps while typing. */
export function remarkLines(
  message: string | undefined,
  remark: string | undefined,
  hint: string,
  cells: number,
  symbols: Symbols,
): Line[] {
  const said = [
    ...(message === undefined ? [] : paragraph(`${symbols.failed} ${message}`, cells - 4, { role: 'bad', indent: 3 })),
    ...(remark === undefined ? [] : paragraph(`${symbols.warn} ${remark}`, cells - 4, { role: 'warn', indent: 3 })),
  ];
  if (said.length > 0) return said;
  return hint === '' ? [line()] : paragraph(hint, cells - 4, { role: 'dim', indent: 3 });
}

/** Why it is asked, for those who want to know: below everything else. */
export const whyLines = (question: Question, cells: number): Line[] => [
  line(),
  ...paragraph(question.why, Math.min(cells - 2, 90), { role: 'dim', indent: 1 }),
];

/** Every name and address of every certificate, before anything is issued. */
export function sanTable(answers: Answers, cells: number): Line[] {
  const rows = sanRows(answers);
  if (rows.length === 0) return [];
  const table = tableLines({
    columns: [
      { title: 'host', drop: 0 },
      { title: 'peer', drop: 1 },
      { title: 'server', drop: 0 },
    ],
    rows: rows.map(({ host, server, peer }) => [host, peer.join(' '), server.join(' ')]),
    cells,
  });
  // A name that is cut off could not be checked: then each certificate gets lines of its own.
  const whole = rows.every(
    ({ server, peer }) =>
      3 +
        2 +
        2 +
        longest(rows.map((row) => row.host)) +
        longest(rows.map((row) => row.peer.join(' '))) +
        server.join(' ').length <=
        cells && peer.length > 0,
  );
  const lines = whole
    ? table
    : rows.flatMap(({ host, server, peer }) => [
        line('   ', host),
        ...paragraph(`server  ${server.join(' ')}`, cells - 5, { indent: 5 }),
        ...paragraph(`peer    ${peer.join(' ')}`, cells - 5, { indent: 5 }),
      ]);
  return [line(), line(' ', dim('What each certificate will be good for')), ...lines];
}

const longest = (texts: readonly string[]): number => Math.max(4, ...texts.map((text) => text.length));
