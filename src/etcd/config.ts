/** The configuration of one member: which flag has which value, in the order in which it is written. */
import { isIPv6 } from 'node:net';
import type { Profile, ProfileHost } from '../profile/schema.ts';
import type { Layout } from './layout.ts';
import { membersOf, urlHost } from './members.ts';
import { compareVersions } from './versions.ts';

export type Setting = readonly [flag: string, value: string];

/**
 * Every flag of a member, each once: etcd exits when a flag is set both in the environment and on the command line, so
 * the environment file is the only place.
 *
 * `initial-cluster-state` stays `new` for good. etcd reads the `initial-*` settings only while a member has no
 * write-ahead log; afterwards membership comes from its data. What could go wrong is a member whose log was lost and that
 * would begin an empty one under its old identity: the plan stops there and names `member replace`.
 */
export function memberConfig(
  profile: Profile,
  host: ProfileHost,
  { version, token, layout }: { version: string; token: string; layout: Layout },
): Setting[] {
  const members = membersOf(profile);
  const member = members.find(({ name }) => name === host.name);
  if (member === undefined) throw new RangeError(`${host.name} is not a host of ${profile.name}`);
  // etcd binds to addresses only («expected IP in URL for binding»). One that appears late after boot makes it exit, and
  // the service manager tries again until it is there.
  const address = urlHost(host.address);
  const loopback = isIPv6(host.address) ? '[::1]' : '127.0.0.1';
  const clientUrls = [address, ...(isLoopback(host.address) ? [] : [loopback])].map(
    (each) => `https://${each}:${member.clientPort}`,
  );
  return [
    ['name', host.name],
    ['data-dir', layout.dataDir],
    ['listen-client-urls', clientUrls.join(',')],
    ['advertise-client-urls', member.clientUrl],
    ['listen-peer-urls', `https://${address}:${member.peerPort}`],
    ['initial-advertise-peer-urls', member.peerUrl],
    ['listen-metrics-urls', (host.metricsUrl ?? profile.etcd.metricsUrl).replace(/\/$/, '')],
    ['initial-cluster', members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')],
    ['initial-cluster-state', 'new'],
    ['initial-cluster-token', token],
    ['cert-file', layout.certificates.server.cert],
    ['key-file', layout.certificates.server.key],
    ['trusted-ca-file', layout.trust.client],
    ['client-cert-auth', 'true'],
    ['peer-cert-file', layout.certificates.peer.cert],
    ['peer-key-file', layout.certificates.peer.key],
    ['peer-trusted-ca-file', layout.trust.peer],
    ['peer-client-cert-auth', 'true'],
    ...loggerOf(profile, version),
    ...Object.entries(profile.etcd.extraArgs)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([flag, value]): Setting => [flag, String(value)]),
  ];
}

/** 3.4 still logs by capnslog unless told otherwise, without the reasons of refused handshakes; zap is the default since 3.5. */
function loggerOf(profile: Profile, version: string): Setting[] {
  const needed =
    compareVersions(version, '3.4.0') >= 0 &&
    compareVersions(version, '3.5.0') < 0 &&
    profile.etcd.extraArgs.logger === undefined;
  return needed ? [['logger', 'zap']] : [];
}

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** `ETCD_INITIAL_CLUSTER` of `initial-cluster` (etcd's pkg/flags). */
export const variableOf = (flag: string): string => `ETCD_${flag.toUpperCase().replaceAll('-', '_')}`;
