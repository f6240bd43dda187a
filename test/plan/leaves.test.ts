import { describe, expect, it } from 'vitest';
import { createCa, inspectCertificate, SelfSignedAuthority } from '../../src/pki/index.ts';
import { isDue, leafMatches, leafSpecs } from '../../src/plan/leaves.ts';
import { questionsOf } from '../../src/plan/questions.ts';
import { profileOf } from '../etcd/fixtures.ts';
import { DAY, fakeCa, fakeLeaf, inspect, NOW } from './fixtures.ts';

const specOf = (id: string, changes: Record<string, unknown> = {}) => {
  const spec = leafSpecs(profileOf(changes)).find((each) => each.id === id);
  if (!spec) throw new Error(`no ${id}`);
  return spec;
};

describe('certificates of a cluster', () => {
  it('are three a host and one a client', () => {
    const ids = leafSpecs(
      profileOf({ certificates: { clients: [{ commonName: 'root' }, { commonName: 'k3s' }] } }),
    ).map(({ id }) => id);
    expect(ids).toHaveLength(11);
    expect(ids.slice(0, 3)).toEqual(['pi1/server', 'pi1/peer', 'pi1/client']);
    expect(ids.slice(-2)).toEqual(['client/root', 'client/k3s']);
  });

  it('name one host and nothing of the others', () => {
    const extra = { certificates: { extraSans: ['vip.home', '10.0.0.9'] } };
    expect(specOf('pi2/server', extra)).toMatchObject({
      anchor: 'client',
      dnsNames: ['etcd.az2.home', 'vip.home', 'localhost'],
      ipAddresses: ['10.0.21.1', '10.0.0.9', '127.0.0.1', '::1'],
    });
    expect(specOf('pi2/peer', extra)).toMatchObject({
      anchor: 'peer',
      dnsNames: ['etcd.az2.home'],
      ipAddresses: ['10.0.21.1'],
    });
    expect(specOf('pi2/client', extra)).toMatchObject({
      anchor: 'client',
      commonName: 'pi2',
      dnsNames: [],
      ipAddresses: [],
    });
  });

  it('are signed by one CA where the profile says so', () => {
    expect(specOf('pi1/peer', { ca: { peers: 'same' } }).anchor).toBe('client');
  });

  it('name an address once, whatever its spelling', () => {
    expect(
      specOf('pi1/server', {
        hosts: [{ name: 'pi1', address: '127.0.0.1' }],
        certificates: { extraSans: ['0:0:0:0:0:0:0:1'] },
      }).ipAddresses,
    ).toEqual(['127.0.0.1', '::1']);
  });

  it.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'])(
    'are right as soon as they are issued (%s)',
    async (keyAlgorithm) => {
      const specs = leafSpecs(
        profileOf({
          hosts: [{ name: 'pi1', address: 'FD00:0::11', dnsNames: ['Pi1.home'] }],
          certificates: { keyAlgorithm },
        }),
      );
      const make = (commonName: string) =>
        createCa({ commonName, keyAlgorithm: 'ecdsa-p256', validityDays: 3650, now: NOW });
      const [client, peer, other] = await Promise.all([make('a'), make('b'), make('a')]);
      const issued = await new SelfSignedAuthority({ client, peer, now: () => NOW }).issue(specs);
      for (const { spec, certificatePem } of issued) {
        const ca = spec.anchor === 'peer' ? peer : client;
        expect(
          leafMatches(spec, inspectCertificate(certificatePem), NOW, inspectCertificate(ca.certificatePem)),
        ).toEqual([]);
        expect(
          leafMatches(spec, inspectCertificate(certificatePem), NOW, inspectCertificate(other.certificatePem)),
        ).toEqual(['another CA signed it']);
      }
    },
  );
});

