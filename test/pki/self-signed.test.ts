import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createCa,
  decryptKey,
  encryptKey,
  fingerprint,
  inspectCertificate,
  keyMatches,
  SelfSignedAuthority,
  verifyLikeGo,
} from '../../src/pki/index.ts';
import type { LeafSpec } from '../../src/pki/types.ts';
import { leafSpec, NOW } from './support.ts';

const mint = (commonName: string) => createCa({ commonName, keyAlgorithm: 'ecdsa-p256', validityDays: 3650, now: NOW });
const [client, peer] = await Promise.all([mint('client CA'), mint('peer CA')]);
const authority = new SelfSignedAuthority({ client, peer, now: () => NOW });

const specs: LeafSpec[] = ['pi1', 'pi2', 'pi3'].flatMap((host) => [
  leafSpec({ id: `${host}/server`, host, commonName: host }),
  leafSpec({ id: `${host}/peer`, role: 'peer', anchor: 'peer', host, commonName: host, keyAlgorithm: 'rsa-2048' }),
  leafSpec({ id: `${host}/client`, role: 'client', host, commonName: host, dnsNames: [], ipAddresses: [] }),
]);

describe('the cluster’s own authorities', () => {
  it('issue in the order of the specs, each leaf under its anchor, each with a key of its own', async () => {
    const leaves = await authority.issue(specs);
    expect(leaves.map(({ spec }) => spec)).toEqual(specs);
    for (const { spec, certificatePem, keyPem } of leaves) {
      const [own, other] = spec.anchor === 'peer' ? [peer, client] : [client, peer];
      const verify = (roots: string, purpose: 'server' | 'client') =>
        verifyLikeGo({ leaf: certificatePem, roots, purpose, now: NOW }).ok;
      expect(verify(own.certificatePem, 'client'), spec.id).toBe(true);
      expect(verify(own.certificatePem, 'server'), spec.id).toBe(spec.role !== 'client');
      expect(verify(other.certificatePem, 'client'), spec.id).toBe(false);
      expect(keyMatches(certificatePem, keyPem)).toBe(true);
    }
    expect(new Set(leaves.map(({ keyPem }) => keyPem)).size).toBe(specs.length);
  });

  it('name what is to be trusted', () => {
    expect(authority.trustPem('client')).toBe(client.certificatePem);
    expect(authority.trustPem('peer')).toBe(peer.certificatePem);
    expect(authority.fingerprint('peer')).toBe(fingerprint(peer.certificatePem));
    expect(authority.fingerprint('peer')).toBe(`SHA256:${new X509Certificate(peer.certificatePem).fingerprint256}`);
  });

  it('may be one for both, opened from under a passphrase', async () => {
    const opened = { ...client, keyPem: decryptKey(encryptKey(client.keyPem, 'word'), 'word') };
    const one = new SelfSignedAuthority({ client: opened, peer: opened, now: () => NOW });
    expect(one.fingerprint('peer')).toBe(one.fingerprint('client'));
    const [leaf] = await one.issue([leafSpec({ role: 'peer', anchor: 'peer' })]);
    expect(inspectCertificate(leaf?.certificatePem ?? '').issuer).toBe('CN=client CA');
  });

  it('refuse keys that were swapped, before anything is signed', () => {
    expect(() => new SelfSignedAuthority({ client: { ...client, keyPem: peer.keyPem }, peer, now: () => NOW })).toThrow(
      expect.objectContaining({ code: 'pki' }),
    );
  });

  it('say which certificate of which host could not be made', async () => {
    await expect(authority.issue([leafSpec({ dnsNames: ['pi 1'] })])).rejects.toMatchObject({
      code: 'pki',
      host: 'pi1',
      step: 'issuing pi1/server',
    });
  });

  it('do not hold up the main thread while RSA keys are made', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await authority.issue(Array.from({ length: 6 }, () => leafSpec({ keyAlgorithm: 'rsa-3072' })));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });
});
