/** What the fact script printed → HostFacts. Pure; lines that cannot be read are passed over. */
import type { DataDirFact, FactQuestions, FileFact, HostFacts, Privilege, ServiceFact } from '../facts.ts';
import { type FactRecord, readLook } from './facts-lines.ts';
import { addressesOf, etcdProcessesOf, linesOf, listenersOf, mountsOf, packageOf } from './facts-system.ts';

/** Larger public files are reported without content: 256 KiB. */
const MAX_CONTENT = 256 * 1024;

export interface ParseContext {
  host: string;
  questions: FactQuestions;
  user: string;
  uid: number;
  privilege: Privilege;
  clock: { skewMs: number; errorMs: number };
  /** Host's clock when it was looked at, epoch milliseconds. */
  hostNow: number;
}

/** @param text standard output of LOOK, with or without what LOOK_AS_ROOT says before it. */
export function parseFacts(text: string, context: ParseContext): HostFacts {
  const { records } = readLook(text);
  const field = (key: string, index = 0) => records.find((record) => record.key === key)?.fields[index] || undefined;
  const os = Object.fromEntries(
    records
      .filter(({ key }) => key === 'os')
      .map(({ fields: [name = '', ...value] }) => [name, unquote(value.join('\t'))]),
  );
  const init = field('init');
  const synchronised = field('timekeeper', 1);
  const resolves: HostFacts['resolves'] = Object.fromEntries(context.questions.names.map((name) => [name, []]));
  for (const {
    key,
    fields: [name = '', address],
  } of records) {
    if (key === 'address' && address && Object.hasOwn(resolves, name) && !resolves[name]?.includes(address))
      resolves[name]?.push(address);
  }
  return {
    host: context.host,
    user: context.user,
    uid: context.uid,
    privilege: context.privilege,
    hostname: field('hostname') ?? '',
    machineId: field('machineid'),
    os: { id: os.ID ?? '', versionId: os.VERSION_ID ?? '', name: os.PRETTY_NAME ?? '' },
    kernelArch: field('arch') ?? '',
    userlandBits: field('bits') === '32' ? 32 : 64,
    packageArch: field('package', 1),
    init: init === 'systemd' || init === 'openrc' ? init : 'other',
    initVersion: field('init', 1),
    clock: {
      ...context.clock,
      ...(synchronised && { synchronised: synchronised === 'yes' }),
      ...(field('timekeeper') && { service: field('timekeeper') }),
    },
    addresses: addressesOf(records),
    resolves,
    etcd: binary(records, 'etcd', /^etcd Version: (\S+)/),
    etcdctl: binary(records, 'etcdctl', /^etcdctl version: (\S+)/),
    package: packageOf(records),
    etcdProcesses: etcdProcessesOf(records),
    listeners: listenersOf(records),
    mounts: mountsOf(records),
    files: filesOf(records, context.questions),
    dataDirs: dataDirsOf(records, context.questions),
    services: servicesOf(records, context),
    etcdUser: field('etcduser') === 'yes',
    cores: Number(field('cores') ?? 0),
    memoryBytes: Number(field('memory') ?? 0) * 1024,
    lock: linesOf(records, 'lock')[0],
    tools: records.filter(({ key }) => key === 'tool').flatMap(({ fields }) => fields.slice(0, 1)),
  };
}

