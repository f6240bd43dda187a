/** What a run has told so far, as the screen needs it: pure, event by event. */
import type { RunEvent } from '../../src/apply/events.ts';
import type { ActionKind, Plan } from '../../src/plan/types.ts';

/** Columns of the run screen, in the order in which things happen. */
export const PHASES = ['connect', 'facts', 'ca', 'prepare', 'files', 'disk', 'start', 'proof'] as const;
export type Phase = (typeof PHASES)[number];
export type CellState = 'pending' | 'running' | 'done' | 'failed' | 'skipped';

const PHASE_OF: Record<ActionKind, Phase> = {
  'mint-ca': 'ca',
  'issue-client': 'ca',
  'install-package': 'prepare',
  'stop-foreign': 'prepare',
  'move-aside': 'prepare',
  'ensure-user': 'prepare',
  'measure-disk': 'disk',
  files: 'files',
  start: 'start',
  restart: 'start',
  proof: 'proof',
};

export interface HostRow {
  host: string;
  cells: Map<Phase, { total: number; done: number; state: CellState }>;
  /** What it is doing or waiting for now, in words. */
  doing?: string;
  /** Why it failed. */
  failed?: string;
}

export interface LogEntry {
  host: string;
  stream: 'command' | 'stdout' | 'stderr';
  line: string;
}

export interface RunState {
  hosts: readonly HostRow[];
  plan: Plan | undefined;
  /** Actions by id: title for what is under way. */
  titles: ReadonlyMap<string, string>;
  log: readonly LogEntry[];
  notes: readonly string[];
  proofs: { ok: number; failed: number; unchecked: number };
  /** Of everything that is to be done, the proof included: 0 to 1. */
  share: number;
  finished: Extract<RunEvent, { type: 'finished' }> | undefined;
}

/** Log lines that are kept; older ones go. */
const LOG_LINES = 2000;

export const EMPTY_RUN: RunState = {
  hosts: [],
  plan: undefined,
  titles: new Map(),
  log: [],
  notes: [],
  proofs: { ok: 0, failed: 0, unchecked: 0 },
  share: 0,
  finished: undefined,
};

/** The state after several events: they come in bursts, and the log is long. */
export function afterEvents(state: RunState, events: readonly RunEvent[]): RunState {
  const log: LogEntry[] = [];
  let next = state;
  for (const event of events) {
    if (event.type === 'log') log.push(event);
    else next = afterEvent(next, event);
  }
  return { ...next, log: log.length === 0 ? next.log : [...next.log, ...log].slice(-LOG_LINES), share: shareOf(next) };
}

function afterEvent(state: RunState, event: Exclude<RunEvent, { type: 'log' }>): RunState {
  switch (event.type) {
    case 'host': {
      const cells: Record<typeof event.state, [Phase, CellState]> = {
        connecting: ['connect', 'running'],
        connected: ['connect', 'done'],
        facts: ['facts', 'done'],
        failed: ['connect', 'failed'],
      };
      const [phase, cell] = cells[event.state];
      return withHost(state, event.host, (row) => ({
        ...row,
        cells: new Map(row.cells).set(phase, { total: 1, done: cell === 'done' ? 1 : 0, state: cell }),
        doing: event.state === 'connecting' ? (event.detail ?? 'connecting') : undefined,
        failed: event.state === 'failed' ? (event.detail ?? 'could not be reached') : row.failed,
      }));
    }
    case 'plan':
      return withPlan(state, event.plan);
    case 'action':
      return withAction(state, event);
    case 'waiting':
      return withHost(state, event.host, (row) => ({ ...row, doing: event.reason }));
    case 'proof': {
      const proofs = { ...state.proofs, [event.outcome]: state.proofs[event.outcome] + 1 };
      const notes =
        event.outcome === 'failed'
          ? [
              ...state.notes,
              `proof ${event.from} to ${event.to}: ${event.what} failed${event.detail === undefined ? '' : `: ${event.detail}`}`,
            ]
          : state.notes;
      return { ...state, proofs, notes };
    }
    case 'note':
      return { ...state, notes: [...state.notes, event.text] };
    case 'finished':
      return { ...state, finished: event };
  }
}

function withHost(state: RunState, host: string, change: (row: HostRow) => HostRow): RunState {
  const known = state.hosts.some((row) => row.host === host);
  const hosts = known ? state.hosts : [...state.hosts, { host, cells: new Map() }];
  return { ...state, hosts: hosts.map((row) => (row.host === host ? change(row) : row)) };
}

function withPlan(state: RunState, plan: Plan): RunState {
  let next: RunState = { ...state, plan, titles: new Map(plan.actions.map((action) => [action.id, action.title])) };
  const totals = new Map<string, Map<Phase, number>>();
  for (const action of plan.actions) {
    const ofHost = totals.get(action.host) ?? new Map<Phase, number>();
    ofHost.set(PHASE_OF[action.kind], (ofHost.get(PHASE_OF[action.kind]) ?? 0) + 1);
    totals.set(action.host, ofHost);
  }
  for (const [host, phases] of totals) {
    next = withHost(next, host, (row) => {
      const cells = new Map([...row.cells].filter(([phase]) => phase === 'connect' || phase === 'facts'));
      for (const [phase, total] of phases) cells.set(phase, { total, done: 0, state: 'pending' });
      return { ...row, cells };
    });
  }
  return next;
}

function withAction(state: RunState, event: Extract<RunEvent, { type: 'action' }>): RunState {
  const phase = PHASE_OF[event.kind as ActionKind] ?? 'prepare';
  const title = state.titles.get(event.id) ?? event.kind;
  return withHost(state, event.host, (row) => {
    const cell = row.cells.get(phase) ?? { total: 1, done: 0, state: 'pending' as CellState };
    const done = event.state === 'done' || event.state === 'skipped' ? Math.min(cell.total, cell.done + 1) : cell.done;
    const now: CellState =
      event.state === 'failed'
        ? 'failed'
        : event.state === 'started'
          ? 'running'
          : done < cell.total
            ? 'running'
            : event.state === 'skipped'
              ? 'skipped'
              : 'done';
    return {
      ...row,
      cells: new Map(row.cells).set(phase, { ...cell, done, state: cell.state === 'failed' ? 'failed' : now }),
      doing: event.state === 'started' ? title : undefined,
      failed:
        event.state === 'failed' ? `${title}${event.detail === undefined ? '' : `: ${event.detail}`}` : row.failed,
    };
  });
}

function shareOf({ hosts, plan, finished }: RunState): number {
  if (finished?.outcome === 'healthy' || finished?.outcome === 'nothing-to-do') return 1;
  // Reaching the hosts is a tenth; what it will take is known only with the plan.
  const all = hosts.flatMap((row) => [...row.cells].map(([phase, cell]) => ({ ...cell, phase })));
  const part = (cells: typeof all) =>
    cells.length === 0
      ? 0
      : cells.reduce((sum, { done }) => sum + done, 0) / cells.reduce((sum, { total }) => sum + total, 0);
  const reaching = part(all.filter(({ phase }) => phase === 'connect' || phase === 'facts'));
  if (plan === undefined) return reaching * 0.1;
  // The proof is a last step, also before its first event.
  const doing = all.filter(({ phase }) => phase !== 'connect' && phase !== 'facts' && phase !== 'proof');
  return 0.1 + 0.8 * part(doing) + 0.1 * part(all.filter(({ phase }) => phase === 'proof'));
}
