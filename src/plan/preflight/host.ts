/** Checks of a host by itself: can it be reached, changed, and can it run etcd. */
import { unsupportedBy } from '../../etcd/layout.ts';
import type { HostView } from '../view.ts';
import { type Check, listed, stop, verb, warn } from './finding.ts';

export const reachable: Check = ({ input, state, called }) => {
  const { profile, observed, unreachable } = input;
  const runs =
    observed && state === 'running'
      ? ` The cluster itself runs (${observed.healthy.length} of ${observed.members.length} members); a replay looks at every host before it changes one.`
      : '';
  return unreachable.map(({ host, what, reason, next }) => {
    const address = profile.hosts.find(({ name }) => name === host)?.address ?? '';
    const gone =
      runs === '' || what !== undefined
        ? []
        : ['If the host is gone for good, put another in its place:', replace(called, host, address)];
    return stop('unreachable', [host], {
      what: what ?? `${host} could not be reached.`,
      why: `${reason}${runs}`.trim(),
      remedy: [...next, ...gone],
    });
  });
};

/** A new host may have the old one's address. */
const replace = (called: string, host: string, address: string): string =>
  `etcd-wizard member replace ${called} ${host} --address ${address}`;

export const supported: Check = ({ input: { profile } }) => {
  const missing = unsupportedBy(profile);
  if (missing.length === 0) return [];
  return [
    stop('unsupported', [], {
      what: `${listed(missing)} ${verb(missing.length, 'is', 'are')} not yet supported by this version.`,
      why: 'It sets up etcd of its own under systemd, from the distribution’s package or as it is already installed, with a CA that it makes itself.',
      remedy: ['Change these fields of the profile, or wait for a later version.'],
    }),
  ];
};

export const privilege: Check = ({ input, hosts }) => {
  if (input.embedded) return [];
  const without = hosts.filter(({ facts }) => facts.privilege === 'none');
  if (without.length === 0) return [];
  return [
    stop('needs-sudo', names(without), {
      what: `On ${listed(names(without))} you cannot become root.`,
      why: `Installing etcd writes below /etc. ${without.map(({ name, facts }) => `On ${name} you are ${facts.user}, for whom neither sudo nor doas works.`).join(' ')}`,
      remedy: [
        'Log in as a user who may use sudo (ssh.user in the profile), or allow it on the host:',
        `usermod -aG sudo ${without[0]?.facts.user ?? 'USER'}`,
      ],
    }),
  ];
};

/** Keys that cannot be read are no reason to issue new ones. */
export const readable: Check = ({ hosts }) =>
  hosts.flatMap(({ name, facts }) => {
    // A data directory that cannot be looked into could hold a member's log.
    const paths = [...Object.values(facts.files), ...Object.values(facts.dataDirs)]
      .filter(({ unreadable }) => unreadable === true)
      .map(({ path }) => path);
    if (paths.length === 0) return [];
    return [
      stop('unreadable', [name], {
        what: `On ${name} ${listed(paths)} could not be read.`,
        why: 'It needs sudo. What cannot be read is not replaced: it may be right.',
        remedy: ['Log in as a user who may use sudo, then run the same command again.'],
      }),
    ];
  });

export const initSystem: Check = ({ input, hosts }) => {
  if (input.embedded) return [];
  const others = hosts.filter(({ facts }) => facts.init !== 'systemd');
  if (others.length === 0) return [];
  return [
    stop('init', names(others), {
      what: `${listed(names(others))} ${verb(others.length, 'does', 'do')} not run systemd.`,
      why: `${listed(others.map(({ name, facts }) => `${name} runs ${facts.os.name || facts.os.id} with ${facts.init === 'openrc' ? 'OpenRC' : 'another init system'}`))}; that is not yet supported by this version.`,
      remedy: ['Use hosts with systemd, such as Debian, Ubuntu or Raspberry Pi OS.'],
    }),
  ];
};

export const narrowUserland: Check = ({ hosts }) => {
  const narrow = hosts.filter(({ goArch }) => goArch === 'arm' || goArch === '386');
  if (narrow.length === 0) return [];
  return [
    warn('32-bit', names(narrow), {
      what: `${listed(names(narrow))} ${verb(narrow.length, 'runs', 'run')} 32-bit programs.`,
      why: 'etcd’s authors test 64-bit only and know of problems on 32-bit; it starts with ETCD_UNSUPPORTED_ARCH, which is set for you. Under a 64-bit kernel only the installed system is 32-bit.',
      remedy: ['For data that you care about install the 64-bit system.'],
    }),
  ];
};

const names = (views: readonly HostView[]): string[] => views.map(({ name }) => name);
