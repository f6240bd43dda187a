/** The health pane as lines: what a person must see of a cluster at a glance. Pure. */
import type { ClusterHealth, MemberHealth } from '../../src/health/types.ts';
import { bytes, hexId } from '../../src/terminal/units.ts';
import {
  BLANK,
  bad,
  between,
  bold,
  dim,
  type Line,
  line,
  ok,
  type Part,
  paragraph,
  type Span,
  span,
  warn,
} from '../lines.tsx';
import type { Symbols } from '../symbols.ts';
import type { Role } from '../theme.ts';
import { grouped, sparkline } from '../widgets/meters.ts';
import { type Cell, type Column, stackedLines, tableLines } from '../widgets/table.ts';

/** Latency of the last looks by member name, milliseconds; undefined where a look failed. */
export type History = ReadonlyMap<string, readonly (number | undefined)[]>;
/** Looks that are remembered, and drawn. */
export const HISTORY = 8;
/** Latency that fills a bar: etcd's default heartbeat interval is 100 ms. */
const FULL_MS = 100;
/** A certificate is worth a remark when fewer days are left. */
const SOON_DAYS = 30;

const STATES: Record<ClusterHealth['state'], { word: string; role: Role }> = {
  healthy: { word: 'healthy', role: 'ok' },
  degraded: { word: 'degraded', role: 'warn' },
  'no-quorum': { word: 'no quorum', role: 'bad' },
  unknown: { word: 'unknown', role: 'warn' },
};

/** A state as symbol, colour and word. */
function stateSpan(state: ClusterHealth['state'], symbols: Symbols): Span {
  const { word, role } = STATES[state];
  const symbol = { ok: symbols.on, warn: symbols.warn, bad: symbols.failed, accent: '', dim: '' }[role];
  return bold(`${symbol} ${word}`, role);
}

export interface HealthView {
  title: string;
  health: ClusterHealth | undefined;
  history: History;
  paused: boolean;
  /** Of the last look, in words of the person's own clock. */
  time: string;
  cells: number;
  symbols: Symbols;
}

/** Name, state and quorum; leader, term, time. Two lines where one is too narrow. */
export function healthTitle(view: HealthView): Line[] {
  const { title, health, symbols, cells } = view;
  if (health === undefined) return [line(bold(title), '  ', dim('looking at every endpoint…'))];
  const left = line(bold(title), '  ', stateSpan(health.state, symbols), '   ', health.quorum);
  const right = line(
    health.leader === undefined ? warn('no leader') : `leader ${health.leader}`,
    health.term !== undefined && `   term ${health.term}`,
    '   ',
    view.paused ? warn('paused') : dim(view.time),
  );
  const joined = between(left, right, cells - 2);
  // `between` drops the right half when there is no room: then it gets a line of its own.
  return joined.spans.length > left.spans.length ? [joined] : [left, right];
}

/** From here on a member's first remark stands beside it. */
const BESIDE = 120;
/** Below this latency's history is shorter and titles are, so that all that matters has room. */
const NARROW = 72;

const columnsFor = (cells: number): Column[] => [
  { title: 'member', drop: 0, max: 20, min: 6 },
  { title: 'role', drop: 0, min: 8 },
  { title: 'latency', drop: 0, min: 9 + sparkCells(cells) },
  { title: 'raft', drop: 4, align: 'end', min: 6 },
  { title: 'db', drop: 3, align: 'end', min: cells < NARROW ? 6 : 7 },
  { title: cells < NARROW ? 'certs' : 'certificates', drop: 2 },
  { title: 'version', drop: 5, min: 7 },
  { title: '', drop: 0 },
];

const sparkCells = (cells: number): number => (cells < NARROW ? HISTORY / 2 : HISTORY);

/** Members, a row each, then what there is to say about the cluster. Stacked below 60 columns. */
export function healthBody(view: HealthView): Line[] {
  const { health, cells } = view;
  if (health === undefined) return [];
  const remarks = remarkLines(view);
  if (cells < 60)
    return [
      ...stackedLines(
        health.members.map((member) => stacked(member, view)),
        cells,
      ),
      ...remarks,
    ];
  const rows = health.members.map((member) => cellsOf(member, view));
  // Where remarks would be cut to a word they get lines of their own.
  const columns = columnsFor(cells).slice(0, cells >= BESIDE ? undefined : -1);
  const table = tableLines({
    columns,
    rows: rows.map((row) => row.slice(0, columns.length)),
    cells,
    indent: cells < NARROW ? 1 : 3,
  });
  return [...table, ...remarks];
}

function cellsOf(member: MemberHealth, view: HealthView): Cell[] {
  const { sample } = member;
  return [
    member.name,
    roleOf(member, view.symbols),
    line(latency(member), ' ', spark(member, view)),
    sample.raftIndex === undefined ? dim(view.symbols.dash) : line(grouped(sample.raftIndex), lagSpan(member)),
    sample.dbBytes === undefined ? dim(view.symbols.dash) : bytes(sample.dbBytes),
    certificates(member, view.symbols),
    sample.version ?? dim(view.symbols.dash),
    view.cells >= BESIDE ? firstRemark(member, view.symbols) : '',
  ];
}

function roleOf(member: MemberHealth, symbols: Symbols): Span {
  if (!member.up) return bad(`${symbols.failed} down`);
  if (member.role === 'leader') return bold('leader', 'accent');
  return member.role === 'learner' ? warn('learner') : span(member.role);
}