/** A value of os-release: shell quoting of the simple kind that the format allows. */
function unquote(value: string): string {
  const [, mark, inner] = /^(["'])(.*)\1$/.exec(value) ?? [];
  return mark === undefined ? value : (inner ?? '').replace(/\\(["$`\\])/g, '$1');
}

function binary(
  records: readonly FactRecord[],
  key: string,
  pattern: RegExp,
): { path: string; version: string } | undefined {
  const path = records.find((record) => record.key === key)?.fields[0];
  const version = linesOf(records, `${key}version`)
    .map((line) => pattern.exec(line)?.[1])
    .find(Boolean);
  // A binary that does not run (another architecture, a broken download) cannot be started by a unit either.
  return path && version ? { path, version } : undefined;
}

interface Stat {
  mode: number;
  owner: string;
  group: string;
  size: number;
  kind: FileFact['kind'];
}

function statsOf(records: readonly FactRecord[]): Map<string, Stat> {
  const kinds: Record<string, FileFact['kind']> = {
    'regular file': 'file',
    'regular empty file': 'file',
    directory: 'folder',
  };
  return new Map(
    records
      .filter(({ key, fields }) => key === 'stat' && fields.length >= 6)
      .map(({ fields: [mode = '', owner = '', group = '', size = '', kind = '', ...path] }) => [
        path.join('\t'),
        { mode: Number.parseInt(mode, 8) & 0o7777, owner, group, size: Number(size), kind: kinds[kind] ?? 'other' },
      ]),
  );
}

function filesOf(records: readonly FactRecord[], { files, secrets }: FactQuestions): HostFacts['files'] {
  const stats = statsOf(records);
  const about = (key: string) =>
    new Map(records.filter((record) => record.key === key).map(({ fields, data }) => [fields.join('\t'), data]));
  const [links, denied, contents, publicKeys] = [about('link'), about('denied'), about('content'), about('publickey')];
  const sums = new Map(
    linesOf(records, 'sum').flatMap((line) => {
      const [, sum = '', path = ''] = /^([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? [];
      return sum ? [[path, sum] as const] : [];
    }),
  );
  const facts: HostFacts['files'] = {};
  for (const path of [...files, ...secrets]) {
    const stat = stats.get(path);
    const link = links.get(path);
    if (!stat && !link && !denied.has(path)) continue;
    const content = files.includes(path) && !secrets.includes(path) ? contents.get(path) : undefined;
    const publicKey = publicKeys.get(path);
    facts[path] = {
      path,
      ...(stat ?? { mode: 0, owner: '', group: '', size: 0, kind: 'other' }),
      // A link that leads to a file is that file, reached through a link (`target`); one that leads nowhere is a link.
      ...(link && { target: link.toString().replace(/\n$/, ''), ...(!stat && { kind: 'link' }) }),
      ...(sums.has(path) && { sha256: sums.get(path) }),
      ...(content && content.length <= MAX_CONTENT && { content: content.toString() }),
      ...(publicKey && publicKey.length > 0 && { publicKey: publicKey.toString('base64') }),
      ...(denied.has(path) && { unreadable: true }),
    };
  }
  return facts;
}

function dataDirsOf(records: readonly FactRecord[], { dataDirs }: FactQuestions): HostFacts['dataDirs'] {
  const stats = statsOf(records);
  return Object.fromEntries(
    dataDirs.map((path): [string, DataDirFact] => {
      const stat = stats.get(path);
      const unreadable = records.some(({ key, fields }) => key === 'denied' && fields.join('\t') === path);
      const [, empty, wal] = records.find(({ key, fields }) => key === 'datadir' && fields[0] === path)?.fields ?? [];
      return [
        path,
        {
          path,
          exists: stat !== undefined,
          hasWal: wal === 'yes',
          empty: empty === 'yes',
          ...(stat && { mode: stat.mode, owner: stat.owner, group: stat.group }),
          ...(unreadable && { unreadable }),
        },
      ];
    }),
  );
}

function servicesOf(records: readonly FactRecord[], { questions, hostNow }: ParseContext): HostFacts['services'] {
  const uptime = Number(records.find(({ key }) => key === 'uptime')?.fields[0] ?? Number.NaN);
  // Start times are counted in hundredths of a second since boot, on every architecture that Linux tells it of.
  const startedAt = (pid: number) => {
    const ticks = records.find(({ key, fields }) => key === 'started' && Number(fields[0]) === pid)?.fields[1];
    return ticks === undefined || Number.isNaN(uptime)
      ? undefined
      : Math.round(hostNow - (uptime - Number(ticks) / 100) * 1000);
  };
  const main = (text: string | undefined) => {
    const pid = Number(text ?? 0);
    if (!(pid > 0)) return {};
    const started = startedAt(pid);
    return { mainPid: pid, ...(started !== undefined && { startedAt: started }) };
  };
  // One block a unit, in the order they were asked for, an empty line between.
  const blocks = linesOf(records, 'unit').join('\n').split('\n\n');
  return Object.fromEntries(
    questions.services.map((name, index): [string, ServiceFact] => {
      const properties = Object.fromEntries(
        (blocks[index] ?? '')
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      if (properties.LoadState !== undefined) {
        const fragment = [properties.FragmentPath, properties.DropInPaths].filter(Boolean).join(' ');
        const masked = properties.LoadState === 'masked' || (properties.UnitFileState ?? '').startsWith('masked');
        return [
          name,
          {
            name,
            exists: properties.LoadState !== 'not-found',
            active: properties.ActiveState ?? 'inactive',
            enabled: properties.UnitFileState === 'enabled' || properties.UnitFileState === 'enabled-runtime',
            masked,
            ...(fragment && { fragment }),
            ...main(properties.MainPID),
            needsReload: properties.NeedDaemonReload === 'yes',
          },
        ];
      }
      const [, state, enabled, pid] =
        records.find(({ key, fields }) => key === 'rc' && fields[0] === name)?.fields ?? [];
      const words: Record<string, string> = {
        started: 'active',
        starting: 'activating',
        stopping: 'deactivating',
        crashed: 'failed',
      };
      return [
        name,
        {
          name,
          exists: state !== undefined,
          active: words[state ?? 'inactive'] ?? state ?? 'inactive',
          enabled: enabled === 'yes',
          masked: false,
          ...(state !== undefined && { fragment: `/etc/init.d/${name}` }),
          ...main(pid),
        },
      ];
    }),
  );
}
