/** A plan for people and for programs: lines of text, a diff of each file, JSON. Shows no secret and nothing unescaped. */
import { createTwoFilesPatch, diffLines } from 'diff';
import { clean, cleanLine } from '../clean.ts';
import type { LeafSpec } from '../pki/types.ts';
import { octal } from './files.ts';
import { alikeActions } from './groups.ts';
import type { Action, FileChange, Plan, PreflightFinding } from './types.ts';

const SEVERITY: Record<PreflightFinding['severity'], string> = { stop: 'STOP', warn: 'WARNING', note: 'note' };

/**
 * The whole plan: findings first, then what is done where, hosts that do the same on one line.
 * @param diff adds what every action changes, file by file
 */
export function planLines(plan: Plan, { diff = false }: { diff?: boolean } = {}): string[] {
  const stops = plan.findings.filter(({ severity }) => severity === 'stop').length;
  const findings = plan.findings.flatMap(findingLines).map(cleanLine);
  const end = (words: string) => [...findings, cleanLine(`${plan.cluster}: ${words}`)];
  if (stops > 0) return end(`nothing is done until ${stops === 1 ? 'this is' : `these ${stops} are`} settled.`);
  if (plan.actions.length === 0) return end('nothing to do, the hosts are as the profile says.');
  const rows = groupActions(plan.actions);
  const width = Math.min(24, Math.max(...rows.map(({ hosts }) => hosts.length)));
  return [
    ...findings,
    `Plan for ${plan.cluster}: nothing has been changed yet`,
    ...rows.flatMap(({ hosts, title, count, reasons }) => [
      cleanLine(`  ${hosts.padEnd(width)}  ${title}${count === '' ? '' : `  (${count})`}`),
      // Of a new cluster everything is new; of one that is there it matters what is no longer right.
      ...(plan.state === 'new' ? [] : reasons.map((reason) => cleanLine(`  ${' '.repeat(width)}    ${reason}`))),
    ]),
    ...(diff ? plan.actions.flatMap((action) => ['', ...renderDiff(action)]) : []),
  ];
}

/** What was found, why it matters, what to do. */
function findingLines({ severity, what, why, remedy }: PreflightFinding): string[] {
  return [`${SEVERITY[severity]}: ${what}`, `  ${why}`, ...remedy.map((line) => `    ${line}`), ''];
}

interface Row {
  /** Member names, blank separated, or `controller`. */
  hosts: string;
  title: string;
  /** «12 files»; empty where there is nothing to count. */
  count: string;
  /** Why it is done: once where it is the same everywhere, else host by host. */
  reasons: string[];
}

/** Actions that are alike are one row. */
function groupActions(actions: readonly Action[]): Row[] {
  return alikeActions(actions).map((same) => {
    const files = same.reduce((sum, action) => sum + (action.kind === 'files' ? action.files.length : 0), 0);
    return {
      hosts: [...new Set(same.map(({ host }) => host))].join(' '),
      title: same[0]?.title ?? '',
      count: files > 0 ? `${files} ${files === 1 ? 'file' : 'files'}` : '',
      reasons:
        new Set(same.map(({ why }) => why)).size === 1
          ? [same[0]?.why ?? '']
          : same.map(({ host, why }) => `${host}: ${why}`),
    };
  });
}

/** Everything that an action changes, file by file: a unified diff of public text, words for certificates and keys. */
export function renderDiff(action: Action): string[] {
  const head = [
    `${action.host}: ${action.title}`,
    `  ${action.why}`,
    ...action.commands.map((command) => `  $ ${command}`),
  ];
  const body =
    action.kind === 'files'
      ? [
          ...action.folders.map(
            ({ path, mode, owner, group }) => `folder ${path}: ${octal(mode)}${ownerOf(owner, group)}`,
          ),
          ...action.files.flatMap((file) => ['', ...renderFile(file, action.leaves)]),
        ]
      : action.kind === 'issue-client'
        ? certificateLines(action.leaf)
        : [];
  return [...head, ...body].map(cleanLine);
}

function renderFile(file: FileChange, leaves: readonly LeafSpec[]): string[] {
  const { path, content, change, mode, owner, group, before, reason } = file;
  if (change === 'mode')
    return [`${path}: mode ${octal(mode)}${ownerOf(owner, group)}`, ...(reason === undefined ? [] : [`  ${reason}`])];
  const title = `${path}: ${change === 'create' ? 'new' : 'replaced'}, ${octal(mode)}${ownerOf(owner, group)}`;
  const why = reason === undefined ? [] : [`  because ${reason}`];
  switch (content.kind) {
    case 'text': {
      const patch = createTwoFilesPatch(
        before === undefined ? '/dev/null' : path,
        path,
        before ?? '',
        content.text,
        undefined,
        undefined,
        { context: 2 },
      );
      // What stands before the first «---» is a rule and the path again; after the last line comes nothing.
      return [title, ...patch.slice(patch.indexOf('--- ')).trimEnd().split('\n')];
    }
    case 'key':
      return [title, '  private key, not shown', ...why];
    case 'trust':
      return [title, `  certificate of the ${content.anchor === 'peer' ? 'peers’ CA' : 'CA'}`, ...why];
    case 'certificate': {
      const leaf = leaves.find(({ id }) => id === content.leaf);
      return [title, ...(leaf ? certificateLines(leaf) : []), ...why];
    }
  }
}

/** The whole of a text file, each line marked as going (−), coming (+) or staying, for a screen that can scroll. */
export function fileDiff(before: string, after: string): { sign: '+' | '-' | ' '; text: string }[] {
  // A last line with and without its line break is the same to a reader.
  const ended = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  return diffLines(ended(before), ended(after)).flatMap(({ value, added, removed }) =>
    value
      .slice(0, -1)
      .split('\n')
      .map((text) => ({ sign: added ? ('+' as const) : removed ? ('-' as const) : (' ' as const), text })),
  );
}

function certificateLines({ role, commonName, dnsNames, ipAddresses, keyAlgorithm, validityDays }: LeafSpec): string[] {
  const names = [...ipAddresses, ...dnsNames];
  return [
    `  ${role} certificate ${commonName}, ${keyAlgorithm}, ${validityDays} days`,
    ...(names.length > 0 ? [`  good for ${names.join(' ')}`] : []),
  ];
}

const ownerOf = (owner?: string, group?: string): string => (owner === undefined ? '' : ` ${owner}:${group ?? owner}`);

/** The plan as `--json` prints it: file contents are public text only, keys are names. Every string is escaped. */
export function planJson(plan: Plan): { actions: unknown[]; findings: unknown[] } & Record<string, unknown> {
  const { cluster, state, actions, findings, resolved } = plan;
  return cleanDeep({ cluster, state, actions, findings, resolved }) as ReturnType<typeof planJson>;
}

function cleanDeep(value: unknown): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map(cleanDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cleanDeep(inner)]));
}
