/** Events, errors and health as lines of text: pure, cleaned, without colour or cursor movement. All front-ends use them. */
import type { RunEvent } from '../apply/events.ts';
import { clean, cleanLine } from '../clean.ts';
import type { WizardError } from '../errors.ts';
import type { ClusterHealth, MemberHealth } from '../health/types.ts';
import { bytes } from '../terminal/units.ts';
import { displayWidth, pad } from '../terminal/width.ts';

/** What happened, why, the evidence, what to do next. Commands stand on lines of their own, unbroken. */
export function errorLines(error: WizardError): string[] {
  const where = [error.host, error.step].filter((part) => part !== undefined).map(cleanLine);
  const prefix = where.length > 0 ? `${where.join(', ')}: ` : '';
  return [
    `✗ ${prefix}${cleanLine(error.message)}`,
    ...indented(error.why === undefined ? [] : clean(error.why).split('\n'), '  '),
    ...indented(error.evidence.map(cleanLine), '  | '),
    ...(error.next.length > 0 ? ['  Next:', ...indented(error.next.map(cleanLine), '    ')] : []),
  ];
}

const indented = (lines: readonly string[], by: string): string[] => lines.map((line) => `${by}${line}`);

/** Milliseconds as people say them: 0.3 s, 12 s, 2:05 min. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`;
}

/**
 * One event as lines; none where it says nothing to a reader of lines.
 * The plan itself is shown by whoever renders plans; `verbose` adds the commands and their output.
 * @param titles of actions by id, from the plan that was shown
 */
export function eventLines(event: RunEvent, titles: ReadonlyMap<string, string>, verbose = false): string[] {
  switch (event.type) {
    case 'host':
      return hostLines(event);
    case 'plan':
      return [];
    case 'action': {
      const title = `${cleanLine(event.host)}  ${cleanLine(titles.get(event.id) ?? event.kind)}`;
      const detail = event.detail === undefined ? '' : `: ${cleanLine(event.detail)}`;
      const time = event.elapsedMs === undefined ? '' : `  (${duration(event.elapsedMs)})`;
      if (event.state === 'started') return verbose ? [`… ${title}${detail}`] : [];
      const word = { done: '✓ done   ', failed: '✗ failed ', skipped: '· skipped' }[event.state];
      return [`${word} ${title}${detail}${time}`];
    }
    case 'waiting':
      return [`… waiting  ${cleanLine(event.host)}  ${cleanLine(event.reason)}`];
    case 'log':
      return verbose
        ? [
            `  ${cleanLine(event.host)} ${{ command: '$', stdout: '|', stderr: '!' }[event.stream]} ${cleanLine(event.line)}`,
          ]
        : [];
    case 'proof':
      return proofLines(event, verbose);
    case 'note':
      return clean(event.text).split('\n');
    case 'finished':
      return [finishedLine(event), ...event.summary.map(cleanLine)];
  }
}

function hostLines({ host, state, detail }: Extract<RunEvent, { type: 'host' }>): string[] {
  const suffix = detail === undefined ? '' : `: ${cleanLine(detail)}`;
  if (state === 'connecting') return [];
  const word = { connected: '✓ connected', facts: '✓ looked at', failed: '✗ failed   ' }[state];
  return [`${word} ${cleanLine(host)}${suffix}`];
}

function proofLines(
  { from, to, what, outcome, detail }: Extract<RunEvent, { type: 'proof' }>,
  verbose: boolean,
): string[] {
  // What was not checked is told at the end, once for all pairs of hosts.
  if (outcome !== 'failed' && !verbose) return [];
  const word = { ok: '✓ proved   ', failed: '✗ failed   ', unchecked: '· unchecked' }[outcome];
  return [
    `${word} ${what} ${cleanLine(from)} → ${cleanLine(to)}${detail === undefined ? '' : `: ${cleanLine(detail)}`}`,
  ];
}

function finishedLine({ outcome, elapsedMs }: Extract<RunEvent, { type: 'finished' }>): string {
  const time = duration(elapsedMs);
  switch (outcome) {
    case 'healthy':
      return `● healthy after ${time}`;
    case 'nothing-to-do':
      return `● nothing to do; looked for ${time}`;
    case 'declined':
      return '· declined: nothing was changed';
    case 'failed':
      return `✗ failed after ${time}`;
    case 'interrupted':
      return `✗ interrupted after ${time}`;
  }
}

/** State, quorum, a row a member, remarks. */
export function healthLines(health: ClusterHealth): string[] {
  const rows = health.members.map(memberCells);
  const head = ['member', 'state', 'role', 'latency', 'raft index', 'database', 'certificates', 'version'];
  const symbol = { healthy: '●', degraded: '▲', 'no-quorum': '✗', unknown: '?' }[health.state];
  const leader = health.leader === undefined ? '' : `   leader ${cleanLine(health.leader)}`;
  const term = health.term === undefined ? '' : `   term ${health.term}`;
  return [
    `${symbol} ${health.state}   ${cleanLine(health.quorum)}${leader}${term}`,
    ...tableLines([head, ...rows]),
    ...health.members.flatMap(({ name, sample, remarks }) =>
      [
        ...(sample.error === undefined ? [] : [sample.error]),
        ...remarks.filter((remark) => remark !== sample.error),
      ].map((remark) => `▲ ${cleanLine(name)}: ${cleanLine(remark)}`),
    ),
    ...health.remarks.map((remark) => `▲ ${cleanLine(remark)}`),
  ];
}

function memberCells(member: MemberHealth): string[] {
  const { sample } = member;
  return [
    cleanLine(member.name),
    member.up ? 'up' : 'down',
    member.role,
    sample.latencyMs === undefined ? '-' : `${sample.latencyMs.toFixed(1)} ms`,
    sample.raftIndex === undefined ? '-' : `${sample.raftIndex}${member.lag ? ` (-${member.lag})` : ''}`,
    sample.dbBytes === undefined ? '-' : bytes(sample.dbBytes),
    daysText(member.daysLeft),
    sample.version === undefined ? '-' : cleanLine(sample.version),
  ];
}

function daysText(days: number | undefined): string {
  if (days === undefined) return '-';
  return days < 0 ? 'expired' : `${days} ${days === 1 ? 'day' : 'days'}`;
}

/** Columns as wide as their widest cell, two spaces between. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
