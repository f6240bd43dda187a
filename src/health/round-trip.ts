/** The part of a proof that asks etcd itself: through each member a write, a read and a delete, or a read alone. */
import { randomBytes } from 'node:crypto';
import { EndpointError } from './failure.ts';
import type { Link } from './link.ts';
import { type Run, report, told } from './proof-run.ts';

/** Every key of a proof lies below this; none is left behind. */
export const PROOF_PREFIX = 'etcd-wizard/proof/';
/** Should this program die half-way, etcd itself removes the keys after so many seconds. */
const LEASE_SECONDS = 60;
export async function readThroughEach(run: Run): Promise<void> {
  const absent = `${PROOF_PREFIX}${randomBytes(12).toString('hex')}`;
  await Promise.all(
    run.links.map((link) => attempt(run, link, 'read', async () => void (await link.client.get(absent)))),
  );
}

export async function writeThroughEach(run: Run): Promise<void> {
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
