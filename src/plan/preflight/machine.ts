/** Checks of a host's clock and disks. */
import type { HostView } from '../view.ts';
import { bytes, type Check, duration, listed, note, stop, warn } from './finding.ts';

/** A certificate is backdated, so a little skew hurts nobody; at 30 s leases and logs begin to mislead. */
const SKEW_STOP_MS = 30_000;
/** etcd's own prober warns from here on. */
const SKEW_NOTE_MS = 1000;
/** A new member preallocates two log segments of 64 MB; the database may grow to 2 GiB by default. */
const DISK_STOP = 512 * 2 ** 20;
const DISK_WARN = 3 * 2 ** 30;
/** Configuration, certificates and their backups are far smaller than this. */
const SYSTEM_DISK_STOP = 8 * 2 ** 20;

export const clock: Check = ({ input, hosts, state }) => {
  if (input.embedded) return [];
  // Of an even number no middle one is to be had: then this machine's own clock counts too.
  const skews = [...hosts.map(({ facts }) => facts.clock.skewMs), ...(hosts.length % 2 === 0 ? [0] : [])].sort(
    (a, b) => a - b,
  );
  const median = skews[Math.floor((skews.length - 1) / 2)] ?? 0;
  // With hosts that agree the controller's clock is the odd one out: said once, not once a host.
  if (
    hosts.length > 1 &&
    hosts.every(({ facts }) => Math.abs(facts.clock.skewMs - median) <= SKEW_NOTE_MS + facts.clock.errorMs) &&
    Math.abs(median) - Math.max(...hosts.map(({ facts }) => facts.clock.errorMs)) > SKEW_STOP_MS
  ) {
    return [
      stop('clock-skew', names(hosts), {
        what: `This machine’s clock and the hosts’ are ${duration(median)} apart.`,
        why: `The hosts agree with each other, so it is probably this machine that is ${median > 0 ? 'behind' : 'ahead'}: certificates made here would look ${median > 0 ? 'shorter-lived than they are' : 'not yet valid'} there.`,
        remedy: ['Set this machine’s clock, then run the same command again:', 'sudo timedatectl set-ntp true'],
      }),
    ];
  }
  // In a container the machine below keeps the clock, so a missing time service is no more than worth knowing.
  const unattended = state === 'new' ? hosts.filter(({ facts }) => facts.clock.service === undefined) : [];
  return [
    ...hosts.flatMap((view) => skewOf(view, median)),
    ...(unattended.length > 0
      ? [
          note('clock-unattended', names(unattended), {
            what: `No time service was found on ${listed(names(unattended))}.`,
            why: 'Without one, and without a machine below that keeps the clock, certificates are not yet valid after a power cut.',
            remedy: ['Install one on the host, unless it is a container:', 'sudo apt-get install systemd-timesyncd'],
          }),
        ]
      : []),
  ];
};

function skewOf(
  {
    name,
    facts: {
      clock: { skewMs, errorMs, synchronised, service },
    },
  }: HostView,
  median: number,
) {
  const fromHosts = skewMs - median;
  const worst = Math.abs(fromHosts) > Math.abs(skewMs) ? fromHosts : skewMs;
  // Only what is certain counts: the measurement may be off by half of the round trip.
  const certain = Math.abs(worst) - errorMs;
  const direction = worst < 0 ? 'behind' : 'ahead of';
  const remedy = ['Set the clock on the host and keep it set:', 'sudo timedatectl set-ntp true'];
  if (certain > SKEW_STOP_MS) {
    return [
      stop('clock-skew', [name], {
        what: `${name}’s clock is ${duration(worst)} ${direction} the others.`,
        why:
          worst < 0
            ? 'Certificates would look «not yet valid» there. A Raspberry Pi has no battery-backed clock: it needs a time server after every start.'
            : 'Certificates would expire early there, and leases would be counted wrongly.',
        remedy,
      }),
    ];
  }
  if (certain > SKEW_NOTE_MS)
    return [
      warn('clock-drift', [name], {
        what: `${name}’s clock is ${duration(worst)} ${direction} the others.`,
        why: 'etcd works with it but warns of clock drift in its log.',
        remedy,
      }),
    ];
  if (synchronised === false) {
    return [
      warn('clock-unsynchronised', [name], {
        what: `${name}’s clock is right now, but ${service ?? 'its time service'} has not reached a time server.`,
        why: 'After a power cut a host without a battery-backed clock starts in the past, where certificates are not yet valid.',
        remedy: ['Look at it on the host:', 'timedatectl timesync-status'],
      }),
    ];
  }
  return [];
}

export const fileSystem: Check = ({ input, hosts }) =>
  hosts.flatMap(({ name, facts, layout }) => {
    const typeOf = (path: string) => facts.mounts.find((mount) => mount.path === path)?.fsType ?? '';
    const volatileType = (type: string) =>
      type === 'tmpfs' || type === 'ramfs' || type.includes('overlay') || type === 'aufs';
    const data = typeOf(layout.dataDir);
    const root = typeOf('/');
    const remedy = [
      'Put etcd.dataDir on a real disk, or end the overlay (raspi-config, Performance, Overlay File System).',
    ];
    if (volatileType(data)) {
      const memory = data === 'tmpfs' || data === 'ramfs';
      const text = {
        what: `On ${name} the data directory ${layout.dataDir} lies on ${data}.`,
        why: memory
          ? 'It is in memory: after a restart the member’s data would be gone.'
          : 'Unless its upper layer is a disk, the member’s data is gone after a restart.',
        remedy,
      };
      return [
        memory && !input.embedded
          ? stop('volatile-data', [name], text)
          : input.embedded
            ? note('volatile-data', [name], text)
            : warn('volatile-data', [name], text),
      ];
    }
    if (volatileType(root) && !input.embedded)
      return [
        warn('volatile-root', [name], {
          what: `${name}’s root file system is ${root}.`,
          why: 'Unless its upper layer is a disk, configuration and certificates are gone after a restart.',
          remedy,
        }),
      ];
    return [];
  });

export const diskSpace: Check = ({ input, hosts }) =>
  hosts.flatMap(({ name, facts, layout, started }) => {
    const room = (path: string) => facts.mounts.find((mount) => mount.path === path);
    const remedy = ['Make room, or choose another etcd.dataDir before the cluster is made.'];
    const system = ['/etc/etcd', '/'].map(room).find((mount) => mount !== undefined);
    if (!input.embedded && system && system.availableBytes < SYSTEM_DISK_STOP) {
      return [
        stop('disk-full', [name], {
          what: `${name} has ${bytes(system.availableBytes)} left on the file system of ${system.path}.`,
          why: 'Configuration, certificates and backups would not fit.',
          remedy: [
            'Make room on the host:',
            system.path === '/' ? 'sudo apt-get clean' : `sudo du -xah ${system.path} | sort -h | tail`,
          ],
        }),
      ];
    }
    const data = room(layout.dataDir);
    if (data === undefined || data.availableBytes >= DISK_WARN) return [];
    const text = {
      what: `${name} has ${bytes(data.availableBytes)} left where ${layout.dataDir} is.`,
      why: 'etcd’s database may grow to 2 GiB unless quota-backend-bytes says otherwise; without room it stops taking writes.',
      remedy,
    };
    // A member that already runs is not made better by refusing to look after it.
    if (data.availableBytes < DISK_STOP && !started && !input.embedded) return [stop('disk-space', [name], text)];
    return input.embedded ? [] : [warn('disk-space', [name], text)];
  });

const names = (views: readonly HostView[]): string[] => views.map(({ name }) => name);