/** Nine cells, so that the bars stay where they are. */
function latency({ sample }: MemberHealth): Span {
  if (sample.latencyMs === undefined) return dim('        –');
  const text = `${sample.latencyMs < 100 ? sample.latencyMs.toFixed(1) : Math.round(sample.latencyMs)} ms`.padStart(8);
  return sample.latencyMs > FULL_MS ? warn(text) : span(text);
}

const spark = (member: MemberHealth, { history, symbols, cells }: HealthView): Span =>
  dim(sparkline(history.get(member.name) ?? [], sparkCells(cells), FULL_MS, symbols));

function lagSpan({ lag }: MemberHealth): Span | undefined {
  return lag === undefined || lag <= 0 ? undefined : warn(` -${lag}`);
}

function certificates({ daysLeft }: MemberHealth, symbols: Symbols): Span {
  if (daysLeft === undefined) return dim(symbols.dash);
  if (daysLeft < 0) return bad(`${symbols.failed} expired ${-daysLeft === 1 ? 'a day' : `${-daysLeft} days`} ago`);
  const text = daysLeft === 1 ? '1 day' : `${daysLeft} days`;
  return daysLeft < SOON_DAYS ? warn(`${symbols.warn} ${text}`) : span(text);
}

function remarksOf(member: MemberHealth): string[] {
  const error = member.sample.error;
  return error !== undefined && !member.remarks.some((remark) => remark.includes(error))
    ? [error, ...member.remarks]
    : [...member.remarks];
}

function firstRemark(member: MemberHealth, symbols: Symbols): Line {
  const [first] = remarksOf(member);
  return first === undefined
    ? line()
    : line(member.up ? warn(`${symbols.warn} ${first}`) : bad(`${symbols.failed} ${first}`));
}

function stacked(member: MemberHealth, view: HealthView): { name: Part; lines: Line[] } {
  const [, role, , raft, db, certificate] = cellsOf(member, view);
  return {
    name: line(bold(member.name), '  ', role),
    lines: [
      ...(member.up
        ? [
            line(dim('latency'), ' ', latency(member), ' ', spark(member, view)),
            line(dim('raft '), raft, dim('  db '), db),
          ]
        : []),
      line(dim('certificates '), certificate),
    ],
  };
}

function remarkLines({ health, symbols, cells }: HealthView): Line[] {
  if (health === undefined) return [];
  const of = (who: string | undefined, text: string, up: boolean): Line[] =>
    paragraph(`${up ? symbols.warn : symbols.failed} ${who === undefined ? '' : `${who}: `}${text}`, cells - 1, {
      role: up ? 'warn' : 'bad',
      indent: cells < NARROW ? 1 : 3,
    });
  const members = health.members.map((member) => ({ ...member, said: remarksOf(member) }));
  if (health.remarks.length === 0 && members.every(({ said }) => said.length === 0))
    return [BLANK, line('   ', ok(`${symbols.ok} nothing to remark`))];
  const lines = [
    ...members.flatMap(({ name, up, said }) =>
      said.slice(cells >= BESIDE ? 1 : 0).flatMap((text) => of(name, text, up)),
    ),
    ...health.remarks.flatMap((text) => of(undefined, text, health.state !== 'no-quorum')),
  ];
  return lines.length === 0 ? [] : [BLANK, ...lines];
}

/** Everything known of each member, for the details. */
export function detailLines(view: HealthView): Line[] {
  const { health, cells } = view;
  if (health === undefined) return [];
  return health.members.flatMap((member) => {
    const { sample } = member;
    const leaf = sample.chain[0];
    const facts: [string, string | undefined][] = [
      ['address', sample.endpoint.url],
      ['TLS', TLS_WORDS[sample.tls]],
      ['version', sample.version],
      ['member id', sample.memberId && hexId(sample.memberId)],
      ['cluster id', sample.clusterId && hexId(sample.clusterId)],
      [
        'raft',
        sample.raftIndex === undefined
          ? undefined
          : `${grouped(sample.raftIndex)}, applied ${grouped(sample.raftAppliedIndex ?? 0)}${member.lag ? `, ${member.lag} behind the leader` : ''}`,
      ],
      [
        'database',
        sample.dbBytes === undefined
          ? undefined
          : `${bytes(sample.dbBytes)}${sample.dbInUseBytes === undefined ? '' : `, ${bytes(sample.dbInUseBytes)} in use`}`,
      ],
      ['alarms', sample.alarms.length === 0 ? undefined : sample.alarms.join(', ')],
      [
        'certificate',
        leaf === undefined
          ? undefined
          : `${[...leaf.ipAddresses, ...leaf.dnsNames].join(' ')}; ${leaf.publicKeyAlgorithm}; ${member.daysLeft ?? '?'} days left`,
      ],
      ['error', sample.error],
    ];
    return [
      line(' ', bold(member.name), '  ', roleOf(member, view.symbols)),
      ...facts.flatMap(([label, value]) =>
        value === undefined
          ? []
          : paragraph(value, cells - 18).map((text, row) =>
              line('   ', dim((row === 0 ? label : '').padEnd(13)), text),
            ),
      ),
      line(),
    ];
  });
}

const TLS_WORDS: Record<MemberHealth['sample']['tls'], string> = {
  verified: 'verified both ways',
  'refused-by-us': 'its certificate was refused by us',
  'refused-by-them': 'our certificate was refused by it',
  plain: 'none: it speaks plain http',
  none: 'not reached',
};
