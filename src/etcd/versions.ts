/** Which flag exists in which version of etcd: the one table, from the flag definitions of 3.3.27, 3.4.45, 3.5.33, 3.6.14 and 3.7.1. */

/** Versions that the table knows; a later one may have flags that we have never heard of. */
const NEWEST_KNOWN = [3, 7];

interface FlagGroup {
  /** First version with these flags; where they came to older releases by a patch, one version for each minor. */
  since: string;
  /** First version without them. */
  gone?: string;
  flags: string;
  /** What to write instead where `gone` applies, `%` standing for the name without «experimental-». */
  instead?: string;
}

const RENAMED = '%';
const TABLE: readonly FlagGroup[] = [
  {
    since: '3.3.0',
    flags:
      'auth-token-ttl auto-compaction-mode auto-compaction-retention cipher-suites election-timeout enable-pprof grpc-keepalive-interval grpc-keepalive-min-time grpc-keepalive-timeout heartbeat-interval initial-election-tick-advance listen-metrics-urls max-request-bytes max-snapshots max-txn-ops max-wals metrics quota-backend-bytes snapshot-count strict-reconfig-check',
  },
  {
    since: '3.3.0',
    gone: '3.5.0',
    flags: 'debug log-package-levels log-output',
    instead: 'log-level (and log-outputs)',
  },
  { since: '3.3.0', gone: '3.7.0', flags: 'experimental-corrupt-check-time', instead: RENAMED },
  {
    since: '3.3.0',
    gone: '3.7.0',
    flags: 'experimental-initial-corrupt-check',
    instead: 'feature-gates: InitialCorruptCheck=true',
  },
  {
    since: '3.4.0',
    flags:
      'backend-batch-interval backend-batch-limit discovery-srv-name enable-grpc-gateway log-level log-outputs logger pre-vote',
  },
  { since: '3.4.22 3.5.5', flags: 'max-concurrent-streams' },
  { since: '3.4.25 3.5.8', flags: 'tls-min-version tls-max-version' },
  { since: '3.4.0', gone: '3.5.0', flags: 'experimental-backend-bbolt-freelist-type', instead: RENAMED },
  {
    since: '3.4.0',
    gone: '3.7.0',
    flags:
      'experimental-compaction-batch-limit experimental-warning-apply-duration experimental-watch-progress-notify-interval',
    instead: RENAMED,
  },
  {
    since: '3.4.0',
    gone: '3.7.0',
    flags: 'experimental-enable-lease-checkpoint',
    instead: 'feature-gates: LeaseCheckpoint=true',
  },
  {
    since: '3.4.16 3.5.1',
    gone: '3.7.0',
    flags: 'experimental-enable-lease-checkpoint-persist',
    instead: 'feature-gates: LeaseCheckpointPersist=true',
  },
  {
    since: '3.5.0',
    flags:
      'backend-bbolt-freelist-type enable-log-rotation log-rotation-config-json raft-read-timeout raft-write-timeout socket-reuse-address socket-reuse-port v2-deprecation',
  },
  {
    since: '3.5.0',
    gone: '3.7.0',
    flags:
      'experimental-bootstrap-defrag-threshold-megabytes experimental-compact-hash-check-time experimental-compaction-sleep-interval experimental-distributed-tracing-address experimental-distributed-tracing-instance-id experimental-distributed-tracing-sampling-rate experimental-distributed-tracing-service-name experimental-downgrade-check-time experimental-enable-distributed-tracing experimental-memory-mlock experimental-snapshot-catchup-entries experimental-warning-unary-request-duration',
    instead: RENAMED,
  },
  {
    since: '3.5.0',
    gone: '3.7.0',
    flags: 'experimental-compact-hash-check-enabled',
    instead: 'feature-gates: CompactHashCheck=true',
  },
  {
    since: '3.5.0',
    gone: '3.7.0',
    flags: 'experimental-stop-grpc-service-on-defrag',
    instead: 'feature-gates: StopGRPCServiceOnDefrag=true',
  },
  {
    since: '3.5.0',
    gone: '3.7.0',
    flags: 'experimental-txn-mode-write-with-shared-buffer',
    instead: 'feature-gates: TxnModeWriteWithSharedBuffer=true',
  },
  {
    since: '3.6.0',
    flags:
      'bootstrap-defrag-threshold-megabytes compact-hash-check-time compaction-batch-limit compaction-sleep-interval corrupt-check-time distributed-tracing-address distributed-tracing-instance-id distributed-tracing-sampling-rate distributed-tracing-service-name downgrade-check-time enable-distributed-tracing feature-gates log-format max-learners memory-mlock snapshot-catchup-entries warning-apply-duration warning-unary-request-duration watch-progress-notify-interval',
  },
];

const groupOf = (flag: string): FlagGroup | undefined => TABLE.find(({ flags }) => flags.split(' ').includes(flag));

/**
 * Whether a version of etcd knows a flag. etcd only warns of an unknown ETCD_ variable, so a flag that is misspelt or
 * of another version would be ignored without a word.
 * @returns undefined when it is there, else what to do instead, in words
 */
export function flagProblem(flag: string, version: string): string | undefined {
  const group = groupOf(flag);
  if (group === undefined)
    return newerThanTable(version) ? undefined : `no version of etcd has --${flag}; look at its spelling`;
  if (group.gone !== undefined && compareVersions(version, group.gone) >= 0)
    return `etcd ${group.gone.replace(/\.0$/, '')} removed it; use ${group.instead?.replace(RENAMED, flag.replace(/^experimental-/, '')) ?? 'nothing instead'}`;
  if (since(group, version)) return undefined;
  const older = `experimental-${flag}`;
  if (groupOf(older) !== undefined && flagProblem(older, version) === undefined)
    return `in etcd ${minorOf(version)} it is called ${older}`;
  return `it came with etcd ${group.since.split(' ').join(' and ')}; leave it out or use a later etcd`;
}

/** A patch release counts for its own minor, the last one listed for all that follow. */
function since(group: FlagGroup, version: string): boolean {
  const versions = group.since.split(' ');
  const own = versions.find((each) => minorOf(each) === minorOf(version)) ?? versions.at(-1) ?? '';
  return compareVersions(version, own) >= 0;
}

const newerThanTable = (version: string): boolean => {
  const [major = 0, minor = 0] = numbersOf(version);
  return major > (NEWEST_KNOWN[0] ?? 0) || (major === NEWEST_KNOWN[0] && minor > (NEWEST_KNOWN[1] ?? 0));
};

const numbersOf = (version: string): number[] => version.split('.').map((part) => Number.parseInt(part, 10) || 0);

/** Negative when a is older than b; compares numbers, «3.10» is newer than «3.9». */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  return [0, 1, 2].map((index) => (left[index] ?? 0) - (right[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** `3.4` of `3.4.23`. */
export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** etcd's own version in a distribution's (`3.4.23-4+b4`, `3.3.25+dfsg-7`, `1:3.5.16-4`), undefined when there is none. */
export const upstreamVersion = (packageVersion: string): string | undefined =>
  /^(?:\d+:)?(\d+\.\d+\.\d+)/.exec(packageVersion)?.[1];
