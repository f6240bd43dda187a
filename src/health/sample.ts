/** One look at one endpoint: never throws, what failed is in the sample. */
import type { CertificateInfo } from '../pki/types.ts';
import type { EndpointClient } from './endpoint.ts';
import { EndpointError } from './failure.ts';
import type { Endpoint, Sample } from './types.ts';

/** The key that etcdctl's `endpoint health` reads; it need not exist. */
const HEALTH_KEY = 'health';

/**
 * Asks for the status and then for one linearizable read, which only a member with a quorum behind it can answer: two small
 * requests, neither of which writes (/health of etcd 3.4 would). Where the JSON gateway is off or denied, /health and
 * /version must do (`limited`).
 */
export async function sampleEndpoint(client: EndpointClient, endpoint: Endpoint): Promise<Sample> {
  const at = Date.now();
  const seen: Partial<Sample> = {};
  let failure: EndpointError | undefined;
  try {
    await look(client, seen);
  } catch (thrown) {
    failure =
      thrown instanceof EndpointError
        ? thrown
        : new EndpointError('http', 'closed', `the look failed: ${String(thrown)}`);
  }
  return {
    endpoint,
    at,
    reachable: failure === undefined || (failure.stage !== 'dns' && failure.stage !== 'tcp'),
    tls:
      failure === undefined || failure.stage === 'etcd'
        ? client.tls
        : failure.stage === 'http' && client.tls !== 'none'
          ? client.tls
          : failure.tls,
    healthy: false,
    alarms: [],
    ...seen,
    ...(failure && { error: failure.message, failedAt: failure.stage, failure: failure.kind, healthy: false }),
    chain: await inspected(client.chain),
  };
}

async function look(client: EndpointClient, seen: Partial<Sample>): Promise<void> {
  const began = performance.now();
  try {
    const { errors, ...status } = await client.status();
    Object.assign(seen, status);
    seen.latencyMs = performance.now() - began;
    if (errors.length > 0) seen.complaint = errors.join('; ');
  } catch (thrown) {
    if (!isGatewayTrouble(thrown)) throw thrown;
    return lookWithoutGateway(client, seen, thrown);
  }
  if (seen.leaderId === '0') {
    seen.complaint ??= 'no leader';
    return;
  }
  // A learner answers no linearizable reads: it serves when it follows.
  seen.healthy = seen.alarms?.length === 0;
  if (!seen.isLearner) await readThroughQuorum(client, seen);
}

async function readThroughQuorum(client: EndpointClient, seen: Partial<Sample>): Promise<void> {
  const began = performance.now();
  try {
    await client.get(HEALTH_KEY);
  } catch (thrown) {
    // etcd looks at the permission after the quorum has confirmed the read; etcdctl counts it as healthy too.
    if (!(thrown instanceof EndpointError) || (thrown.stage !== 'etcd' && thrown.kind !== 'silent')) throw thrown;
    if (thrown.kind !== 'denied') {
      seen.healthy = false;
      seen.quorumRead = false;
      seen.complaint = thrown.kind === 'silent' ? 'a read through the quorum got no answer' : thrown.message;
      return;
    }
  }
  seen.latencyMs = performance.now() - began;
  seen.quorumRead = true;
}

/** The gateway is off (404), cannot dial its own port, or etcd's users are on and we have none. */
function isGatewayTrouble(thrown: unknown): thrown is EndpointError {
  return (
    thrown instanceof EndpointError &&
    ((thrown.kind === 'not-etcd' && thrown.code === '404') || thrown.stage === 'etcd')
  );
}

async function lookWithoutGateway(
  client: EndpointClient,
  seen: Partial<Sample>,
  trouble: EndpointError,
): Promise<void> {
  const began = performance.now();
  const { healthy, reason } = await client.health();
  seen.latencyMs = performance.now() - began;
  seen.healthy = healthy;
  seen.quorumRead = healthy;
  seen.limited = true;
  if (trouble.stage === 'etcd') seen.complaint = trouble.message;
  if (!healthy) seen.complaint = reason || 'etcd says that it is not healthy';
  seen.version = await client.version();
}

/** The same few certificates come every second: read once. */
const known = new Map<string, CertificateInfo>();

async function inspected(chain: readonly string[]): Promise<CertificateInfo[]> {
  if (chain.length === 0) return [];
  const { inspectCertificate } = await import('../pki/index.ts');
  if (known.size > 500) known.clear();
  return chain.flatMap((pem) => {
    let info = known.get(pem);
    if (info === undefined) {
      try {
        info = inspectCertificate(pem);
      } catch {
        // A certificate that cannot be read is told by the handshake; there is nothing to show of it.
        return [];
      }
      known.set(pem, info);
    }
    return [info];
  });
}
