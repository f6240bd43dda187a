/** What is issued, judged by openssl. */
import { describe, expect, it } from 'vitest';
import { createCa, createCsr, inspectCertificate, issueLeaf } from '../../src/pki/index.ts';
import type { KeyAlgorithm } from '../../src/profile/schema.ts';
import { leafSpec, NOW, openssl, scratch } from './support.ts';

const file = scratch();
const at = String(NOW / 1000);

const signatures: Record<KeyAlgorithm, string> = {
  'ecdsa-p256': 'ecdsa-with-SHA256',
  'ecdsa-p384': 'ecdsa-with-SHA384',
  'rsa-2048': 'sha256WithRSAEncryption',
  'rsa-3072': 'sha256WithRSAEncryption',
  'rsa-4096': 'sha256WithRSAEncryption',
};
const algorithms = Object.keys(signatures) as KeyAlgorithm[];

describe.each(algorithms)('%s', (keyAlgorithm) => {
  const ready = (async () => {
    const ca = await createCa({ commonName: 'Zuhause 家 etcd CA', keyAlgorithm, validityDays: 3650, now: NOW });
    const [server, client] = await Promise.all([
      issueLeaf(ca, leafSpec({ keyAlgorithm }), NOW),
      issueLeaf(ca, leafSpec({ role: 'client', keyAlgorithm, commonName: 'root', dnsNames: [], ipAddresses: [] }), NOW),
    ]);
    return { ca, server, client, caFile: file(`${keyAlgorithm}-ca.pem`, ca.certificatePem) };
  })();
  const verify = async (which: 'server' | 'client', purpose: string, ...more: string[]) => {
    const { caFile, ...leaves } = await ready;
    return openssl([
      'verify',
      '-x509_strict',
      '-attime',
      at,
      '-purpose',
      purpose,
      '-CAfile',
      caFile,
      ...more,
      file(`${keyAlgorithm}-${which}.pem`, leaves[which].certificatePem),
    ]);
  };

  it('server certificates serve and dial, client certificates only dial', async () => {
    expect((await verify('server', 'sslserver')).said).toContain(': OK');
    expect((await verify('server', 'sslclient')).said).toContain(': OK');
    expect((await verify('client', 'sslclient')).said).toContain(': OK');
    expect((await verify('client', 'sslserver')).said).toMatch(
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
  });

  it('holds the names of its host and no others', async () => {
    for (const ip of ['10.0.11.1', '127.0.0.1', '::1'])
      expect((await verify('server', 'sslserver', '-verify_ip', ip)).code, ip).toBe(0);
    for (const name of ['pi1.home', 'localhost'])
      expect((await verify('server', 'sslserver', '-verify_hostname', name)).code, name).toBe(0);
    expect((await verify('server', 'sslserver', '-verify_ip', '10.0.11.2')).said).toContain('IP address mismatch');
    expect((await verify('server', 'sslserver', '-verify_hostname', 'pi2.home')).said).toContain('hostname mismatch');
  });

  it('is what inspectCertificate says it is', async () => {
    const { ca, server } = await ready;
    expect(inspectCertificate(ca.certificatePem)).toMatchObject({
      subject: 'CN=Zuhause 家 etcd CA',
      isCa: true,
      pathLength: 0,
      keyUsage: ['keyCertSign', 'cRLSign'],
      selfSigned: true,
      publicKeyAlgorithm: keyAlgorithm,
      signatureAlgorithm: signatures[keyAlgorithm],
    });
    const info = inspectCertificate(server.certificatePem);
    expect(info).toMatchObject({
      commonName: 'pi1',
      issuer: 'CN=Zuhause 家 etcd CA',
      dnsNames: ['pi1.home', 'localhost'],
      ipAddresses: ['10.0.11.1', '127.0.0.1', '::1'],
      isCa: false,
      selfSigned: false,
      extendedKeyUsage: ['serverAuth', 'clientAuth'],
      keyUsage: keyAlgorithm.startsWith('rsa') ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
      authorityKeyId: inspectCertificate(ca.certificatePem).subjectKeyId,
    });
    const { said } = openssl(
      ['x509', '-noout', '-fingerprint', '-sha256', '-serial', '-ext', 'subjectAltName'],
      server.certificatePem,
    );
    expect(said).toContain(`Fingerprint=${info.fingerprint.replace('SHA256:', '')}`);
    expect(said).toContain(`serial=${info.serial}`);
    expect(said).toContain(
      'DNS:pi1.home, DNS:localhost, IP Address:10.0.11.1, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
  });

  it('the key is unencrypted PKCS#8 and belongs to the certificate', async () => {
    const { server } = await ready;
    expect(server.keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    const fromKey = openssl(['pkey', '-pubout'], server.keyPem).said;
    expect(fromKey).toBe(openssl(['x509', '-noout', '-pubkey'], server.certificatePem).said);
  });

  it('requests carry names and usages and prove possession of the key', async () => {
    const { csrPem } = await createCsr(leafSpec({ keyAlgorithm, organization: 'homelab' }));
    const { said } = openssl(['req', '-verify', '-noout', '-text'], csrPem);
    expect(said).toMatch(/verify OK/);
    expect(said).toMatch(/Subject: O = homelab, CN = pi1/);
    expect(said).toContain('DNS:pi1.home, DNS:localhost, IP Address:10.0.11.1');
    expect(said).toContain('TLS Web Server Authentication, TLS Web Client Authentication');
  });
});

it('an authority of one kind signs leaves of another', async () => {
  const ca = await createCa({ commonName: 'rsa', keyAlgorithm: 'rsa-2048', validityDays: 10, now: NOW });
  const leaf = await issueLeaf(ca, leafSpec(), NOW);
  expect(
    openssl([
      'verify',
      '-x509_strict',
      '-attime',
      at,
      '-CAfile',
      file('mixed-ca.pem', ca.certificatePem),
      file('mixed.pem', leaf.certificatePem),
    ]).said,
  ).toContain(': OK');
});
