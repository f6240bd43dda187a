/**
 * What samples of single endpoints mean together. Pure: the clock is handed in.
 *
 * The four states:
 * - `healthy`: every voting member answers, sees the same leader, and has neither alarm nor complaint.
 * - `degraded`: the cluster serves (a quorum answers, or one member proved by a linearizable read that a quorum stands behind
 *   it), but something is wrong.
 * - `no-quorum`: what was seen shows that it does not serve: too many members are known to be down, or those that answer say so.
 * - `unknown`: nothing was learnt: no member answered, and the failures may as well be ours (no route, no name, our CA or
 *   client certificate refused).
 */
import { daysLeft as daysLeftOf } from '../pki/expiry.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { EtcdMember } from './gateway.ts';
import { clusterRemarks, firstExpiry, memberRemarks, plural } from './remarks.ts';
import type { ClusterHealth, MemberHealth, Sample } from './types.ts';

export interface JudgeOptions {
  /** Epoch milliseconds. */
  now: number;
  /** Names of the members that should be there (the profile's); those without a sample count as not looked at. */
  expected?: readonly string[];
  /** What the cluster says of its members: gives names, learners, and members that nobody pointed at. */
  known?: readonly EtcdMember[];
  /**
   * Further certificates whose expiry matters. Named as a member they count as that member's (its peer certificate is not
   * seen on the client port); others, such as the CA, get a remark of their own.
   */
  extraCertificates?: readonly { name: string; certificate: CertificateInfo }[];
}

/** Failures that show the member itself to be down or not serving; every other one may be a fault of ours or of the network. */
const DOWN: ReadonlySet<Sample['failure']> = new Set(['refused', 'silent', 'etcd']);

export function judge(samples: readonly Sample[], options: JudgeOptions): ClusterHealth {
  const clusterId = mostCommon(samples.map((sample) => sample.clusterId));
  const leaderId = mostCommon(
    samples
      .filter((sample) => sample.clusterId === clusterId)
      .map((sample) => (sample.leaderId === '0' ? undefined : sample.leaderId)),
  );
  const leaderSample = samples.find(
    (sample) => sample.memberId !== undefined && sample.memberId === leaderId && sample.clusterId === clusterId,
  );
  const members = samples.map((sample) => judgeMember(sample, { clusterId, leaderId, leaderSample, options }));
  const votes = countVotes(members, options);
  const state = stateOf(members, votes);
  const leader =
    members.find((member) => member.role === 'leader')?.name ??
    (leaderId && options.known?.find((each) => each.id === leaderId)?.name);
  const days = members.flatMap((member) => member.daysLeft ?? []);
  return {
    state,
    quorum: quorumInWords(state, votes),
    up: votes.up,
    total: votes.total,
    mayFail: votes.up - votes.needed,
    ...(leader && { leader }),
    ...(leaderSample?.term !== undefined ? { term: leaderSample.term } : termOf(members)),
    ...(clusterId !== undefined && { clusterId }),
    ...(days.length > 0 && { daysLeft: Math.min(...days) }),
    members,
    remarks: clusterRemarks(members, { unseen: votes.unseen, leaderId, options }),
  };
}

interface View {
  clusterId: string | undefined;
  leaderId: string | undefined;
  leaderSample: Sample | undefined;
  options: JudgeOptions;
}

function judgeMember(sample: Sample, { clusterId, leaderId, leaderSample, options }: View): MemberHealth {
  const foreign = sample.clusterId !== undefined && sample.clusterId !== clusterId;
  const answered = sample.failedAt === undefined;
  const learner =
    sample.isLearner ?? options.known?.find((each) => each.name === sample.endpoint.name)?.isLearner ?? false;
  const role =
    !answered || foreign || sample.memberId === undefined
      ? learner
        ? 'learner'
        : 'unknown'
      : learner
        ? 'learner'
        : sample.memberId === leaderId
          ? 'leader'
          : sample.leaderId === '0'
            ? 'unknown'
            : 'follower';
  const lag =
    leaderSample?.raftIndex !== undefined && sample.raftIndex !== undefined && !foreign && answered
      ? Math.max(0, leaderSample.raftIndex - sample.raftIndex)
      : undefined;
  const own = options.extraCertificates?.filter((each) => each.name === sample.endpoint.name) ?? [];
  const expiry = firstExpiry([...sample.chain, ...own.map(({ certificate }) => certificate)]);
  const daysLeft = expiry === undefined ? undefined : daysLeftOf(expiry, options.now);
  const member: MemberHealth = {
    name: sample.endpoint.name,
    url: sample.endpoint.url,
    role,
    up: answered && !foreign,
    sample,
    ...(lag !== undefined && { lag }),
    ...(daysLeft !== undefined && { daysLeft }),
    remarks: [],
  };
  member.remarks = memberRemarks(member, { foreign, leaderId });
  return member;
}

