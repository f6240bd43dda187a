/** A member's configuration as files: the environment file and systemd's unit. */
import { quote } from '../quote.ts';
import type { Setting } from './config.ts';
import { variableOf } from './config.ts';
import { environmentLine } from './environment-file.ts';
import type { Layout } from './layout.ts';

/** The first line of what we write: by it a host is known as one of this cluster's. */
const header = (cluster: string): string =>
  `# Written by etcd-wizard for the cluster ${cluster}: the next replay replaces what is changed here.`;

/** @returns the cluster for which etcd-wizard wrote this file, or undefined when it did not write it. */
export function writtenFor(text: string): string | undefined {
  return /^# Written by etcd-wizard for the cluster ([a-z0-9-]+): /.exec(text)?.[1];
}

/** @param unsupportedArch value of ETCD_UNSUPPORTED_ARCH where this etcd would refuse to start without it */
export function renderEnvironmentFile(cluster: string, settings: readonly Setting[], unsupportedArch?: string): string {
  return `${[
    header(cluster),
    '# etcd takes every setting from here; a flag of the same name on the command line would be fatal.',
    ...settings.map(([flag, value]) => environmentLine(variableOf(flag), value)),
    ...(unsupportedArch === undefined
      ? []
      : [
          '# This etcd refuses to start on this architecture without it.',
          environmentLine('ETCD_UNSUPPORTED_ARCH', unsupportedArch),
        ]),
  ].join('\n')}\n`;
}

/**
 * The unit. It waits as long as it takes for the other members (they may boot much later) and starts again for ever, so
 * that a cluster without power, clock or address for a while comes back by itself.
 */
export function renderUnit(cluster: string, layout: Layout, binary: string): string {
  // In a unit «%» begins a specifier and «$» a variable; neither is in a path that the profile's schema lets through.
  const word = (path: string) => path.replaceAll('%', '%%');
  return `${header(cluster)}
[Unit]
Description=etcd member of ${cluster}
Documentation=https://etcd.io/docs/ man:etcd(1)
Wants=network-online.target time-sync.target
After=network-online.target time-sync.target
# Never give up: an address or a clock may come minutes after boot.
StartLimitIntervalSec=0

[Service]
Type=notify
User=etcd
Group=etcd
EnvironmentFile=${word(layout.confFile)}
ExecStart=${quote(word(binary))}
Restart=always
RestartSec=2s
# etcd reports ready once it has joined a quorum; until then it waits for the others.
TimeoutStartSec=infinity
TimeoutStopSec=60s
LimitNOFILE=65536
OOMScoreAdjust=-900
UMask=0077

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths=${word(layout.dataDir)}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}
