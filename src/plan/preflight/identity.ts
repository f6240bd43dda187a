/**
 * Checks that a member stays who it is. Cluster name, token, data directory, peer addresses and membership are never
 * changed by a replay: etcd would begin an empty cluster, or be refused by the others.
 */

import { isLeftOver } from '../foreign.ts';
import type { ClusterView, HostView } from '../view.ts';
import { isKnownHere } from '../view.ts';
import { type Check, listed, stop, verb } from './finding.ts';

const command = (...words: string[]) => ['etcd-wizard', ...words].join(' ');

/** The host's configuration says that its data lies elsewhere, and nothing says that no data is there. */
function movedFrom({ current, layout, facts, writtenFor, ours }: HostView): string | undefined {
  const before = current?.ETCD_DATA_DIR;
  if (!ours || writtenFor === undefined || before === undefined || before === layout.dataDir) return undefined;
  return facts.dataDirs[before]?.hasWal === false ? undefined : before;
}

export const dataDirChanged: Check = ({ called, hosts }) => {
  const moved = hosts.flatMap((view) => {
    const before = movedFrom(view);
    return before === undefined ? [] : [{ name: view.name, before, after: view.layout.dataDir }];
  });
  return [...new Set(moved.map(({ before }) => before))].map((before) => {
    const same = moved.filter((each) => each.before === before);
    const names = same.map(({ name }) => name);
    return stop('data-dir-changed', names, {
      what: `The profile puts the data of ${listed(names)} into ${same[0]?.after}; it lies in ${before}.`,
      why: 'A member started on an empty folder would silently begin an empty cluster. A replay never moves data.',
      remedy: [
        `Put etcd.dataDir: ${before} back into the profile, or replace the ${verb(names.length, 'member', 'members one by one')}:`,
        ...names.map((name) => command('member', 'replace', called, name)),
      ],
    });
  });
};

export const identityChanged: Check = ({ input: { observed }, called, hosts }) =>
  hosts.flatMap((view) => {
    const { name, current, started, ours, member, host } = view;
    if (!ours || !started || current === undefined) return [];
    const findings = [];
    const before = current.ETCD_NAME;
    if (before !== undefined && before !== name) {
      findings.push(
        stop('name-changed', [name], {
          what: `The member on ${host.address} is called ${before}, not ${name}.`,
          why: 'The other members know it by its name and its data carries it.',
          remedy: [
            `Put name: ${before} back into the profile, or replace the member:`,
            command('member', 'replace', called, before, '--address', host.address, '--name', name),
          ],
        }),
      );
    }
    const told = observed?.members.find((each) => each.name === name)?.peerUrls;
    const known = told ?? (current.ETCD_INITIAL_ADVERTISE_PEER_URLS ?? member.peerUrl).split(',');
    if (!known.includes(member.peerUrl)) {
      findings.push(
        stop('peer-address-changed', [name], {
          what: `${name} is known to the others as ${listed(known)}; the profile says ${member.peerUrl}.`,
          why: 'Peer addresses are kept in the cluster itself; changed in a configuration file alone they do nothing.',
          remedy: [
            'Put the old address (addressing, address, dnsNames or peerPort) back into the profile, or replace the member:',
            command('member', 'replace', called, name, '--address', host.address),
          ],
        }),
      );
    }
    return findings;
  });

/** Etcd takes no notice of another token once it has data; the profile would say what is not so. */
export const tokenChanged: Check = ({ hosts, token }) => {
  const carried = hosts.flatMap(({ name, ours, started, current }) =>
    ours && started && current?.ETCD_INITIAL_CLUSTER_TOKEN !== undefined
      ? [{ name, old: current.ETCD_INITIAL_CLUSTER_TOKEN }]
      : [],
  );
  const others = [...new Set(carried.map(({ old }) => old))].filter((old) => old !== token);
  return others.map((old) => {
    const names = carried.filter((each) => each.old === old).map(({ name }) => name);
    return stop('token-changed', names, {
      what: `${listed(names)} ${verb(names.length, 'belongs', 'belong')} to a cluster with the token ${old}, not ${token}.`,
      why: 'The token is part of the cluster’s identity and is fixed when its members start for the first time. Another cluster of the same name may have been made from another machine.',
      remedy: [`Put token: ${old} back under etcd in the profile, or go on from the machine that made this cluster.`],
    });
  });
};

/** With and without a CA of their own, members do not believe each other: there is no way from one to the other host by host. */
export const trustChanged: Check = ({ input: { profile }, called, hosts }) => {
  const same = profile.ca.peers === 'same';
  const changed = hosts.flatMap(({ name, ours, started, current }) => {
    const [client, peer] = [current?.ETCD_TRUSTED_CA_FILE, current?.ETCD_PEER_TRUSTED_CA_FILE];
    return ours && started && client !== undefined && peer !== undefined && (client === peer) !== same ? [name] : [];
  });
  if (changed.length === 0) return [];
  return [
    stop('trust-changed', changed, {
      what: `${listed(changed)} ${verb(changed.length, 'has', 'have')} ${same ? 'a CA of their own for peers' : 'one CA for clients and peers'}; the profile says ca.peers: ${same ? 'same' : 'separate'}.`,
      why: 'Changed host by host, each member would be locked out by the others until the last one is done: it needs a time in which both are trusted, and a replay does not do that.',
      remedy: [
        `Put ca.peers: ${same ? 'separate' : 'same'} back into the profile, or change to new CAs on purpose:`,
        command('certs', 'rotate-ca', called),
      ],
    }),
  ];
};

