/** What a healthy-looking member may hide: gateway off, a full database, etcd's own users, a certificate without clientAuth. */
import { afterEach, describe, expect, it } from 'vitest';
import { EndpointClient } from '../../src/health/endpoint.ts';
import { judge } from '../../src/health/judge.ts';
import { sampleEndpoint } from '../../src/health/sample.ts';
import { lookOnce, waitForQuorum } from '../../src/health/wait.ts';
import { type EtcdVersion, findEtcd } from '../setup/etcd.ts';
import { TestCluster } from './cluster.ts';

const versions: EtcdVersion[] = ['3.4', '3.5'];
const binaries = new Map(
  await Promise.all(versions.map(async (version) => [version, await findEtcd(version)] as const)),
);

describe.each(versions)('one member of etcd %s', (version) => {
  const binary = binaries.get(version)?.etcd;
  let cluster: TestCluster | undefined;
  afterEach(() => cluster?.remove());

  const started = async (...extra: string[]) => {
    cluster = await TestCluster.create(binary ?? '', 1, extra);
    cluster.start('m1');
    await waitForQuorum(
      { members: cluster.members, credentials: cluster.credentials },
      { signal: new AbortController().signal, timeoutMs: 20_000, emit: () => undefined },
    );
    return { cluster, client: new EndpointClient(cluster.member('m1').clientUrl, cluster.credentials) };
  };

  it.skipIf(binary === undefined)('with the gateway off is known by /health alone', async () => {
    const { cluster, client } = await started('--enable-grpc-gateway=false');
    const sample = await sampleEndpoint(client, { name: 'm1', url: client.url });
    client.close();
    expect(sample).toMatchObject({
      limited: true,
      healthy: true,
      quorumRead: true,
      tls: 'verified',
      version: expect.stringContaining(version),
    });
    expect(sample.chain).not.toEqual([]);
    const health = await lookOnce({ members: cluster.members, credentials: cluster.credentials });
    expect(health).toMatchObject({ state: 'healthy', quorum: '1 of 1 up, none may fail' });
    expect(health.members[0]?.remarks).toContain('only /health answers: raft, size and role are not known');
  });

  it.skipIf(binary === undefined)('with an alarm is degraded and says what to do', async () => {
    const { client } = await started();
    const { memberId } = await client.status();
    await client.request(
      'POST',
      '/v3/maintenance/alarm',
      JSON.stringify({ action: 'ACTIVATE', memberID: memberId, alarm: 'NOSPACE' }),
    );
    expect(await client.alarms()).toEqual([{ memberId, kind: 'NOSPACE' }]);
    const sample = await sampleEndpoint(client, { name: 'm1', url: client.url });
    client.close();
    expect(sample).toMatchObject({ alarms: ['NOSPACE'], healthy: false, quorumRead: true });
    const health = judge([sample], { now: Date.now() });
    expect(health.state).toBe('degraded');
    expect(health.remarks[0]).toMatch(/NOSPACE: the database is full/);
  });

  it.skipIf(binary === undefined)(
    'with users and roles on counts as healthy, and a write is denied in words',
    async () => {
      const { client } = await started();
      const post = (path: string, body: object) => client.request('POST', `/v3/auth/${path}`, JSON.stringify(body));
      await post('user/add', { name: 'root', password: 'secret' });
      await post('role/add', { name: 'root' });
      await post('user/grant', { user: 'root', role: 'root' });
      expect((await post('enable', {})).status).toBe(200);
      const sample = await sampleEndpoint(client, { name: 'm1', url: client.url });
      expect(sample).toMatchObject({ healthy: true, quorumRead: true });
      await expect(client.put('a', 'b')).rejects.toMatchObject({
        stage: 'etcd',
        kind: 'denied',
        message: expect.stringContaining('users and roles are on'),
      });
      client.close();
    },
  );
});
