/** Looks at a whole cluster: once, until it is well, or to learn its members. */
import type { Emit } from '../apply/events.ts';
import { pause } from '../apply/parallel.ts';
import { WizardError } from '../errors.ts';
import type { Member } from '../etcd/members.ts';
import type { ObservedCluster } from '../plan/types.ts';
import type { Transport } from '../remote/transport.ts';
import type { Timeouts } from './connect.ts';
import { EndpointError } from './failure.ts';
import { judge } from './judge.ts';
import { dialFrom, Link } from './link.ts';
import type { ClusterHealth, MemberHealth, Sample, TlsCredentials } from './types.ts';

export interface ClusterTarget {
  members: readonly Pick<Member, 'name' | 'clientUrl'>[];
  credentials: TlsCredentials;
  /** Open connections by member name: the way for members to which there is no direct one. */
  transports?: ReadonlyMap<string, Transport>;
  timeouts?: Partial<Timeouts>;
}

/** One link a member, in the members' order. The caller closes them. */
export function linksOf({ members, credentials, transports, timeouts }: ClusterTarget): Link[] {
  return members.map(({ name, clientUrl }) => {
    const transport = transports?.get(name);
    return new Link({ name, url: clientUrl }, credentials, {
      timeouts,
      fallback: transport && dialFrom(transport, clientUrl, timeouts?.connect),
    });
  });
}

/** One look at every member, all at once. Never rejects for what it finds. */
export async function lookOnce(target: ClusterTarget): Promise<ClusterHealth> {
  const links = linksOf(target);
  try {
    return judgeAll(await Promise.all(links.map((link) => link.look())), target);
  } finally {
    for (const link of links) link.close();
  }
}

const judgeAll = (samples: readonly Sample[], { members }: ClusterTarget) =>
  judge(samples, { now: Date.now(), expected: members.map(({ name }) => name) });

/**
 * What the running cluster says of itself; undefined when no member answers.
 * @throws what the signal was aborted with
 */
export async function observeCluster(
  target: ClusterTarget & { signal?: AbortSignal },
): Promise<ObservedCluster | undefined> {
  const links = linksOf(target);
  try {
    const samples = await unlessAborted(Promise.all(links.map((link) => link.look())), target.signal);
    // A member with a quorum behind it knows best; one that is cut off still knows what the list was.
    const order = links
      .map((link, index) => ({ link, sample: samples[index] }))
      .filter(({ sample }) => sample?.failedAt === undefined && !sample?.limited);
    order.sort((left, right) => Number(right.sample?.quorumRead ?? false) - Number(left.sample?.quorumRead ?? false));
    for (const { link } of order) {
      try {
        const list = await link.client.members();
        const leader = samples.find(({ memberId, leaderId }) => memberId !== undefined && memberId === leaderId);
        return {
          ...list,
          healthy: samples.filter(({ healthy }) => healthy).map(({ endpoint }) => endpoint.name),
          ...(leader && { leader: leader.endpoint.name }),
        };
      } catch (thrown) {
        if (!(thrown instanceof EndpointError)) throw thrown;
      }
    }
    return undefined;
  } finally {
    for (const link of links) link.close();
  }
}

export interface WaitOptions {
  signal: AbortSignal;
  timeoutMs: number;
  emit: Emit;
  /** Members that must take part; all of the target's by default. */
  required?: readonly string[];
}

/** Between two looks, milliseconds: quick at first, since a small cluster is there within a second. */
const PAUSES_MS = [100, 150, 250, 400];
const PAUSE_MS = 500;

/**
 * Waits until every required member takes part: it answers, sees a leader, and reads through the quorum. Alarms and old
 * certificates do not keep it waiting. Tells the reason for the wait whenever it changes.
 * @throws WizardError `quorum` when the time is over, with each member's reason; `interrupted`
 */
export async function waitForQuorum(
  target: ClusterTarget,
  { signal, timeoutMs, emit, required }: WaitOptions,
): Promise<ClusterHealth> {
  const links = linksOf(target);
  const until = performance.now() + timeoutMs;
  const told = new Map<string, string>();
  try {
    for (let round = 0; ; round++) {
      const health = judgeAll(await unlessAborted(Promise.all(links.map((link) => link.look())), signal), target);
      const reasons = waitingFor(health, required);
      if (reasons.length === 0) return health;
      for (const { host, reason } of reasons) {
        if (told.get(host) !== reason) emit({ type: 'waiting', host, reason });
        told.set(host, reason);
      }
      if (performance.now() > until) throw tooLate(health, reasons, timeoutMs);
      await pause(PAUSES_MS[round] ?? PAUSE_MS, signal);
    }
  } catch (thrown) {
    if (signal.aborted)
      throw new WizardError('interrupted', 'Interrupted while waiting for the quorum.', { cause: thrown });
    throw thrown;
  } finally {
    for (const link of links) link.close();
  }
}

/** The result, or at once an interruption: what is under way ends by its own limits. @throws the signal's reason */
export async function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Why each member does not take part yet; empty when all do. Pure. */
export function waitingFor(health: ClusterHealth, required?: readonly string[]): { host: string; reason: string }[] {
  const absent = health.members
    .filter((member) => !member.up && member.sample.failure !== 'silent')
    .map(({ name }) => name);
  return health.members.flatMap((member) => {
    if (required !== undefined && !required.includes(member.name)) return [];
    const reason = reasonOf(
      member,
      absent.filter((name) => name !== member.name),
    );
    return reason === undefined ? [] : [{ host: member.name, reason }];
  });
}

function reasonOf({ up, role, sample }: MemberHealth, absent: readonly string[]): string | undefined {
  const others =
    absent.length === 0
      ? 'the members are still finding each other'
      : `${absent.join(', ')} ${absent.length === 1 ? 'has' : 'have'} not joined yet`;
  if (sample.failure === 'refused') return 'not started yet: nothing listens on its client port';
  // etcd opens its port at once but serves it only when it has joined a quorum.
  if (sample.failure === 'silent' || (up && sample.leaderId === '0')) return `waiting for a leader: ${others}`;
  if (!up) return sample.error ?? 'belongs to another cluster';
  if (sample.limited) return sample.healthy ? undefined : (sample.complaint ?? 'says that it is not healthy');
  if (role !== 'learner' && sample.quorumRead === false) return `waiting for the quorum: ${sample.complaint ?? others}`;
  return undefined;
}

function tooLate(
  health: ClusterHealth,
  reasons: readonly { host: string; reason: string }[],
  timeoutMs: number,
): WizardError {
  const first = reasons[0];
  return new WizardError(
    'quorum',
    `The cluster did not come together within ${Math.round(timeoutMs / 1000)} s: ${health.quorum}.`,
    {
      ...(reasons.length === 1 && first && { host: first.host }),
      step: 'wait for quorum',
      why: reasons.map(({ host, reason }) => `${host}: ${reason}.`).join(' '),
    },
  );
}