/** Who belongs to the cluster, by the cluster's own word, else by what its started members were told at first. */
export const membershipChanged: Check = ({ input: { profile, observed }, called, hosts }) => {
  const wanted = profile.hosts.map(({ name }) => name);
  const urls = new Map(hosts.map(({ name, member }) => [name, member.peerUrl]));
  // A member that was added but never started has no name yet; its peer address tells which one it is.
  const told = observed?.members.map(({ name, peerUrls }) =>
    name !== '' ? name : (wanted.find((each) => peerUrls.includes(urls.get(each) ?? '')) ?? listed(peerUrls)),
  );
  const carried = hosts.find(({ ours, started, current }) => ours && started && current?.ETCD_INITIAL_CLUSTER)?.current
    ?.ETCD_INITIAL_CLUSTER;
  const present = told ?? carried?.split(',').map((entry) => entry.split('=')[0] ?? '');
  if (present === undefined) return [];
  // A member under another name is told of by itself: neither to be added nor to be removed.
  const renamed = hosts.flatMap(({ name, ours, started, current }) =>
    ours && started && current?.ETCD_NAME !== undefined && current.ETCD_NAME !== name ? [name, current.ETCD_NAME] : [],
  );
  const missing = wanted.filter((name) => !present.includes(name) && !renamed.includes(name));
  const surplus = present.filter((name) => !wanted.includes(name) && !renamed.includes(name));
  const why =
    'A replay never changes who belongs to the cluster; that is done one member at a time, with quorum looked at before each step.';
  return [
    ...(missing.length > 0
      ? [
          stop('member-missing', missing, {
            what: `${listed(missing)} ${verb(missing.length, 'is', 'are')} in the profile but not in the cluster.`,
            why,
            remedy: missing.map((name) => command('member', 'add', called, name)),
          }),
        ]
      : []),
    ...(surplus.length > 0
      ? [
          stop('member-surplus', surplus, {
            what: `${listed(surplus)} ${verb(surplus.length, 'is', 'are')} in the cluster but not in the profile.`,
            why,
            remedy: [
              'Put it back into the profile, or take it out of the cluster:',
              ...surplus.map((name) => command('member', 'remove', called, name)),
            ],
          }),
        ]
      : []),
  ];
};

/**
 * A member that the others know but whose write-ahead log is gone would vote a second time in elections that it has
 * forgotten: it must come back under a new identity. While others run, etcd itself refuses it («already bootstrapped»);
 * while they do not, nothing but this check would.
 */
export const logLost: Check = (cluster) => {
  const { input, called, hosts } = cluster;
  const { profile } = input;
  const empty = hosts.filter((view) => !view.started && movedFrom(view) === undefined && !isLeftOver(view));
  const lost = empty.filter((view) => wasStarted(cluster, view));
  if (lost.length > 0 && lost.length === hosts.length) {
    return [
      stop(
        'data-lost',
        lost.map(({ name }) => name),
        {
          what: `${profile.name} has been running, but none of its members has any data.`,
          why: 'Starting now would make an empty cluster in its place.',
          remedy: [
            'Restore a snapshot:',
            command('snapshot', 'restore', called),
            'To begin anew without the old data, take the cluster down first:',
            command('uninstall', called),
          ],
        },
      ),
    ];
  }
  const unsure =
    input.observed === undefined && !isKnownHere(input.state) && hosts.some(({ started }) => started)
      ? empty.filter((view) => !lost.includes(view))
      : [];
  return [
    ...lost.map(({ name, host, layout }) =>
      stop('wal-lost', [name], {
        what: `${name} has been a member, but its data is gone (${layout.dataDir}/member/wal).`,
        why: 'Started empty under its old identity it could vote twice and lose what the cluster has confirmed. It has to come back as a new member.',
        remedy: [command('member', 'replace', called, name, '--address', host.address)],
      }),
    ),
    ...(unsure.length > 0
      ? [
          stop(
            'wal-unsure',
            unsure.map(({ name }) => name),
            {
              what: `Whether ${listed(unsure.map(({ name }) => name))} ${verb(unsure.length, 'has', 'have')} ever been started cannot be told from here.`,
              why: 'Other members have data and none of them answers; this machine did not make the cluster. A member that lost its data must not be started empty.',
              remedy: [
                'Go on from the machine that made the cluster, or start the other members first:',
                `sudo systemctl start etcd`,
              ],
            },
          ),
        ]
      : []),
  ];
};

/** Published client URLs mean that it has been up once; without a word from the others the first proof does. */
function wasStarted({ input: { observed, state } }: ClusterView, { name }: HostView): boolean {
  if (observed) return (observed.members.find((each) => each.name === name)?.clientUrls.length ?? 0) > 0;
  return state.bootstrappedAt !== undefined;
}
