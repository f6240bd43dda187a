/** The promises of health against real members: sampled, judged, proved, stopped, and refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/apply/events.ts';
import { EndpointClient } from '../../src/health/endpoint.ts';
import { Link } from '../../src/health/link.ts';
import { prove } from '../../src/health/prove.ts';
import { PROOF_PREFIX } from '../../src/health/round-trip.ts';
import { lookOnce, observeCluster, waitForQuorum } from '../../src/health/wait.ts';
import { createHealthSource } from '../../src/health/watch.ts';
import { DialError, type Transport } from '../../src/remote/transport.ts';
import { type EtcdVersion, findEtcd } from '../setup/etcd.ts';
import { credentialsOf, makeAuthority, TestCluster } from './cluster.ts';
import { loopback } from './transports.ts';

const signal = new AbortController().signal;
const versions: EtcdVersion[] = ['3.4', '3.5'];
const binaries = new Map(
  await Promise.all(versions.map(async (version) => [version, await findEtcd(version)] as const)),
);

describe.each(versions)('three members of etcd %s', (version) => {
  const binary = binaries.get(version)?.etcd;
  describe.skipIf(binary === undefined)('with mutual TLS', () => {
    let cluster: TestCluster;
    const events: RunEvent[] = [];
    const emit = (event: RunEvent) => void events.push(event);
    const target = () => ({ members: cluster.members, credentials: cluster.credentials });

    beforeAll(async () => {
      cluster = await TestCluster.create(binary ?? '');
    });
    afterAll(() => cluster.remove());

    it('waits for the quorum and says for whom', async () => {
      cluster.start('m1');
      const waiting = waitForQuorum({ ...target(), timeouts: { tls: 500 } }, { signal, timeoutMs: 30_000, emit });
      await expect
        .poll(
          () =>
            events.find(
              (event) => event.type === 'waiting' && event.host === 'm1' && /m2, m3 have not joined/.test(event.reason),
            ),
          { timeout: 10_000 },
        )
        .toBeTruthy();
      expect(events).toContainEqual({
        type: 'waiting',
        host: 'm2',
        reason: expect.stringContaining('not started yet'),
      });
      cluster.start('m2', 'm3');
      expect(await waiting).toMatchObject({ state: 'healthy', quorum: '3 of 3 up, 1 may fail' });
    });

    it('gives up waiting with the reason of every member', async () => {
      const absent = { name: 'm4', clientUrl: 'https://127.0.0.1:1' };
      await expect(
        waitForQuorum({ ...target(), members: [...cluster.members, absent] }, { signal, timeoutMs: 200, emit }),
      ).rejects.toMatchObject({ code: 'quorum', host: 'm4', why: expect.stringContaining('not started yet') });
    });

    it('stops waiting at once when interrupted', async () => {
      const controller = new AbortController();
      const waiting = waitForQuorum(
        { ...target(), members: [{ name: 'm4', clientUrl: 'https://127.0.0.1:1' }] },
        { signal: controller.signal, timeoutMs: 30_000, emit },
      );
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    });

    it('reports every member with role, version, term, size and certificate', async () => {
      const health = await lookOnce(target());
      expect(health).toMatchObject({ state: 'healthy', total: 3, up: 3, mayFail: 1, daysLeft: expect.any(Number) });
      expect(health.leader).toMatch(/^m[123]$/);
      expect(health.members.map(({ role }) => role).sort()).toEqual(['follower', 'follower', 'leader']);
      for (const { sample, daysLeft, remarks } of health.members) {
        expect(sample).toMatchObject({
          reachable: true,
          tls: 'verified',
          healthy: true,
          quorumRead: true,
          version: expect.stringContaining(version),
          alarms: [],
        });
        expect(sample.dbBytes).toBeGreaterThan(0);
        expect(sample.term).toBeGreaterThan(0);
        expect(sample.chain[0]?.ipAddresses).toEqual(['127.0.0.1']);
        expect(daysLeft).toBe(99);
        expect(remarks).toEqual([]);
      }
    });

    it('learns the members from any that answers', async () => {
      const observed = await observeCluster({
        ...target(),
        members: [{ name: 'gone', clientUrl: 'https://127.0.0.1:1' }, ...cluster.members],
      });
      expect(observed?.members.map(({ name }) => name).sort()).toEqual(['m1', 'm2', 'm3']);
      expect(observed?.members.find(({ name }) => name === 'm1')).toMatchObject({
        peerUrls: [cluster.member('m1').peerUrl],
        clientUrls: [cluster.member('m1').clientUrl],
        isLearner: false,
      });
      expect(observed?.healthy).toEqual(['m1', 'm2', 'm3']);
      expect(
        await observeCluster({ ...target(), members: [{ name: 'gone', clientUrl: 'https://127.0.0.1:1' }] }),
      ).toBeUndefined();
    });

    describe('the proof', () => {
      const transports = () => new Map<string, Transport>(cluster.members.map(({ name }) => [name, loopback(name)]));
      const keysLeft = async () =>
        await new EndpointClient(cluster.member('m1').clientUrl, cluster.credentials).count(PROOF_PREFIX);

      it('dials everyone from everywhere, writes, reads and deletes through each, and leaves nothing', async () => {
        const before = await new EndpointClient(cluster.member('m1').clientUrl, cluster.credentials).status();
        const proof = await prove({
          members: cluster.members,
          credentials: cluster.credentials,
          peerCredentials: () => cluster.credentials,
          transports: transports(),
          readOnly: false,
          emit,
          signal,
        });
        expect(proof.problems).toEqual([]);
        expect(proof.ok).toBe(true);
        const count = (what: string) =>
          proof.results.filter((result) => result.what === what && result.outcome === 'ok').length;
        expect({
          handshake: count('handshake'),
          write: count('write'),
          read: count('read'),
          peer: count('peer'),
        }).toEqual({ handshake: 3 + 6, write: 3, read: 3, peer: 6 });
        expect(proof.routes).toEqual({ m1: 'directly', m2: 'directly', m3: 'directly' });
        expect(await keysLeft()).toBe(0);
        const after = await new EndpointClient(cluster.member('m1').clientUrl, cluster.credentials).status();
        expect(after.raftIndex).toBeGreaterThan(before.raftIndex);
      });

      it('only reads where nothing was to be done', async () => {
        const client = new EndpointClient(cluster.member('m1').clientUrl, cluster.credentials);
        const before = (await client.status()).raftIndex;
        const proof = await prove({
          members: cluster.members,
          credentials: cluster.credentials,
          transports: transports(),
          readOnly: true,
          emit,
          signal,
        });
        expect(proof.ok).toBe(true);
        expect(proof.results.filter(({ what }) => what === 'read')).toHaveLength(3);
        expect(proof.results.some(({ what }) => what === 'write' || what === 'peer')).toBe(false);
        expect((await client.status()).raftIndex).toBe(before);
        client.close();
      });

      it('goes through the host’s own connection where there is no direct way, and says so', async () => {
        // A port that refuses stands for a network that the controller is not in; the host dials the real one.
        const [first, ...rest] = cluster.members;
        const real = first?.clientPort ?? 0;
        const away = { ...cluster.member('m1'), clientUrl: 'https://127.0.0.1:1' };
        const through = new Map([
          ...transports(),
          ['m1', loopback('m1', (port) => (port === 1 ? real : port))] as const,
        ]);
        const proof = await prove({
          members: [away, ...rest],
          credentials: cluster.credentials,
          transports: new Map([...through].slice(0, 1)),
          readOnly: true,
          emit,
          signal,
        });
        expect(proof.routes.m1).toBe('through test@m1');
        expect(proof.ok).toBe(true);
      });

      it('calls a host that forbids forwarding unchecked, not failed', async () => {
        const forbidding = loopback('m1', () => {
          throw new DialError('prohibited', 'administratively prohibited');
        });
        const proof = await prove({
          members: cluster.members,
          credentials: cluster.credentials,
          transports: new Map([['m1', forbidding]]),
          readOnly: true,
          emit,
          signal,
        });
        expect(proof.ok).toBe(true);
        expect(proof.results.filter(({ from }) => from === 'm1').map(({ outcome }) => outcome)).toEqual([
          'unchecked',
          'unchecked',
        ]);
      });

      it('fails with a sentence for a member that is not the profile’s, and for one that is missing', async () => {
        const two = cluster.members.slice(0, 2);
        const proof = await prove({
          members: [...two, { ...cluster.member('m3'), name: 'pi9' }],
          credentials: cluster.credentials,
          transports: new Map(),
          readOnly: true,
          emit,
          signal,
        });
        expect(proof.ok).toBe(false);
        expect(proof.problems).toEqual([
          'pi9 is not in the cluster’s list of members.',
          'The cluster has a member that the profile does not name: m3.',
        ]);
      });

      it('removes its keys when it is interrupted half-way', async () => {
        const controller = new AbortController();
        const proving = prove({
          members: cluster.members,
          credentials: cluster.credentials,
          transports: new Map(),
          readOnly: false,
          signal: controller.signal,
          emit: (event) => {
            if (event.type === 'proof' && event.what === 'write') controller.abort();
          },
        });
        await expect(proving).rejects.toMatchObject({ code: 'interrupted' });
        expect(await keysLeft()).toBe(0);
      });
    });

    describe('refusals are told apart', () => {
      const sampleWith = async (
        credentials: { caPem: string; certPem?: string; keyPem?: string },
        url = cluster.member('m1').clientUrl,
      ) => {
        const link = new Link({ name: 'm1', url }, credentials, { timeouts: { tls: 2000, request: 2000 } });
        try {
          return await link.look();
        } finally {
          link.close();
        }
      };

      it('a server of another CA: refused by us', async () => {
        const other = await makeAuthority('other-ca');
        expect(await sampleWith({ ...cluster.credentials, caPem: other.caPem })).toMatchObject({
          tls: 'refused-by-us',
          failedAt: 'tls',
          failure: 'server-certificate',
          error: expect.stringContaining('not signed by the CA'),
        });
      });

      it('the chain of a refused server is shown all the same', async () => {
        const other = await makeAuthority('other-ca');
        expect((await sampleWith({ ...cluster.credentials, caPem: other.caPem })).chain[0]?.commonName).toBe('member');
      });

      it('no client certificate: refused by them', async () => {
        expect(await sampleWith({ caPem: cluster.credentials.caPem })).toMatchObject({
          reachable: true,
          tls: 'refused-by-them',
          failedAt: 'tls',
          failure: 'client-certificate',
          error: expect.stringContaining('wants a client certificate'),
        });
      });

      it('a client certificate of another CA: refused by them', async () => {
        const other = await makeAuthority('other-ca');
        const sample = await sampleWith(
          credentialsOf(cluster.credentials.caPem, await other.issue({ role: 'client' })),
        );
        expect(sample).toMatchObject({ tls: 'refused-by-them', failure: 'client-certificate' });
        expect(sample.error).toMatch(version === '3.4' ? /refused our client certificate/ : /does not trust the CA/);
      });

      it('an expired client certificate: refused by them', async () => {
        const sample = await sampleWith(
          credentialsOf(
            cluster.credentials.caPem,
            await cluster.authority.issue({ role: 'client', validityDays: 10 }, 20),
          ),
        );
        expect(sample).toMatchObject({ tls: 'refused-by-them', failure: 'client-certificate' });
        expect(sample.error).toMatch(
          version === '3.4' ? /refused our client certificate/ : /expired or is not yet valid/,
        );
      });

      it('a name that the server’s certificate does not have', async () => {
        const url = cluster.member('m1').clientUrl.replace('127.0.0.1', '127.0.0.2');
        const sample = await sampleWith(cluster.credentials, url);
        // etcd listens on 127.0.0.1 only, so 127.0.0.2 refuses; localhost is in the certificate.
        expect(sample).toMatchObject({ reachable: false, failedAt: 'tcp', failure: 'refused' });
        expect(
          await sampleWith(cluster.credentials, cluster.member('m1').clientUrl.replace('127.0.0.1', 'localhost')),
        ).toMatchObject({ healthy: true });
      });

      it('http to the TLS port', async () => {
        expect(
          await sampleWith(cluster.credentials, cluster.member('m1').clientUrl.replace('https', 'http')),
        ).toMatchObject({ failure: 'tls-on-http', error: expect.stringContaining('must begin with https://') });
      });

      it('the peer port is not a client port', async () => {
        expect(await sampleWith(cluster.credentials, cluster.member('m1').peerUrl)).toMatchObject({
          failedAt: 'http',
          failure: 'not-etcd',
        });
      });
    });

    it('a live source keeps its connections and follows members down and up', async () => {
      const endpoints = cluster.members.map(({ clientUrl }) => ({
        name: clientUrl.replace('https://', ''),
        url: clientUrl,
      }));
      const source = createHealthSource({
        title: 'test',
        endpoints,
        credentials: cluster.credentials,
        timeouts: { tls: 1000, request: 1000 },
      });
      try {
        expect(await source.look()).toMatchObject({
          state: 'healthy',
          members: [{ name: 'm1' }, { name: 'm2' }, { name: 'm3' }],
        });
        await cluster.stop('m3');
        await expect
          .poll(async () => await source.look(), { timeout: 10_000 })
          .toMatchObject({ state: 'degraded', quorum: '2 of 3 up, none may fail', mayFail: 0 });
        expect((await source.look()).members.find(({ name }) => name === 'm3')?.remarks[0]).toMatch(
          /connection refused/,
        );
        await cluster.stop('m2');
        await expect
          .poll(async () => await source.look(), { timeout: 20_000 })
          .toMatchObject({ state: 'no-quorum', quorum: '1 of 3 up, quorum lost: 2 needed', mayFail: -1 });
        await cluster.stop('m1');
        await expect
          .poll(async () => await source.look(), { timeout: 10_000 })
          .toMatchObject({ state: 'no-quorum', up: 0 });
      } finally {
        source.close();
      }
    });

    it('the proof of a cluster without quorum fails in words', async () => {
      const proof = await prove({
        members: cluster.members,
        credentials: cluster.credentials,
        transports: new Map(),
        readOnly: false,
        emit,
        signal,
      });
      expect(proof.ok).toBe(false);
      expect(proof.problems).toContainEqual(expect.stringMatching(/^controller dials m1: connection refused/));
      expect(proof.problems).toContain('The cluster is not healthy: 0 of 3 up, quorum lost: 2 needed.');
    });
  });
});
