/** Parts of the facts that are read from tools' own output: addresses, listeners, mounts, processes, packages. */
import { posix } from 'node:path';
import type { EtcdProcess, HostFacts, Listener, Mount } from '../facts.ts';
import type { FactRecord } from './facts-lines.ts';

/** Records of one key, as their fields joined again: the lines of a tool. */
export const linesOf = (records: readonly FactRecord[], key: string): string[] =>
  records.filter((record) => record.key === key).map(({ fields }) => fields.join('\t'));

export function addressesOf(records: readonly FactRecord[]): HostFacts['addresses'] {
  const leases = new Set(records.filter(({ key }) => key === 'lease').map(({ fields }) => fields.join(':')));
  const addresses = linesOf(records, 'ip').flatMap((line) => {
    const [, index, name, family, address] = /^(\d+): +(\S+) +(inet6?) +([0-9a-fA-F.:]+)/.exec(line) ?? [];
    if (index === undefined || name === undefined || address === undefined) return [];
    const [device = name] = name.split('@');
    const leased = family === 'inet' && (leases.has(`index:${index}`) || leases.has(`name:${device}`));
    return [{ interface: device, address, dynamic: leased || /\bdynamic\b/.test(line) }];
  });
  if (addresses.length > 0) return addresses;
  let device = '';
  return linesOf(records, 'ifconfig').flatMap((line) => {
    device = /^([^\s:]+)/.exec(line)?.[1] ?? device;
    const address = /inet6? (?:addr: ?)?([0-9a-fA-F.:]+)/.exec(line)?.[1];
    return address === undefined ? [] : [{ interface: device, address, dynamic: leases.has(`name:${device}`) }];
  });
}

