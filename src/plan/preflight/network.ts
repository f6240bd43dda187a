/** Checks between hosts: names, addresses, ports, and how many members there are. */
import { canonicalIp } from '../../pki/ip.ts';
import type { HostView } from '../view.ts';
import { type Check, listed, note, stop, verb, warn } from './finding.ts';

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

export const ownAddress: Check = ({ input, hosts }) => {
  if (input.embedded) return [];
  return hosts.flatMap(({ name, host, facts }) => {
    const entry = facts.addresses.find(({ address }) => canonicalIp(address) === canonicalIp(host.address));
    if (entry === undefined && !isLoopback(host.address)) {
      const others = facts.addresses
        .filter(({ address }) => !isLoopback(address) && !address.startsWith('fe80:'))
        .map(({ address, interface: where }) => `${address} (${where})`);
      return [
        stop('address-missing', [name], {
          what: `${name} does not have the address ${host.address}.`,
          why: `etcd listens on it and could not start. The host has ${others.length > 0 ? listed(others) : 'no address'}. An address that a router translates cannot be listened on.`,
          remedy: ['Give the host that address, or put one that it has into the profile.'],
        }),
      ];
    }
    if (!entry?.dynamic) return [];
    return [
      warn('address-leased', [name], {
        what: `${name} has ${host.address} from DHCP.`,
        why: 'A member’s address is part of the cluster: when the lease changes, the member is lost to the others.',
        remedy: ['Reserve the address in your router’s DHCP settings, or set it on the host.'],
      }),
    ];
  });
};

/** Profile hosts that are one machine would overwrite each other's files. */
export const duplicates: Check = ({ input, hosts }) => {
  if (input.embedded) return [];
  return hosts.flatMap((view, index) => {
    const earlier = hosts.slice(0, index);
    const sameAddress = earlier.find(({ host }) => canonicalIp(host.address) === canonicalIp(view.host.address));
    const sameId =
      view.facts.machineId === undefined
        ? undefined
        : earlier.find(({ facts }) => facts.machineId === view.facts.machineId);
    if (sameAddress) {
      return [
        stop('duplicate-address', [sameAddress.name, view.name], {
          what: `${sameAddress.name} and ${view.name} have the same address ${view.host.address}.`,
          why: 'They would be one host with one set of files.',
          remedy: ['Correct hosts in the profile; to try a cluster on one machine:', 'etcd-wizard try'],
        }),
      ];
    }
    if (sameId === undefined) return [];
    if (sameId.facts.hostname === view.facts.hostname) {
      return [
        stop('same-machine', [sameId.name, view.name], {
          what: `${sameId.name} and ${view.name} are the same machine (${view.facts.hostname}).`,
          why: 'Both SSH connections ended on a host with the same name and machine id.',
          remedy: ['Correct address or ssh.host of one of them in the profile.'],
        }),
      ];
    }
    return [
      warn('duplicate-machine-id', [sameId.name, view.name], {
        what: `${sameId.name} and ${view.name} have the same machine id.`,
        why: 'One was cloned from the other: they may get the same address by DHCP, and logs cannot be told apart.',
        remedy: [
          `Give ${view.name} an id of its own and restart it:`,
          'sudo rm /etc/machine-id && sudo systemd-machine-id-setup && sudo reboot',
        ],
      }),
    ];
  });
};

export const portsFree: Check = ({ input, hosts }) =>
  hosts.flatMap((view) => {
    const { name, facts, host, member } = view;
    const etcds = [...view.foreign, ...(view.process ? [view.process] : [])];
    // An etcd is told of by the checks of what runs there already; one of ours is meant to listen.
    const expected = ({ pid, process }: { pid?: number; process?: string }) =>
      pid === undefined ? process === 'etcd' && etcds.length > 0 : etcds.some((each) => each.pid === pid);
    const clash = (address: string, also: string[]) =>
      ['*', '0.0.0.0', '::', ''].includes(address) ||
      [host.address, ...also].map(canonicalIp).includes(canonicalIp(address));
    const metrics = metricsPort(view, input.profile.etcd.metricsUrl);
    const wanted = [
      { port: member.clientPort, field: 'clientPort', also: input.embedded ? [] : ['127.0.0.1'] },
      { port: member.peerPort, field: 'peerPort', also: [] },
      ...(metrics === undefined ? [] : [{ port: metrics, field: 'metricsUrl', also: ['127.0.0.1'] }]),
    ];
    return wanted.flatMap(({ port, field, also }) => {
      const taken = facts.listeners.find((each) => each.port === port && clash(each.address, also) && !expected(each));
      if (taken === undefined) return [];
      const who =
        taken.process === undefined
          ? 'another program'
          : `${taken.process}${taken.pid === undefined ? '' : ` (process ${taken.pid})`}`;
      return [
        stop('port-in-use', [name], {
          what: `On ${name} port ${port} is taken by ${who}.`,
          why: 'etcd needs it and could not start.',
          remedy: [
            `Stop that program, or choose another ${field} for ${name} in the profile.`,
            `sudo ss -ltnp 'sport = :${port}'`,
          ],
        }),
      ];
    });
  });

