/** Remarks on one member in words, worst first, with their thresholds. Pure. */
import type { CertificateInfo } from '../pki/types.ts';
import type { MemberHealth } from './types.ts';

const DAY_MS = 86_400_000;
/** etcd itself logs «apply request took too long» above this (DefaultWarnApplyDuration), milliseconds. */
const SLOW_MS = 100;
/** etcd refuses requests when this many entries are committed but not applied (maxGapBetweenApplyAndCommitIndex). */
const MAX_APPLY_GAP = 5000;
/** From here on an expiry is worth a word. */
const EXPIRY_DAYS = 30;

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Whole days, rounded down: 0 is «today», negative is over. */
export const daysUntil = (notAfter: number, now: number): number => Math.floor((notAfter - now) / DAY_MS);

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
