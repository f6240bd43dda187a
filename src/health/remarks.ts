/** Remarks in words, worst first, with their thresholds. Pure. */
import { daysLeft as daysLeftOf } from '../pki/expiry.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { JudgeOptions } from './judge.ts';
import type { MemberHealth } from './types.ts';

/** etcd itself logs «apply request took too long» above this (DefaultWarnApplyDuration), milliseconds. */
const SLOW_MS = 100;
/** etcd refuses requests when this many entries are committed but not applied (maxGapBetweenApplyAndCommitIndex). */
const MAX_APPLY_GAP = 5000;
/** From here on an expiry is worth a word. */
const EXPIRY_DAYS = 30;

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** The earliest end of validity, epoch milliseconds; undefined without certificates. */
export function firstExpiry(certificates: readonly CertificateInfo[]): number | undefined {
  return certificates.length === 0 ? undefined : Math.min(...certificates.map(({ notAfter }) => notAfter));
}

export function memberRemarks(
  member: MemberHealth,
  { foreign, leaderId }: { foreign: boolean; leaderId: string | undefined },
): string[] {
  const { sample, daysLeft, lag, role } = member;
  const remarks: string[] = [];
  if (sample.error !== undefined) remarks.push(sample.error);
  if (foreign) remarks.push('belongs to another cluster');
  if (sample.complaint !== undefined) remarks.push(sample.complaint);
  if (daysLeft !== undefined && daysLeft < 0) remarks.push(`its certificate expired ${plural(-daysLeft, 'day')} ago`);
  else if (daysLeft !== undefined && daysLeft <= EXPIRY_DAYS)
    remarks.push(
      daysLeft === 0 ? 'its certificate expires today' : `its certificate expires in ${plural(daysLeft, 'day')}`,
    );
  if (sample.failedAt !== undefined || foreign) return remarks;
  if (sample.alarms.length > 0) remarks.push(`alarm ${sample.alarms.join(', ')}`);
  if (
    sample.leaderId !== undefined &&
    sample.leaderId !== '0' &&
    leaderId !== undefined &&
    sample.leaderId !== leaderId
  )
    remarks.push('sees another leader: an election is under way, or it is cut off');
  if (lag !== undefined && lag > MAX_APPLY_GAP) remarks.push(`${lag} entries behind the leader`);
  const gap = (sample.raftIndex ?? 0) - (sample.raftAppliedIndex ?? sample.raftIndex ?? 0);
  if (gap > MAX_APPLY_GAP) remarks.push(`${gap} entries wait to be applied: its disk or processor does not keep up`);
  if (sample.latencyMs !== undefined && sample.latencyMs > SLOW_MS)
    remarks.push(`answers slowly (${Math.round(sample.latencyMs)} ms): slow disk, busy host or slow network`);
  if (role === 'learner') remarks.push('a learner: has no vote yet');
  if (sample.tls === 'plain') remarks.push('plain http: nothing is encrypted and everybody is let in');
  if (sample.limited) remarks.push('only /health answers: raft, size and role are not known');
  return remarks;
}

/** Remarks on the cluster as a whole. */
export function clusterRemarks(
  members: readonly MemberHealth[],
  view: { unseen: readonly string[]; leaderId: string | undefined; options: JudgeOptions },
): string[] {
  const { unseen, leaderId, options } = view;
  const up = members.filter((member) => member.up);
  const remarks: string[] = [];
  const clusters = new Set(members.flatMap((member) => member.sample.clusterId ?? []));
  if (clusters.size > 1)
    remarks.push(
      `the endpoints belong to ${clusters.size} different clusters: a member was started with another token, or with the data of another cluster`,
    );
  if (up.length > 0 && leaderId === undefined && up.some((member) => !member.sample.limited))
    remarks.push('there is no leader: nothing can be written');
  const alarms = new Set(members.flatMap((member) => member.sample.alarms));
  if (alarms.has('NOSPACE'))
    remarks.push(
      'alarm NOSPACE: the database is full, etcd takes only reads and deletes until it is compacted, defragmented and the alarm disarmed',
    );
  if (alarms.has('CORRUPT')) remarks.push('alarm CORRUPT: the members’ data differ; replace the member that is wrong');
  remarks.push(...versionRemarks(up));
  const strangers =
    options.expected &&
    (options.known ?? []).filter((each) => each.name !== '' && !options.expected?.includes(each.name));
  if (strangers && strangers.length > 0)
    remarks.push(
      `the cluster has ${plural(strangers.length, 'member')} that the profile does not name: ${strangers.map((each) => each.name).join(', ')}`,
    );
  const missing =
    options.known && options.expected?.filter((name) => !options.known?.some((each) => each.name === name));
  // An unstarted member has no name yet, so it may be one of those that are missing.
  if (missing && missing.length > 0)
    remarks.push(`not a member of the cluster, or never started: ${missing.join(', ')}`);
  if (unseen.length > 0) remarks.push(`not looked at: ${unseen.join(', ')}`);
  const around = up.filter(({ sample }) => sample.viaSsh === true).map(({ name }) => name);
  if (around.length > 0)
    remarks.push(`this machine has no way of its own to ${around.join(', ')}: looked at through SSH to the host`);
  for (const { name, certificate } of options.extraCertificates ?? []) {
    if (members.some((member) => member.name === name)) continue;
    const days = daysLeftOf(certificate.notAfter, options.now);
    if (days < 0) remarks.push(`${name} expired ${plural(-days, 'day')} ago`);
    else if (days <= 30) remarks.push(`${name} expires in ${plural(days, 'day')}`);
  }
  return remarks;
}

function versionRemarks(up: readonly MemberHealth[]): string[] {
  const byVersion = new Map<string, string[]>();
  for (const { name, sample } of up)
    if (sample.version) byVersion.set(sample.version, [...(byVersion.get(sample.version) ?? []), name]);
  if (byVersion.size < 2) return [];
  const minors = [...byVersion.keys()].map((version) => Number(version.split('.')[1] ?? 0));
  const apart = Math.max(...minors) - Math.min(...minors);
  const list = [...byVersion].map(([version, names]) => `${version} (${names.join(', ')})`).join(', ');
  if (apart > 1) return [`versions are too far apart: ${list}; etcd allows one minor version between members`];
  return [apart === 1 ? `versions differ: ${list}; finish the upgrade` : `versions differ: ${list}`];
}
