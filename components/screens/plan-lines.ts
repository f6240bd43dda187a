/** A plan as lines: findings first, then what will be done where, alike actions of several hosts together. Pure. */
import { alikeActions } from '../../src/plan/groups.ts';
import type { fileDiff } from '../../src/plan/render.ts';
import type { Action, Content, FileChange, Plan, PreflightFinding } from '../../src/plan/types.ts';
import { bad, bold, dim, type Line, line, ok, type Part, paragraph, sized, span, warn, width } from '../lines.tsx';
import type { Symbols } from '../symbols.ts';

/** Line by line what goes and what comes: `fileDiff` of plan/render.ts, which is loaded when the first file is looked at. */
export type FileDiff = typeof fileDiff;

/** A row that can be chosen, with what `d` shows of it. */
export interface PlanRow {
  lines: Line[];
  /** Absent: not to be chosen (a heading, a finding). */
  details?: (cells: number, diff: FileDiff) => Line[];
}

/** Alike: same kind and title, on several hosts. */
interface Group {
  hosts: string[];
  actions: Action[];
}

export function planRows(plan: Plan, cells: number, symbols: Symbols): PlanRow[] {
  const groups = groupsOf(plan.actions);
  const hostCells = Math.min(24, Math.max(8, ...groups.map(({ hosts }) => width(hosts.join(' ')))));
  return [
    ...plan.findings.map((finding) => ({ lines: findingLines(finding, cells, symbols) })),
    ...(plan.findings.length > 0 ? [{ lines: [line()] }] : []),
    ...groups.flatMap((group) => groupRows(group, plan, hostCells, cells)),
  ];
}

const groupsOf = (actions: readonly Action[]): Group[] =>
  alikeActions(actions).map((alike) => ({ hosts: [...new Set(alike.map(({ host }) => host))], actions: alike }));

function findingLines({ severity, what, why, remedy }: PreflightFinding, cells: number, symbols: Symbols): Line[] {
  const role = severity === 'stop' ? 'bad' : severity === 'warn' ? 'warn' : undefined;
  const symbol = { stop: symbols.failed, warn: symbols.warn, note: symbols.pending }[severity];
  const word = { stop: 'stops here: ', warn: '', note: '' }[severity];
  return [
    ...paragraph(`${symbol} ${word}${what}`, cells - 2, {
      role,
      indent: 1,
    }),
    ...paragraph(why, cells - 4, { indent: 3, role: 'dim' }),
    ...remedy.map((each) => line('   ', each)),
  ];
}

function groupRows({ hosts, actions }: Group, plan: Plan, hostCells: number, cells: number): PlanRow[] {
  const [first] = actions;
  if (first === undefined) return [];
  const everywhere =
    hosts.length > 1 &&
    hosts.length === new Set(plan.actions.map((action) => action.host).filter((host) => host !== 'controller')).size;
  const who = everywhere ? 'all hosts' : hosts.join(' ');
  const files = actions.flatMap((action) =>
    action.kind === 'files' ? action.files.map((file) => ({ file, host: action.host })) : [],
  );
  const count =
    files.length > 0
      ? dim(`${files.length} ${files.length === 1 ? 'file' : 'files'}`)
      : actions.length > 1
        ? dim(`${actions.length} times`)
        : undefined;
  // The count stands beside the title also where that has to be cut: pointer, hosts, gaps and count have room first.
  const room = cells - 4 - hostCells - 2 - (count === undefined ? 0 : 3 + width(count));
  const title = width(first.title) <= room ? first.title : sized(first.title, room);
  const head: PlanRow = {
    lines: [line(sized(span(who), hostCells), '  ', title, count && line('   ', count))],
    details: (wide) => actionDetails(actions, wide),
  };
  // Public files whose content is known: each can be looked at.
  const shown = files.filter(({ file }) => file.content.kind === 'text');
  return [
    head,
    ...shown.map(({ file, host }) => ({
      lines: [
        line(
          sized(dim(hosts.length > 1 ? host : ''), hostCells),
          '    ',
          file.path,
          dim(`   ${CHANGE_WORDS[file.change]}${file.reason === undefined ? '' : `: ${file.reason}`}`),
        ),
      ],
      details: (wide: number, diff: FileDiff) => fileDetails(file, host, wide, diff),
    })),
  ];
}

const CHANGE_WORDS: Record<FileChange['change'], string> = { create: 'new', replace: 'changed', mode: 'mode or owner' };

function actionDetails(actions: readonly Action[], cells: number): Line[] {
  const [first] = actions;
  if (first === undefined) return [];
  const files = actions.flatMap((action) =>
    action.kind === 'files'
      ? action.files.map((file) =>
          line(
            '   ',
            dim(action.host.padEnd(8)),
            ' ',
            file.path,
            dim(
              `  ${contentWords(file.content)}, ${mode(file)}, ${CHANGE_WORDS[file.change]}${file.reason === undefined ? '' : `: ${file.reason}`}`,
            ),
          ),
        )
      : [],
  );
  const commands = [...new Set(actions.flatMap((action) => action.commands))];
  return [
    line(' ', bold(first.title)),
    ...paragraph(first.why, cells - 2, { indent: 1 }),
    ...(files.length > 0 ? [line(), line(' ', dim('files')), ...files] : []),
    // Commands are not broken: they are to be read, and copied, as they are.
    ...(commands.length > 0
      ? [line(), line(' ', dim('commands')), ...commands.map((command) => line('   ', command))]
      : []),
  ];
}

const contentWords = (content: Content): string =>
  ({ text: 'text', certificate: 'certificate', key: 'private key', trust: 'trusted certificates' })[content.kind];
const mode = ({ mode: bits, owner, group }: FileChange): string =>
  `${bits.toString(8).padStart(4, '0')}${owner === undefined ? '' : ` ${owner}:${group ?? owner}`}`;

/** A file's change, line by line: − what goes, + what comes. */
function fileDetails(file: FileChange, host: string, cells: number, diff: FileDiff): Line[] {
  const after = file.content.kind === 'text' ? file.content.text : '';
  const head = [line(' ', bold(file.path), dim(`   ${host}   ${mode(file)}   ${CHANGE_WORDS[file.change]}`)), line()];
  if (file.content.kind !== 'text')
    return [
      ...head,
      ...paragraph(`Its content is a ${contentWords(file.content)} and is not shown.`, cells - 2, { indent: 1 }),
    ];
  return [
    ...head,
    ...diff(file.before ?? '', after).map(({ sign, text }) =>
      line('   ', sign === '+' ? ok(`+ ${text}`) : sign === '-' ? bad(`- ${text}`) : dim(`  ${text}`)),
    ),
  ];
}

/** «nothing has been changed yet», or that the hosts changed since. */
export function planState(plan: Plan, changed: boolean): Part {
  return changed
    ? warn('the hosts have changed since: please look again')
    : dim(
        `${{ new: 'new cluster', running: 'running cluster', stopped: 'stopped cluster' }[plan.state]}; nothing has been changed yet`,
      );
}
