/** A run as lines: a host a line, a step a column, the reason for every wait. Pure. */
import {
  accent,
  bad,
  between,
  bold,
  dim,
  type Line,
  line,
  ok,
  paragraph,
  type Span,
  sized,
  span,
  warn,
  width,
} from '../lines.tsx';
import type { Symbols } from '../symbols.ts';
import { clock, progressBar } from '../widgets/meters.ts';
import { type CellState, type HostRow, type LogEntry, PHASES, type Phase, type RunState } from './run-state.ts';

export interface RunView {
  title: string;
  state: RunState;
  elapsedMs: number;
  /** Set once the person has asked to stop. */
  stopping: boolean;
  /** What failed is told in full below: the table need not say it again. */
  told: boolean;
  spinner: string;
  cells: number;
  symbols: Symbols;
}

/** Name, bar, share, time. */
export function runTitle({ title, state, elapsedMs, cells, symbols }: RunView): Line {
  const percent = `${Math.floor(state.share * 100)} %`.padStart(6);
  return between(
    line(bold(title)),
    line(progressBar(state.share, cells < 70 ? 10 : 20, symbols), percent, '   ', clock(elapsedMs).padStart(5)),
    cells - 2,
  );
}

/** What a wait's reason needs beside the table; with less room it goes below, so that no row moves. */
const REASON_CELLS = 44;

/** The table of hosts and steps; then what each does now, the proof, what failed, what is to be known. */
export function runBody(view: RunView): Line[] {
  const { state, cells, symbols } = view;
  if (state.hosts.length === 0) return [line('   ', dim('getting ready…')), ...noteLines(view)];
  // By name, not by who answered first: pi2 before pi10.
  const hosts = state.hosts.toSorted(
    (a, b) =>
      Number(b.host === 'controller') - Number(a.host === 'controller') ||
      a.host.localeCompare(b.host, 'en', { numeric: true }),
  );
  const phases = PHASES.filter((phase) => hosts.some((row) => row.cells.has(phase)));
  const name = Math.min(20, Math.max(4, ...hosts.map((row) => width(row.host)))) + 2;
  // Room for «⠙ 1/3» only where a host has several things to do in one step.
  const column = (phase: Phase) =>
    Math.max(width(phase), hosts.some((row) => (row.cells.get(phase)?.total ?? 0) > 1) ? 5 : 1) + 2;
  const beside = cells - 3 - name - phases.reduce((sum, phase) => sum + column(phase), 0) >= REASON_CELLS;
  const table = hosts.map((row) =>
    line(
      '   ',
      sized(row.host, name),
      ...phases.map((phase) => sized(mark(row, phase, view), column(phase))),
      beside && wordsOf(row, view),
    ),
  );
  const busy = hosts.filter(
    (row) => row.failed === undefined && row.doing !== undefined && state.finished === undefined,
  );
  const failures = view.told ? [] : hosts.filter((row) => row.failed !== undefined);
  return [
    line('   ', sized('', name), ...phases.map((phase) => sized(dim(phase), column(phase)))),
    ...table,
    ...(beside || busy.length === 0
      ? []
      : [line(), ...busy.map((row) => line('   ', sized(row.host, name), accent(row.doing ?? '')))]),
    ...proofLines(view),
    ...(failures.length === 0
      ? []
      : [
          line(),
          ...failures.flatMap((row) =>
            paragraph(`${symbols.failed} ${row.host}: ${row.failed}`, cells - 2, { role: 'bad', indent: 1 }),
          ),
        ]),
    ...noteLines(view),
  ];
}

/** The latest of what is to be known. */
const noteLines = ({ state, cells, symbols }: RunView): Line[] =>
  state.notes
    .slice(-4)
    .flatMap((note) => paragraph(`${symbols.pending} ${note}`, cells - 4, { role: 'dim', indent: 3 }));

function mark(row: HostRow, phase: Phase, { state, symbols, spinner }: RunView): Span {
  const cell = row.cells.get(phase);
  if (cell === undefined) return span('');
  // Begun, and left when the run ended.
  if (cell.state === 'running' && state.finished !== undefined) return warn(symbols.warn);
  const marks: Record<CellState, Span> = {
    pending: dim(symbols.pending),
    running: accent(cell.total > 1 ? `${spinner} ${cell.done}/${cell.total}` : spinner),
    done: ok(symbols.ok),
    failed: bad(symbols.failed),
    skipped: dim(symbols.dash),
  };
  return marks[cell.state];
}

function wordsOf(row: HostRow, { state }: RunView): Span | undefined {
  if (row.failed !== undefined) return bad('failed');
  if (row.doing !== undefined && state.finished === undefined) return accent(row.doing);
  const cells = [...row.cells.values()];
  if (
    state.plan !== undefined &&
    cells.length > 0 &&
    cells.every((cell) => cell.state === 'done' || cell.state === 'skipped')
  )
    return dim('done');
  return undefined;
}

function proofLines({ state, symbols }: RunView): Line[] {
  const { ok: good, failed, unchecked } = state.proofs;
  if (good + failed + unchecked === 0) return [];
  return [
    line(),
    line(
      '   ',
      dim('proof  '),
      ok(`${symbols.ok} ${good} passed`),
      failed > 0 && bad(`   ${symbols.failed} ${failed} failed`),
      unchecked > 0 && warn(`   ${symbols.warn} ${unchecked} could not be checked`),
    ),
  ];
}

/** What the tail says: that it is stopping, or how it ended. */
export function runTail({ state, stopping, told, cells, symbols, elapsedMs }: RunView): Line[] {
  const { finished } = state;
  if (finished?.outcome === 'failed' && told) return [line()];
  if (finished === undefined)
    return stopping
      ? [
          line(),
          ...paragraph('Stopping: what has begun is brought to a safe end. ^C once more leaves at once.', cells - 2, {
            role: 'warn',
            indent: 1,
          }),
        ]
      : [];
  const words: Record<typeof finished.outcome, Span> = {
    healthy: ok(`${symbols.ok} done: every member is up and proved, in ${clock(elapsedMs)}`),
    'nothing-to-do': ok(`${symbols.ok} nothing to do: the hosts are as the profile says`),
    declined: dim('nothing was changed'),
    failed: bad(`${symbols.failed} it did not work out`),
    interrupted: warn(`${symbols.warn} stopped; what is done stays, a replay goes on from here`),
  };
  return [line(), line(' ', words[finished.outcome])];
}

/** The log pane: the very commands, and what they printed. */
export function logLines(log: readonly LogEntry[]): Line[] {
  const name = Math.min(20, Math.max(0, ...log.map((entry) => width(entry.host)))) + 1;
  return log.map((entry) => {
    const host = sized(dim(entry.host), name);
    if (entry.stream === 'command') return line(' ', host, accent('$ '), bold(entry.line));
    return line(' ', host, '  ', entry.stream === 'stderr' ? warn(entry.line) : span(entry.line));
  });
}
