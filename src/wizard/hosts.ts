/** Lines that name hosts, as people type and paste them: `pi@10.0.11.1:22`, `pi1=10.0.11.1`, lines of /etc/hosts. */
import { isIP } from 'node:net';
import { cleanLine, isHostile } from '../clean.ts';
import { isDnsName, isUnspecified, LOGIN_NAME, MEMBER_NAME } from '../profile/names.ts';
import type { HostAnswer, HostField } from './types.ts';

const MAX_HOSTS = 99;

export interface ParsedHosts {
  hosts: HostAnswer[];
  failed: { line: string; message: string }[];
}

type Outcome<T> = { ok: true; value: T } | { ok: false; message: string };
const fine = <T>(value: T): Outcome<T> => ({ ok: true, value });
const wrong = (message: string): Outcome<never> => ({ ok: false, message });

/** Text from a person in an error: on one line, visible escapes, at most 40 characters. */
export const brief = (text: string): string => {
  const line = cleanLine(text);
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
};

/** Words of a list separated by spaces, commas or semicolons. */
export const words = (text: string): string[] => text.split(/[\s,;]+/).filter((word) => word !== '');

/**
 * Reads host lines against those already there: names are made up where none is given (pi1, pi2, …), a host without a
 * login takes the one of the host before it, names and addresses must be new.
 * @param text one line or a pasted list; separated by line breaks, commas or semicolons; `#` begins a comment
 */