describe('a certificate is issued again', () => {
  const ca = inspect(fakeCa('client'));
  const spec = specOf('pi1/server');
  const info = inspect(fakeLeaf(spec, ca));
  it.each([
    ['is right', {}, []],
    ['lacks an address', { ipAddresses: ['127.0.0.1', '::1'] }, ['10.0.11.1 is not in it']],
    ['is good for more', { dnsNames: [...spec.dnsNames, 'old.home'] }, ['it is also good for old.home']],
    ['spells a name in capitals', { dnsNames: spec.dnsNames.map((name) => name.toUpperCase()) }, []],
    ['spells an address in another way', { ipAddresses: ['10.0.11.1', '127.0.0.1', '0:0:0:0:0:0:0:1'] }, []],
    ['has another name', { commonName: 'x' }, ['its name is x instead of pi1']],
    ['may not dial itself', { extendedKeyUsage: ['serverAuth'] }, ['it may not be used for clientAuth']],
    [
      'has no usages at all',
      { extendedKeyUsage: undefined },
      ['it may not be used for serverAuth', 'it may not be used for clientAuth'],
    ],
    ['has another kind of key', { publicKeyAlgorithm: 'rsa-2048' }, ['its key is rsa-2048 instead of ecdsa-p256']],
    ['comes from another CA', { authorityKeyId: 'other' }, ['another CA signed it']],
    ['comes from another CA, by name only', { authorityKeyId: undefined, issuer: 'CN=x' }, ['another CA signed it']],
    ['is not valid yet', { notBefore: NOW + 1 }, ['it is not valid yet']],
    ['has expired', { notBefore: NOW - 10 * DAY, notAfter: NOW - 3 * DAY }, ['it expired 3 days ago']],
    ['expires soon', { notBefore: NOW - 95 * DAY, notAfter: NOW + 5 * DAY }, ['it expires in 5 days']],
    ['has lived two thirds', { notBefore: NOW - 70 * DAY, notAfter: NOW + 30 * DAY }, []],
  ])('when it %s', (_, changes, expected) => {
    expect(leafMatches(spec, { ...info, ...changes }, NOW, ca)).toEqual(expected);
  });

  it('and is told as due from two thirds of its life on', () => {
    const at = (share: number) => isDue({ ...info, notBefore: 0, notAfter: 90 * DAY }, share * 90 * DAY);
    expect([at(0.66), at(0.67)]).toEqual([false, true]);
  });

  it('a client that may serve is refused', () => {
    const client = specOf('client/root');
    expect(
      leafMatches(
        client,
        { ...inspect(fakeLeaf(client, ca)), extendedKeyUsage: ['clientAuth', 'serverAuth'] },
        NOW,
        ca,
      ),
    ).toEqual(['it may be used for serverAuth too']);
  });
});

describe('questions to the hosts', () => {
  it('cover everything that planning reads, and ask for no key’s content', () => {
    const asked = questionsOf(profileOf()).get('pi1');
    expect(asked?.files).toEqual(
      expect.arrayContaining([
        '/etc/etcd/etcd.conf',
        '/etc/systemd/system/etcd.service',
        '/etc/etcd/ssl/ca.pem',
        '/etc/etcd/ssl/peer-ca.pem',
        '/etc/etcd/ssl/server.pem',
        '/etc/etcd/ssl',
        '/var/lib/etcd/homelab',
      ]),
    );
    expect(asked?.files.filter((path) => path.includes('key'))).toEqual([]);
    expect(asked?.secrets).toEqual(['server', 'peer', 'client'].map((role) => `/etc/etcd/ssl/${role}-key.pem`));
    expect(asked?.names).toEqual(['etcd.az1.home', 'etcd.az2.home', 'etcd.az3.home']);
    expect(asked?.services).toEqual(['etcd']);
  });

  it('stay in one folder for try', () => {
    const asked = questionsOf(profileOf(), { root: '/tmp/try', etcdPath: '/usr/bin/etcd', etcdVersion: '3.4.23' }).get(
      'pi2',
    );
    expect(
      [...(asked?.files ?? []), ...(asked?.secrets ?? []), ...(asked?.dataDirs ?? [])].every((path) =>
        path.startsWith('/tmp/try/pi2'),
      ),
    ).toBe(true);
    expect(asked?.services).toEqual([]);
  });
});
