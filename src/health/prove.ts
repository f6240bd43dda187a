/**
 * Success is proved: every member is dialled with the real client certificate from here and from every other host, a key is
 * written, read and deleted through each, and all agree on one cluster, one leader and the expected members.
 */
import type { Emit } from '../apply/events.ts';
import { eachHost } from '../apply/parallel.ts';
import { WizardError } from '../errors.ts';
import type { Member } from '../etcd/members.ts';
import type { Transport } from '../remote/transport.ts';
import type { Timeouts } from './connect.ts';
import { EndpointClient } from './endpoint.ts';
import { EndpointError } from './failure.ts';
import { judge } from './judge.ts';
import { dialFrom } from './link.ts';
import { type ProofResult, type Run, report, told } from './proof-run.ts';
import { readThroughEach, writeThroughEach } from './round-trip.ts';
import type { ClusterHealth, TlsCredentials } from './types.ts';
import { linksOf, unlessAborted } from './wait.ts';

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

export interface Proof {
  ok: boolean;
  results: ProofResult[];
  /** What is wrong, a sentence each; empty when ok. */
  problems: string[];
  /** How the controller reached each member: `directly`, or `through pi@10.0.11.1:22`. */
  routes: Record<string, string>;
  health: ClusterHealth;
}

const CHANNELS = 8;

/**
 * Never rejects for what it finds: that is in `problems`.
 * @throws WizardError `interrupted`, after the keys were removed
 */
export async function prove(options: ProveOptions): Promise<Proof> {
  const links = linksOf(options);
  const run: Run = { ...options, links, results: [], problems: [] };
  try {
    const samples = await unlessAborted(Promise.all(links.map((link) => link.look())), options.signal);
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
    await unlessAborted(dialFromHosts(run), options.signal);
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
  } catch (thrown) {
    stopIfAborted(run);
    throw thrown;
  } finally {
    for (const link of links) link.close();
  }
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
