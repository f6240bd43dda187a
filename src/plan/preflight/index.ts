/** Every check there is, in the order in which a person would want to hear of it. */
import type { PreflightFinding } from '../types.ts';
import type { ClusterView } from '../view.ts';
import { authorityHere } from './authority.ts';
import type { Check } from './finding.ts';
import { initSystem, narrowUserland, privilege, reachable, readable, supported } from './host.ts';
import { dataDirChanged, identityChanged, logLost, membershipChanged, tokenChanged, trustChanged } from './identity.ts';
import { clock, diskSpace, fileSystem } from './machine.ts';
import { multicastNames, nameResolution } from './names.ts';
import { duplicates, memberCount, ownAddress, portsFree, reachEachOther } from './network.ts';
import { filesInTheWay, foreignEtcd, leftOverData, otherCluster, otherClusterRuns } from './occupied.ts';
import { etcdPresent, flags, versionMix } from './software.ts';

const CHECKS: readonly Check[] = [
  supported,
  reachable,
  privilege,
  readable,
  initSystem,
  authorityHere,
  dataDirChanged,
  identityChanged,
  tokenChanged,
  trustChanged,
  membershipChanged,
  logLost,
  otherCluster,
  otherClusterRuns,
  foreignEtcd,
  leftOverData,
  etcdPresent,
  versionMix,
  flags,
  clock,
  ownAddress,
  duplicates,
  nameResolution,
  multicastNames,
  portsFree,
  reachEachOther,
  fileSystem,
  diskSpace,
  narrowUserland,
  filesInTheWay,
  memberCount,
];

const ORDER = { stop: 0, warn: 1, note: 2 };

/** All findings, what stops first. */
export function preflight(cluster: ClusterView): PreflightFinding[] {
  return CHECKS.flatMap((check) => check(cluster)).sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}