export function parseHosts(text: string, existing: readonly HostAnswer[]): ParsedHosts {
  const hosts = [...existing];
  const failed: ParsedHosts['failed'] = [];
  const lines = text
    .split(/[\r\n,;]+/)
    .map((each) => each.replace(/(^|\s)#.*$/, '').trim())
    .filter((each) => each !== '');
  for (const line of lines) {
    const outcome = addLine(line, hosts);
    if (outcome.ok) hosts.push(outcome.value);
    else failed.push({ line, message: outcome.message });
  }
  return { hosts, failed };
}

function addLine(line: string, hosts: readonly HostAnswer[]): Outcome<HostAnswer> {
  if (hosts.length >= MAX_HOSTS) return wrong(`More than ${MAX_HOSTS} hosts; etcd works best with 3, 5 or 7.`);
  const parsed = parseLine(line);
  if (!parsed.ok) return parsed;
  const user = parsed.value.ssh.user ?? hosts.at(-1)?.ssh.user;
  const host: HostAnswer = {
    ...parsed.value,
    name: parsed.value.name ?? freeName(hosts),
    ssh: user === undefined ? parsed.value.ssh : { ...parsed.value.ssh, user },
  };
  const clash = clashOf(host, hosts);
  return clash === undefined ? fine(host) : wrong(clash);
}

/** One line, without looking at other hosts. */
function parseLine(line: string): Outcome<Omit<HostAnswer, 'name'> & { name?: string }> {
  if (line.length > 512) return wrong(`«${brief(line)}» is too long for a host.`);
  if (isHostile(line.replace(/\t/g, ' '))) return wrong(`«${brief(line)}» contains a control or invisible character.`);
  const [first = '', ...rest] = line.replace(/\s*=\s*/, '=').split(/\s+/);
  const equals = first.indexOf('=');
  if (equals >= 0) return assemble(first.slice(equals + 1), first.slice(0, equals), rest);
  // `pi1 10.0.11.1`: the address may stand second, as people write tables.
  const second = rest[0];
  if (second !== undefined && readEndpoint(second).ok && !readEndpoint(first).ok)
    return assemble(second, first, rest.slice(1));
  // /etc/hosts: address first, names behind it; the shortest makes the member's name.
  return assemble(first, undefined, rest);
}

function assemble(
  endpointText: string,
  nameText: string | undefined,
  names: readonly string[],
): Outcome<Omit<HostAnswer, 'name'> & { name?: string }> {
  const endpoint = readEndpoint(endpointText);
  if (!endpoint.ok) return endpoint;
  const badName = [...(nameText === undefined ? [] : [nameText]), ...names].find((each) => !isDnsName(each));
  if (badName !== undefined && !(badName === nameText && MEMBER_NAME.test(nameText)))
    return wrong(`«${brief(badName)}» cannot be a name: letters, digits, «-» and «.».`);
  const all = nameText === undefined ? names : [nameText, ...names];
  const name = nameText?.split('.')[0] ?? names.find((each) => !each.includes('.')) ?? names[0]?.split('.')[0];
  const { address, ...ssh } = endpoint.value;
  return fine({
    ...(name === undefined ? {} : { name }),
    address,
    dnsNames: all.filter((each) => each.includes('.')),
    ssh,
  });
}

/** `[user@]address[:port]`, IPv6 with or without brackets (with a port only in brackets). */
function readEndpoint(text: string): Outcome<{ address: string; user?: string; port?: number }> {
  const at = text.lastIndexOf('@');
  const user = at >= 0 ? text.slice(0, at) : undefined;
  const rest = text.slice(at + 1);
  if (user !== undefined && !LOGIN_NAME.test(user)) return wrong(`«${brief(user)}» cannot be a login name.`);
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(rest);
  const plain = /^([^:]*)(?::([^:]*))?$/.exec(rest);
  const [address, portText] = bracketed
    ? [bracketed[1] ?? '', bracketed[2]]
    : plain
      ? [plain[1] ?? '', plain[2]]
      : [rest, undefined];
  const badAddress = addressProblem(address);
  if (badAddress !== undefined) return wrong(badAddress);
  const port = portText === undefined ? undefined : Number(portText);
  if (portText !== undefined && !(/^\d{1,5}$/.test(portText) && Number(portText) >= 1 && Number(portText) <= 65535))
    return wrong(`«${brief(portText)}» is not a port between 1 and 65535.`);
  return fine({ address, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) });
}

/** Why etcd could not be reached by the others under this address; undefined when it could. */
function addressProblem(address: string): string | undefined {
  if (address === '') return 'An address is missing: type one such as 10.0.11.1, or pi@10.0.11.1.';
  if (address.includes('%'))
    return `«${brief(address)}» holds a zone index; etcd needs an address that every host can reach.`;
  if (isIP(address) === 0) {
    if (/^[\d.]+$/.test(address)) return `«${brief(address)}» is not an IPv4 address: four numbers from 0 to 255.`;
    if (isDnsName(address))
      return `«${brief(address)}» is a name; etcd listens on an address. Type both, such as ${address.split('.')[0]}=10.0.11.1.`;
    return `«${brief(address)}» is not an address such as 10.0.11.1 or fd00::11.`;
  }
  if (isUnspecified(address) || address.startsWith('0.'))
    return `«${address}» means every address; the other members need one that they can dial.`;
  if (/^127\.|^(0*:)+0*1$/.test(address))
    return `«${address}» is reachable on its own host only; give the address in your network.`;
  if (/^169\.254\.|^fe[89ab]/i.test(address))
    return `«${address}» is a link-local address and may change; give the host a fixed one.`;
  if (/^(22[4-9]|2[3-5]\d)\.|^ff/i.test(address)) return `«${address}» is not the address of a single host.`;
  return undefined;
}

function freeName(hosts: readonly HostAnswer[]): string {
  const taken = new Set(hosts.map((each) => each.name.toLowerCase()));
  let number = hosts.length + 1;
  while (taken.has(`pi${number}`)) number += 1;
  return `pi${number}`;
}

function clashOf(host: HostAnswer, others: readonly HostAnswer[]): string | undefined {
  const sameName = others.find((each) => each.name.toLowerCase() === host.name.toLowerCase());
  if (sameName) return `There is already a host named ${sameName.name} (${sameName.address}).`;
  const sameAddress = others.find((each) => each.address.toLowerCase() === host.address.toLowerCase());
  return sameAddress && `${host.address} is already the address of ${sameAddress.name}.`;
}

/** How a host is written so that {@link parseHosts} reads the same again. */
export function hostLine(host: HostAnswer): string {
  return [`${host.name}=${sshText(host)}`, ...host.dnsNames].join(' ');
}

/** `user@address:port`, without what is not set. */
function sshText({ address, ssh }: HostAnswer): string {
  const bracket = isIP(address) === 6 && ssh.port !== undefined;
  return `${ssh.user === undefined ? '' : `${ssh.user}@`}${bracket ? `[${address}]` : address}${ssh.port === undefined ? '' : `:${ssh.port}`}`;
}

/** What stands in a cell of the host table when it is edited. */
export function hostField(host: HostAnswer, field: HostField): string {
  if (field === 'dnsNames') return host.dnsNames.join(' ');
  if (field === 'ssh') return sshText({ ...host, address: host.ssh.host ?? host.address });
  return host[field] ?? '';
}

/** One cell of the host table changed; the outcome is the new list or a sentence. */
export function editHost(
  hosts: readonly HostAnswer[],
  index: number,
  field: HostField,
  text: string,
): Outcome<HostAnswer[]> {
  const host = hosts[index];
  if (host === undefined) return wrong('There is no such host.');
  const changed = changeField(host, field, text.trim());
  if (!changed.ok) return changed;
  const clash = clashOf(
    changed.value,
    hosts.filter((_, other) => other !== index),
  );
  return clash === undefined ? fine(hosts.with(index, changed.value)) : wrong(clash);
}

function changeField(host: HostAnswer, field: HostField, text: string): Outcome<HostAnswer> {
  if (isHostile(text)) return wrong(`«${brief(text)}» contains a control or invisible character.`);
  switch (field) {
    case 'name':
      return MEMBER_NAME.test(text)
        ? fine({ ...host, name: text })
        : wrong(`«${brief(text)}» cannot be a member name: letters, digits, «-», «_» and «.».`);
    case 'address': {
      const problem = addressProblem(text);
      return problem === undefined ? fine({ ...host, address: text }) : wrong(problem);
    }
    case 'dnsNames': {
      const names = words(text);
      const bad = names.find((each) => !isDnsName(each));
      return bad === undefined
        ? fine({ ...host, dnsNames: [...new Set(names)] })
        : wrong(`«${brief(bad)}» is not a DNS name such as pi1.home.`);
    }
    case 'zone':
      return text.length <= 63
        ? fine({ ...host, zone: text === '' ? undefined : text })
        : wrong('A zone is a short name such as az1.');
    case 'ssh':
      return changeSsh(host, text);
  }
}

/** `user@host:port`: the way in, which may lead over another name or address than etcd's. */
function changeSsh(host: HostAnswer, text: string): Outcome<HostAnswer> {
  const match = /^(?:([^@]*)@)?(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const [, user, bracketed, plain, port] = match ?? [];
  const target = bracketed ?? plain ?? (isIP(text.split('@').at(-1) ?? '') === 6 ? text.split('@').at(-1) : undefined);
  const login = match ? user : text.includes('@') ? text.split('@')[0] : undefined;
  if (target === undefined || (target !== '' && isIP(target) === 0 && !isDnsName(target)))
    return wrong(`«${brief(text)}» is not a way to log in such as pi@pi1.lan:22.`);
  if (login !== undefined && !LOGIN_NAME.test(login)) return wrong(`«${brief(login)}» cannot be a login name.`);
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535))
    return wrong(`«${port}» is not a port between 1 and 65535.`);
  const { host: _host, user: _user, port: _port, ...kept } = host.ssh;
  return fine({
    ...host,
    ssh: {
      ...kept,
      ...(target === '' || target === host.address ? {} : { host: target }),
      ...(login === undefined ? {} : { user: login }),
      ...(port === undefined ? {} : { port: Number(port) }),
    },
  });
}
