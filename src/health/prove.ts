/**
 * Success is proved: every member is dialled with the real client certificate from here and from every other host, a key is
 * written, read and deleted through each, and all agree on one cluster, one leader and the expected members.
 */
import { randomBytes } from 'node:crypto';
import type { Emit, RunEvent } from '../apply/events.ts';
import { eachHost } from '../apply/parallel.ts';
import { WizardError } from '../errors.ts';
import type { Member } from '../etcd/members.ts';
import type { Transport } from '../remote/transport.ts';
import type { Timeouts } from './connect.ts';
import { EndpointClient } from './endpoint.ts';
import { EndpointError } from './failure.ts';
import { judge } from './judge.ts';
import { dialFrom, type Link } from './link.ts';
import type { ClusterHealth, TlsCredentials } from './types.ts';
import { linksOf } from './wait.ts';

export interface ProveOptions {
  members: readonly Pick<Member, 'name' | 'clientUrl' | 'peerUrl'>[];
  credentials: TlsCredentials;
  /** A host's own peer certificate, where its key is here: then the peer ports are dialled from that host too. */
  peerCredentials?: (host: string) => TlsCredentials | undefined;
  /** Open connections by member name. */
  transports: ReadonlyMap<string, Transport>;
  /** A linearizable read instead of write, read and delete: for a run that had nothing to do. */
  readOnly: boolean;
  emit: Emit;
  signal: AbortSignal;
  timeouts?: Partial<Timeouts>;
}

export type ProofResult = Omit<Extract<RunEvent, { type: 'proof' }>, 'type'>;

export interface Proof {
  ok: boolean;
  results: ProofResult[];
  /** What is wrong, a sentence each; empty when ok. */
  problems: string[];
  /** How the controller reached each member: `directly`, or `through pi@10.0.11.1:22`. */
  routes: Record<string, string>;
  health: ClusterHealth;
}

/** Every key of a proof lies below this; none is left behind. */
export const PROOF_PREFIX = 'etcd-wizard/proof/';
/** Should this program die half-way, etcd itself removes the keys after so many seconds. */
const LEASE_SECONDS = 60;
const CHANNELS = 8;

/**
 * Never rejects for what it finds: that is in `problems`.
 * @throws WizardError `interrupted`, after the keys were removed
 */
export async function prove(options: ProveOptions): Promise<Proof> {
  const links = linksOf(options);
  const run: Run = { ...options, links, results: [], problems: [] };
  try {
    const samples = await Promise.all(links.map((link) => link.look()));
    const routes: Record<string, string> = {};
    for (const [index, link] of links.entries()) {
      const { name } = link.endpoint;
      const sample = samples[index];
      const through = link.detoured ? `through ${options.transports.get(name)?.label}` : undefined;
      routes[name] = through ?? 'directly';
      report(run, {
        from: 'controller',
        to: name,
        what: 'handshake',
        outcome: sample?.tls === 'verified' ? 'ok' : 'failed',
        detail: sample?.error ?? through,
      });
    }
    const health = judge(samples, { now: Date.now(), expected: links.map(({ endpoint }) => endpoint.name) });
    run.problems.push(...unhealthy(health));
    await checkMembers(run);
    stopIfAborted(run);
    await dialFromHosts(run);
    stopIfAborted(run);
    if (options.readOnly) await readThroughEach(run);
    else await writeThroughEach(run);
    stopIfAborted(run);
    return {
      ok: run.problems.length === 0,
      results: run.results,
      problems: [...new Set(run.problems)],
      routes,
      health,
    };
  } finally {
    for (const link of links) link.close();
  }
}

interface Run extends ProveOptions {
  links: Link[];
  results: ProofResult[];
  problems: string[];
}

function report({ results, problems, emit }: Run, result: ProofResult): void {
  results.push(result);
  emit({ type: 'proof', ...result });
  if (result.outcome !== 'failed') return;
  const action = { handshake: 'dials', peer: 'dials the peer port of', read: 'reads through', write: 'writes through' }[
    result.what
  ];
  problems.push(`${result.from} ${action} ${result.to}: ${result.detail ?? 'failed'}.`);
}

function stopIfAborted({ signal }: Run): void {
  if (signal.aborted)
    throw new WizardError(
      'interrupted',
      'Interrupted during the proof; the cluster runs, nothing of the proof was left in it.',
      { step: 'proof' },
    );
}

function unhealthy(health: ClusterHealth): string[] {
  if (health.state === 'healthy') return [];
  const members = health.members
    .filter(({ up, sample }) => up && !sample.healthy)
    .map(({ name, remarks }) => `${name}: ${remarks[0] ?? 'not healthy'}.`);
  return [`The cluster is not healthy: ${health.quorum}.`, ...members, ...health.remarks.map((remark) => `${remark}.`)];
}

