/** Everything that a plan is made of: connections, facts, dials, what the running cluster says. */

import type { Emit } from '../apply/events.ts';
import { pause } from '../apply/parallel.ts';
import { asWizardError, type WizardError } from '../errors.ts';
import { type Member, membersOf } from '../etcd/members.ts';
import type { HostFacts } from '../facts.ts';
import type { TlsCredentials } from '../health/types.ts';
import type { ClusterTarget } from '../health/wait.ts';
import { questionsOf } from '../plan/questions.ts';
import type { DialFact, Embedded, ObservedCluster, UnreachableHost } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import type { Transport } from '../remote/transport.ts';
import { isUnanswered, unanswered, unreachableHost } from './unanswered.ts';

export interface Gathered {
  facts: HostFacts[];
  unreachable: UnreachableHost[];
  observed?: ObservedCluster;
  dials: DialFact[];
}

export interface GatherOptions {
  profile: Profile;
  transports: ReadonlyMap<string, Transport>;
  credentials?: TlsCredentials;
  embedded?: Embedded;
  emit: Emit;
  signal: AbortSignal;
}

/** Three times etcd's default election timeout of 1 s, within which a new leader is found. */
const ELECTION = { looks: 6, pauseMs: 600 };

/** How long a TCP dial may take before it counts as filtered; members are on one site's network. */
const DIAL_MS = 3000;

/**
 * Looks at every connected host at once. A host whose facts fail counts as unreachable, with the reason.
 * Ports are dialled only while the cluster is not known to be whole: a healthy cluster is proved by handshakes anyway.
 */
export async function gather({
  profile,
  transports,
  credentials,
  embedded,
  emit,
  signal,
}: GatherOptions): Promise<Gathered> {
  const { gatherFacts } = await import('../remote/facts.ts');
  const questions = questionsOf(profile, embedded);
  const unreachable: Gathered['unreachable'] = [];
  const members = membersOf(profile);
  const facts: HostFacts[] = [];
  const open: WizardError[] = [];

  const looking = Promise.all(
    profile.hosts.map(async ({ name }) => {
      const transport = transports.get(name);
      const asked = questions.get(name);
      if (transport === undefined || asked === undefined) return;
      try {
        const found = await gatherFacts(transport, asked, { signal });
        if (!embedded) await countForeign(transport, found);
        facts.push(found);
        emit({ type: 'host', host: name, state: 'facts' });
      } catch (thrown) {
        const error = asWizardError(thrown);
        if (error.code === 'interrupted') throw error;
        if (isUnanswered(error)) open.push(error);
        unreachable.push(unreachableHost(name, error));
        emit({ type: 'host', host: name, state: 'failed', detail: error.message });
      }
    }),
  );
  const [observed] = await Promise.all([
    credentials ? observeSettled({ members, credentials, transports, signal }) : undefined,
    looking,
  ]);
  if (open.length > 0) throw unanswered(open);
  // A member that came up while the others were asked was looked at too early: its data was not there yet, and it would
  // be taken for one that lost it.
  await Promise.all(
    facts.map(async ({ host, dataDirs }, index) => {
      const [transport, asked] = [transports.get(host), questions.get(host)];
      const early = observed?.healthy.includes(host) && Object.values(dataDirs).every(({ hasWal }) => hasWal !== true);
      if (early && transport && asked) facts[index] = await gatherFacts(transport, asked, { signal });
    }),
  );
  facts.sort((left, right) => order(profile, left.host) - order(profile, right.host));
  const whole = observed !== undefined && observed.healthy.length === members.length;
  const dials = whole || embedded ? [] : await dialAll(transports, reached(profile, facts), signal);
  return { facts, unreachable, ...(observed && { observed }), dials };
}

/** An etcd without certificates is asked whether it holds anything: the package's default member may go only when it is empty. */
async function countForeign(transport: Transport, { etcdProcesses }: HostFacts): Promise<void> {
  const plain = etcdProcesses.filter(
    ({ environment, argv }) =>
      argv.length <= 1 && !Object.keys(environment).some((name) => name.endsWith('_CERT_FILE')),
  );
  if (plain.length === 0) return;
  const { storedKeys } = await import('../health/stored.ts');
  for (const process of plain) process.keyCount = await storedKeys(transport, process);
}

/**
 * The cluster's own word. Members that answer without a quorum may just be electing a leader: taken for a cluster that is
 * down, they would all be restarted at once. So they are looked at again until the election must be over.
 */
async function observeSettled(target: ClusterTarget & { signal: AbortSignal }): Promise<ObservedCluster | undefined> {
  const { observeCluster } = await import('../health/wait.ts');
  for (let looks = 1; ; looks += 1) {
    const observed = await observeCluster(target);
    const voters = observed?.members.filter(({ isLearner }) => !isLearner).length ?? 0;
    if (observed === undefined || observed.healthy.length > voters / 2 || looks === ELECTION.looks) return observed;
    await pause(ELECTION.pauseMs, target.signal);
  }
}

/** What a host that is off does not answer on its ports is no finding of its own. */
const reached = (profile: Profile, facts: readonly HostFacts[]): Member[] =>
  membersOf(profile).filter(({ name }) => facts.some(({ host }) => host === name));

async function dialAll(
  transports: ReadonlyMap<string, Transport>,
  members: readonly Member[],
  signal: AbortSignal,
): Promise<DialFact[]> {
  if (members.length === 0) return [];
  const { dialMatrix } = await import('../health/reach.ts');
  return dialMatrix(new Map(transports), members, { controller: true, timeoutMs: DIAL_MS, signal });
}

const order = (profile: Profile, host: string): number => profile.hosts.findIndex(({ name }) => name === host);
