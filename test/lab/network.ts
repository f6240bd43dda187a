/**
 * The lab's network: a namespace with a bridge in which the program under test runs, and one namespace per host with a
 * cable to the bridge. Nothing in it has a route to the outside.
 */
import { readdir } from 'node:fs/promises';
import { must } from '../setup/process.ts';

/** Where members talk, and the second network that a host's sshd can be on. */
export const MEMBER_NET = '10.77.0';
export const MANAGEMENT_NET = '10.78.0';

/**
 * How hosts are managed. `shared`: SSH and etcd at one address. `extra`: SSH at 10.78.0.x, etcd at 10.77.0.x, the
 * controller reaches both. `only`: the controller has no route to 10.77.0.x.
 */
export type Management = 'shared' | 'extra' | 'only';

/** The controller's own address, at which DNS and the web server listen. */
export const gateway = (management: Management): string => `${management === 'only' ? MANAGEMENT_NET : MEMBER_NET}.1`;

const ip = (commands: string[]): Promise<string> => must('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n` });

/** Makes the controller's namespace with its bridges. */
export async function createLabNet(ns: string, management: Management): Promise<void> {
  await ip([`netns add ${ns}`]);
  const inside = ['link set lo up', 'link add members type bridge', 'link set members up'];
  if (management !== 'only') inside.push(`addr add ${MEMBER_NET}.1/24 dev members`);
  if (management !== 'shared')
    inside.push('link add manage type bridge', 'link set manage up', `addr add ${MANAGEMENT_NET}.1/24 dev manage`);
  await must('ip', ['-n', ns, '-batch', '-'], { input: `${inside.join('\n')}\n` });
}

/** Makes a host's namespace and plugs it in; addresses are set by {@link setAddresses}. */
export async function plugHost(ns: string, hostNs: string, number: number, management: Management): Promise<void> {
  const cable = (end: string, device: string): string =>
    `link add ${end} netns ${ns} type veth peer name ${device} netns ${hostNs}`;
  const commands = [`netns add ${hostNs}`, cable(`m${number}`, 'eth0')];
  if (management !== 'shared') commands.push(cable(`a${number}`, 'eth1'));
  await ip(commands);
  const plug = [`link set m${number} master members up`];
  if (management !== 'shared') plug.push(`link set a${number} master manage up`);
  await must('ip', ['-n', ns, '-batch', '-'], { input: `${plug.join('\n')}\n` });
  await must('ip', ['-n', hostNs, 'link', 'set', 'lo', 'up']);
}

export interface HostAddresses {
  address: string;
  management?: string;
}

/** Gives a host its addresses, as its DHCP client or network manager would at boot. */
export async function setAddresses(hostNs: string, { address, management }: HostAddresses): Promise<void> {
  const commands = [`addr replace ${address}/24 dev eth0`, 'link set eth0 up'];
  if (management !== undefined) commands.push(`addr replace ${management}/24 dev eth1`, 'link set eth1 up');
  await must('ip', ['-n', hostNs, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Takes a host's addresses away: a machine that has no network yet. */
export async function dropAddresses(hostNs: string, { management }: HostAddresses): Promise<void> {
  const commands = ['addr flush dev eth0', 'link set eth0 down'];
  if (management !== undefined) commands.push('addr flush dev eth1', 'link set eth1 down');
  await must('ip', ['-n', hostNs, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Namespaces whose name begins with the prefix. */
export async function namespaces(prefix: string): Promise<string[]> {
  const names = await readdir('/run/netns').catch(() => []);
  return names.filter((name) => name.startsWith(prefix));
}

export async function deleteNamespace(name: string): Promise<void> {
  await must('ip', ['netns', 'del', name]);
}