/** The cluster's own list must be the profile's: the same names, and the peer URLs by which they find each other. */
async function checkMembers(run: Run): Promise<void> {
  const able = run.results.find(({ outcome }) => outcome === 'ok');
  const link = run.links.find(({ endpoint }) => endpoint.name === able?.to);
  if (link === undefined) return;
  try {
    const { members } = await link.client.members();
    for (const { name, peerUrl } of run.members) {
      const listed = members.find((each) => each.name === name);
      if (listed === undefined) run.problems.push(`${name} is not in the cluster’s list of members.`);
      else if (!listed.peerUrls.includes(peerUrl))
        run.problems.push(`${name} is listed with the peer URL ${listed.peerUrls.join(', ')}, not ${peerUrl}.`);
    }
    const strangers = members.filter((each) => !run.members.some(({ name }) => name === each.name));
    for (const { name, id } of strangers)
      run.problems.push(`The cluster has a member that the profile does not name: ${name || `${id} (never started)`}.`);
  } catch (thrown) {
    run.problems.push(`The list of members could not be read: ${told(thrown)}.`);
  }
}

/** TLS runs in the controller, the TCP connection begins on the host: no key and no tool is needed there. */
async function dialFromHosts(run: Run): Promise<void> {
  await Promise.all(
    [...run.transports].map(async ([from, transport]) => {
      const others = run.members.filter(({ name }) => name !== from);
      const peer = run.peerCredentials?.(from);
      const jobs = others.flatMap(({ name, clientUrl, peerUrl }) => [
        { to: name, what: 'handshake' as const, url: clientUrl, credentials: run.credentials },
        ...(peer ? [{ to: name, what: 'peer' as const, url: peerUrl, credentials: peer }] : []),
      ]);
      await eachHost(
        jobs,
        async ({ to, what, url, credentials }) => {
          if (!run.signal.aborted)
            report(run, { from, to, what, ...(await shakeHands(url, credentials, transport, run.timeouts)) });
        },
        CHANNELS,
      );
    }),
  );
}

async function shakeHands(
  url: string,
  credentials: TlsCredentials,
  transport: Transport,
  timeouts?: Partial<Timeouts>,
): Promise<Pick<ProofResult, 'outcome' | 'detail'>> {
  const client = new EndpointClient(url, credentials, { dial: dialFrom(transport, url, timeouts?.connect), timeouts });
  try {
    // Both the client and the peer port answer it, and only to an accepted certificate.
    await client.version();
    return { outcome: 'ok' };
  } catch (thrown) {
    return {
      outcome: thrown instanceof EndpointError && thrown.kind === 'prohibited' ? 'unchecked' : 'failed',
      detail: told(thrown),
    };
  } finally {
    client.close();
  }
}

async function readThroughEach(run: Run): Promise<void> {
  const absent = `${PROOF_PREFIX}${randomBytes(12).toString('hex')}`;
  await Promise.all(
    run.links.map((link) => attempt(run, link, 'read', async () => void (await link.client.get(absent)))),
  );
}

async function writeThroughEach(run: Run): Promise<void> {
  const prefix = `${PROOF_PREFIX}${randomBytes(12).toString('hex')}/`;
  let lease: string | undefined;
  try {
    lease = await firstOf(run.links, ({ client }) => client.grantLease(LEASE_SECONDS));
    const held = lease;
    await Promise.all(
      run.links.map(async (link) => {
        const key = `${prefix}${link.endpoint.name}`;
        const value = randomBytes(12).toString('hex');
        const written = await attempt(run, link, 'write', async () => {
          await link.client.put(key, value, held);
          if ((await link.client.get(key)) !== value)
            throw new EndpointError('etcd', 'etcd', 'what was written was not what was read');
          if ((await link.client.delete(key)) !== 1)
            throw new EndpointError('etcd', 'etcd', 'what was written could not be deleted');
        });
        if (written) report(run, { from: 'controller', to: link.endpoint.name, what: 'read', outcome: 'ok' });
      }),
    );
  } catch (thrown) {
    run.problems.push(`Nothing could be written: ${told(thrown)}.`);
  } finally {
    if (lease !== undefined) await removeKeys(run, prefix, lease);
  }
}

/** With the lease all its keys go, also those whose deletion above was cut off. */
async function removeKeys(run: Run, prefix: string, lease: string): Promise<void> {
  try {
    await firstOf(run.links, ({ client }) => client.revokeLease(lease));
    const left = await firstOf(run.links, ({ client }) => client.count(prefix));
    if (left > 0) run.problems.push(`${left} keys of the proof are left below ${prefix}.`);
  } catch (thrown) {
    run.problems.push(
      `The proof’s keys could not be removed (${told(thrown)}); etcd drops them itself within ${LEASE_SECONDS} s.`,
    );
  }
}

async function attempt(run: Run, link: Link, what: 'read' | 'write', work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    report(run, { from: 'controller', to: link.endpoint.name, what, outcome: 'ok' });
    return true;
  } catch (thrown) {
    report(run, { from: 'controller', to: link.endpoint.name, what, outcome: 'failed', detail: told(thrown) });
    return false;
  }
}

/** The answer of the first member that gives one. @throws the last member's EndpointError */
async function firstOf<T>(links: readonly Link[], ask: (link: Link) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const link of links) {
    try {
      return await ask(link);
    } catch (thrown) {
      if (!(thrown instanceof EndpointError)) throw thrown;
      last = thrown;
    }
  }
  throw last;
}

/** @throws what is no EndpointError: a defect */
function told(thrown: unknown): string {
  if (thrown instanceof EndpointError) return thrown.message;
  throw thrown;
}