export function listenersOf(records: readonly FactRecord[]): Listener[] {
  const split = (local: string, rest: { process?: string; pid?: string }): Listener[] => {
    const [, address, port] = /^(.*):(\d+)$/.exec(local) ?? [];
    if (address === undefined || port === undefined) return [];
    const bare = address.replace(/^\[|\]$/g, '').replace(/%\S+$/, '');
    return [
      {
        address: bare,
        port: Number(port),
        ...(rest.process !== undefined && { process: rest.process }),
        ...(rest.pid !== undefined && { pid: Number(rest.pid) }),
      },
    ];
  };
  const ss = linesOf(records, 'ss').flatMap((line) => {
    const [state, , , local = ''] = line.trim().split(/\s+/);
    const [, process, pid] = /users:\(\("(.*?)",pid=(\d+)/.exec(line) ?? [];
    return state === 'LISTEN' ? split(local, { process, pid }) : [];
  });
  const netstat = linesOf(records, 'netstat').flatMap((line) => {
    const [protocol = '', , , local = ''] = line.trim().split(/\s+/);
    const [, pid, process] = /LISTEN\s+(\d+)\/(.*?)\s*$/.exec(line) ?? [];
    return protocol.startsWith('tcp') ? split(local, { process, pid }) : [];
  });
  const kernel = linesOf(records, 'proctcp').flatMap((line) => {
    const [, hex = '', port] = /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) /.exec(line) ?? [];
    return port === undefined ? [] : [{ address: kernelAddress(hex), port: Number.parseInt(port, 16) }];
  });
  return [...ss, ...netstat, ...kernel];
}

/** /proc/net/tcp writes addresses as 32-bit words of the machine's byte order (little endian on all that etcd runs on). */
function kernelAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.every((byte) => byte === 0)) return '::';
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${words.join(':')}]/`).hostname.slice(1, -1);
}

export function mountsOf(records: readonly FactRecord[]): Mount[] {
  const decode = (text: string) =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  const mounted = records
    .filter(({ key }) => key === 'mounted')
    .map(({ fields: [point = '', type = '', source = ''] }) => ({
      point: decode(point),
      type,
      source: decode(source),
    }));
  const sizes = new Map(
    records
      .filter(({ key }) => key === 'fs')
      .map(({ fields: [block, total, free, type, ...path] }) => [path.join('\t'), { block, total, free, type }]),
  );
  return records
    .filter(({ key }) => key === 'mount')
    .flatMap(({ fields: [path = '', real = ''] }) => {
      const size = sizes.get(real);
      if (size === undefined) return [];
      const within = mounted.filter(({ point }) => point === '/' || real === point || real.startsWith(`${point}/`));
      // The deepest one; of several on one point the last one mounted is seen.
      const on = within.reduce<(typeof within)[number] | undefined>(
        (best, one) => (best && best.point.length > one.point.length ? best : one),
        undefined,
      );
      const block = Number(size.block);
      return [
        {
          path,
          fsType: on?.type ?? size.type ?? 'unknown',
          source: on?.source ?? '',
          availableBytes: Number(size.free) * block,
          sizeBytes: Number(size.total) * block,
        },
      ];
    });
}

export function etcdProcessesOf(records: readonly FactRecord[]): EtcdProcess[] {
  return records.flatMap(({ key, fields: [pid, user = '', service, cwd = ''] }, index) => {
    if (key !== 'etcdprocess' || !/^\d+$/.test(pid ?? '')) return [];
    const rest = records.slice(index + 1);
    const next = rest.findIndex((record) => record.key === 'etcdprocess');
    const own = next < 0 ? rest : rest.slice(0, next);
    const data = (name: string) => own.find((record) => record.key === name)?.data.toString();
    const argv = (data('argv') ?? '').split('\0').slice(0, -1);
    // Gone meanwhile, or asked for its version by another look at the same host at this very moment: no member.
    if (argv.length === 0 || argv.some((word) => /^--?(version|help|h)$/.test(word))) return [];
    const environment = Object.fromEntries(
      (data('environ') ?? '')
        .split('\n')
        .flatMap((line) =>
          /^ETCD_\w+=/.test(line) ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]] : [],
        ),
    );
    const dataDir = posix.resolve(cwd.startsWith('/') ? cwd : '/', dataDirOf(argv, environment, data('config')));
    return [{ pid: Number(pid), user, argv, environment, ...(service && { service }), dataDir }];
  });
}

/** As etcd does it: a configuration file is all that counts, else flags before environment before `NAME.etcd`. */
function dataDirOf(argv: readonly string[], environment: Record<string, string>, config: string | undefined): string {
  const flag = (name: string) => {
    const at = argv.findLastIndex((word) => new RegExp(`^--?${name}(=|$)`).test(word));
    const word = argv[at];
    return word === undefined ? undefined : word.includes('=') ? word.slice(word.indexOf('=') + 1) : argv[at + 1];
  };
  const yaml = (name: string) => {
    const value = new RegExp(`^(?:${name}|'${name}'|"${name}")\\s*:\\s*(.*?)\\s*(?:\\s#.*)?$`, 'm').exec(
      config ?? '',
    )?.[1];
    return value?.replace(/^(['"])(.*)\1$/, '$2') || undefined;
  };
  if (config !== undefined) return yaml('data-dir') ?? `${yaml('name') ?? 'default'}.etcd`;
  const name = flag('name') ?? environment.ETCD_NAME ?? 'default';
  return flag('data-dir') ?? environment.ETCD_DATA_DIR ?? `${name}.etcd`;
}

export function packageOf(records: readonly FactRecord[]): HostFacts['package'] {
  const word = records.find(({ key }) => key === 'package')?.fields[0] ?? '';
  const manager = word === 'apt' || word === 'apk' || word === 'dnf' ? word : 'none';
  const installed = records.find(({ key, fields }) => key === 'installed' && fields[1] === 'installed')?.fields;
  if (installed?.[0]) return { manager, name: installed[0], installed: installed[2] };
  const apk = (key: string) =>
    linesOf(records, key)
      .map((line) => /^(etcd)-(\d\S*) /.exec(line))
      .find(Boolean);
  const present = apk('apkinstalled');
  if (present) return { manager, name: present[1], installed: present[2] };
  const available = apk('apkavailable');
  if (available) return { manager, name: available[1], candidate: available[2] };
  let name: string | undefined;
  for (const line of linesOf(records, 'policy')) {
    name = /^(\S+):$/.exec(line)?.[1] ?? name;
    const candidate = /^ +Candidate: (\S+)$/.exec(line)?.[1];
    if (name !== undefined && candidate !== undefined && candidate !== '(none)') return { manager, name, candidate };
  }
  return { manager };
}