interface Votes {
  /** Voting members: learners do not count. */
  total: number;
  needed: number;
  /** Voting members that answered. */
  up: number;
  /** Voting members that are known not to serve. */
  down: number;
  /** Names of voting members that nobody looked at. */
  unseen: string[];
  /** A member proved by a linearizable read that a quorum stands behind it. */
  proven: boolean;
}

function countVotes(members: readonly MemberHealth[], { expected, known }: JudgeOptions): Votes {
  const voting = distinct(members.filter((member) => member.role !== 'learner'));
  const unseen = known === undefined ? unseenOf(expected ?? [], members) : unseenOfKnown(known, members);
  const total = known === undefined ? voting.length + unseen.length : known.filter((each) => !each.isLearner).length;
  return {
    total: Math.max(total, 1),
    needed: Math.floor(Math.max(total, 1) / 2) + 1,
    up: voting.filter((member) => member.up).length,
    down: voting.filter((member) => DOWN.has(member.sample.failure)).length,
    unseen,
    proven: voting.some((member) => member.up && member.sample.quorumRead === true),
  };
}

/** Until the cluster was asked, the profile says who has a vote. */
function unseenOf(expected: readonly string[], members: readonly MemberHealth[]): string[] {
  return expected.filter((name) => !members.some((member) => member.name === name));
}

/** Members to which none of the endpoints leads. An endpoint that never answered may lead to any of them. */
function unseenOfKnown(known: readonly EtcdMember[], members: readonly MemberHealth[]): string[] {
  const unseen = known.filter(
    (each) =>
      !each.isLearner && !members.some((member) => member.sample.memberId === each.id || member.name === each.name),
  );
  const anonymous = members.filter(
    (member) => member.sample.memberId === undefined && !known.some((each) => each.name === member.name),
  );
  return unseen.slice(anonymous.length).map((each) => each.name || '(not started yet)');
}

/** Two endpoints of one member (localhost and its address) are one vote. */
function distinct(members: readonly MemberHealth[]): MemberHealth[] {
  const ids = new Set<string>();
  return members.filter(({ sample: { memberId } }) => {
    if (memberId === undefined || memberId === '0') return true;
    const first = !ids.has(memberId);
    ids.add(memberId);
    return first;
  });
}

function stateOf(members: readonly MemberHealth[], votes: Votes): ClusterHealth['state'] {
  if (votes.up === 0 && !votes.proven) return votes.down > votes.total - votes.needed ? 'no-quorum' : 'unknown';
  const leaderless = members
    .filter((member) => member.up && member.role !== 'learner')
    .every((member) => member.sample.leaderId === '0');
  if (!votes.proven && (votes.up < votes.needed || leaderless || readFails(members))) return 'no-quorum';
  const well = members.every(
    (member) =>
      member.up && member.sample.healthy && (member.sample.complaint === undefined || member.sample.limited === true),
  );
  const expired = members.some((member) => (member.daysLeft ?? 0) < 0);
  const leaders = new Set(
    members
      .filter((member) => member.up && member.sample.leaderId !== undefined)
      .map((member) => member.sample.leaderId),
  );
  return well && !expired && leaders.size <= 1 ? 'healthy' : 'degraded';
}

/** Every member that answered says that a read through the quorum fails. */
const readFails = (members: readonly MemberHealth[]): boolean => {
  const reads = members.filter((member) => member.up).flatMap((member) => member.sample.quorumRead ?? []);
  return reads.length > 0 && reads.every((read) => !read);
};

function quorumInWords(state: ClusterHealth['state'], { up, total, needed, unseen }: Votes): string {
  const count = `${up} of ${total}`;
  if (state === 'unknown') return `nothing known of ${plural(total, 'member')}: no look succeeded`;
  if (unseen.length > 0 && state !== 'no-quorum' && up + unseen.length >= needed) {
    return up < needed
      ? `${count} up, ${unseen.length} not looked at; the cluster has a quorum`
      : `${count} up, ${unseen.length} not looked at`;
  }
  if (state === 'no-quorum')
    return up >= needed
      ? `${count} up, but no leader: ${needed} must agree on one`
      : `${count} up, quorum lost: ${needed} needed`;
  if (up < needed) return `${count} reached; the cluster still has a quorum`;
  return `${count} up, ${up === needed ? 'none' : up - needed} may fail`;
}

const termOf = (members: readonly MemberHealth[]): { term?: number } => {
  const terms = members.filter((member) => member.up).flatMap((member) => member.sample.term ?? []);
  return terms.length > 0 ? { term: Math.max(...terms) } : {};
};

/** The value that most samples have; of two equally common the first. */
function mostCommon(values: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((left, right) => right[1] - left[1])[0]?.[0];
}