function metricsPort({ host }: HostView, fallback: string): number | undefined {
  const url = URL.canParse(host.metricsUrl ?? fallback) ? new URL(host.metricsUrl ?? fallback) : undefined;
  return url === undefined ? undefined : Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

/** «Refused» is as good as open: the packet got there and nothing listens yet. */
export const reachEachOther: Check = ({ input }) => {
  const { dials } = input;
  const word = { client: 'client port', peer: 'peer port' };
  const between = (from: string, outcome: string[]) =>
    dials.filter((dial) => (dial.from === 'controller') === (from === 'controller') && outcome.includes(dial.outcome));
  const blocked = between('host', ['timeout', 'unreachable', 'unresolved']).map(({ from, to, port, outcome, detail }) =>
    stop('blocked', [from, to], {
      what: `${from} cannot reach ${to}’s ${word[port]}${outcome === 'timeout' ? ': no answer at all' : outcome === 'unresolved' ? ': its name does not resolve' : ': no route'}.`,
      why:
        outcome === 'timeout'
          ? 'A port that nothing listens on answers «refused» at once; silence means that a firewall between them drops the packets.'
          : (detail ?? 'The network between them does not carry it.'),
      remedy: [
        `Allow TCP from ${from} to ${to}, on ${to} or on the router between them, for example:`,
        `sudo ufw allow proto tcp from ${addressOf(input, from)} to any port ${portOf(input, to, port)}`,
      ],
    }),
  );
  const unchecked = [...new Set(between('host', ['unchecked']).map(({ from }) => from))];
  const noRoute = [...new Set(between('controller', ['timeout', 'unreachable', 'unresolved']).map(({ to }) => to))];
  return [
    ...blocked,
    ...(unchecked.length > 0
      ? [
          note('dial-unchecked', unchecked, {
            what: `Whether ${listed(unchecked)} ${verb(unchecked.length, 'reaches', 'reach')} the other members is not checked beforehand.`,
            why: 'The SSH server there forbids forwarding (AllowTcpForwarding no), and no tool on the host can dial for us.',
            remedy: [],
          }),
        ]
      : []),
    ...(noRoute.length > 0
      ? [
          note('controller-no-route', noRoute, {
            what: `This machine has no way of its own to ${listed(noRoute)}’s etcd ports.`,
            why: 'Health and proof go through the SSH connections instead. Clients on this machine could not reach them either.',
            remedy: [],
          }),
        ]
      : []),
  ];
};

const hostOf = ({ profile }: { profile: { hosts: HostView['host'][] } }, name: string) =>
  profile.hosts.find((host) => host.name === name);
const addressOf = (input: Parameters<typeof hostOf>[0], name: string): string => hostOf(input, name)?.address ?? name;
function portOf(input: Parameters<Check>[0]['input'], name: string, port: 'client' | 'peer'): number {
  const host = hostOf(input, name);
  return port === 'client'
    ? (host?.clientPort ?? input.profile.etcd.clientPort)
    : (host?.peerPort ?? input.profile.etcd.peerPort);
}

export const memberCount: Check = ({ input: { profile } }) => {
  const count = profile.hosts.length;
  const spare = Math.floor((count - 1) / 2);
  if (count === 1)
    return [
      note('one-member', [], {
        what: 'One member: no other takes over when it is down.',
        why: 'With three members one may fail.',
        remedy: [],
      }),
    ];
  if (count % 2 === 0) {
    return [
      note('even-members', [], {
        what: `${count} members: ${spare === 0 ? 'none' : spare} may fail, as with ${count - 1}.`,
        why: `A majority of ${count} is ${count / 2 + 1}; the ${count === 2 ? 'second' : 'last'} member adds work and something that can fail, but no safety. Odd numbers are better.`,
        remedy: [],
      }),
    ];
  }
  return count > 7
    ? [
        note('many-members', [], {
          what: `${count} members: every write waits for ${Math.floor(count / 2) + 1} of them.`,
          why: 'etcd’s authors advise at most seven; five already survive two failures.',
          remedy: [],
        }),
      ]
    : [];
};
