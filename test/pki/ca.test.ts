import { describe, expect, it } from 'vitest';
import { WizardError } from '../../src/errors.ts';
import { createCa, inspectCertificate, issueLeaf } from '../../src/pki/index.ts';
import { DAY, leafSpec, make, NOW, openssl, scratch } from './support.ts';

const file = scratch();
const ca = await createCa({ commonName: 'homelab', keyAlgorithm: 'ecdsa-p256', validityDays: 3650, now: NOW });

describe('validity', () => {
  it('begins a day ago, for hosts that boot with an old clock, and lasts the days that were asked for from now', async () => {
    const { certificatePem, cappedAt } = await issueLeaf(ca, leafSpec({ validityDays: 30 }), NOW + 10 * DAY);
    expect(inspectCertificate(certificatePem)).toMatchObject({ notBefore: NOW + 9 * DAY, notAfter: NOW + 40 * DAY });
    expect(cappedAt).toBeUndefined();
  });

  it('a leaf never begins before its authority nor outlives it, and says that it was cut', async () => {
    const now = NOW - DAY / 2;
    const leaf = await issueLeaf(ca, leafSpec({ validityDays: 5000 }), now);
    expect(inspectCertificate(leaf.certificatePem)).toMatchObject({ notBefore: NOW - DAY, notAfter: NOW + 3650 * DAY });
    expect(leaf.cappedAt).toBe(NOW + 3650 * DAY);
  });

  it.each([
    ['expired', NOW + 3651 * DAY, /expired on 2036/],
    ['not begun', NOW - 2 * DAY, /not valid before 2026/],
  ])('an authority that has %s signs nothing', async (_, now, message) => {
    await expect(issueLeaf(ca, leafSpec(), now)).rejects.toThrow(message);
  });

  // RFC 5280, 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; openssl asn1parse names the type.
  it.each([
    [Date.UTC(2049, 11, 31, 23, 59, 59, 999), 'UTCTIME', '491231235959Z'],
    [Date.UTC(2050, 0, 1), 'GENERALIZEDTIME', '20500101000000Z'],
    [Date.UTC(2226, 6, 1), 'GENERALIZEDTIME', '22260701000000Z'],
  ])('ends at %d as %s %s', async (notAfter, type, text) => {
    const { pem } = await make({ name: 'far', notAfter });
    expect(openssl(['asn1parse'], pem).said).toMatch(new RegExp(`${type}\\s*:${text}`));
    expect(inspectCertificate(pem).notAfter).toBe(Math.floor(notAfter / 1000) * 1000);
  });
});

describe('structure', () => {
  it('serials are 16 bytes, positive and never the same', async () => {
    const leaves = await Promise.all(Array.from({ length: 50 }, () => issueLeaf(ca, leafSpec(), NOW)));
    const serials = leaves.map(({ certificatePem }) => inspectCertificate(certificatePem).serial);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(new Set(serials).size).toBe(serials.length);
  });

  it('an authority signs leaves only, unless it is asked for room for an intermediate', async () => {
    const options = { commonName: 'offline', keyAlgorithm: 'ecdsa-p256', validityDays: 1, now: NOW } as const;
    expect(inspectCertificate((await createCa(options)).certificatePem).pathLength).toBe(0);
    expect(inspectCertificate((await createCa({ ...options, pathLength: 1 })).certificatePem).pathLength).toBe(1);
  });

  it('the issuer is the authority’s subject byte for byte, however that was encoded', async () => {
    // openssl writes the country as PrintableString and the order is its own.
    const keyPem = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']).out.toString();
    const subject = ['-subj', '/C=AT/O=Müller & Söhne, Wien/CN=Haus', '-utf8'];
    const { out } = openssl(['req', '-x509', '-new', '-key', file('foreign.key', keyPem), ...subject, '-days', '3']);
    const foreign = { certificatePem: out.toString(), keyPem };
    const { certificatePem } = await issueLeaf(foreign, leafSpec(), Date.now());
    expect(inspectCertificate(certificatePem).issuer).toBe('C=AT, O=Müller & Söhne\\, Wien, CN=Haus');
    const { said } = openssl([
      'verify',
      '-CAfile',
      file('foreign.pem', foreign.certificatePem),
      file('leaf.pem', certificatePem),
    ]);
    expect(said).toContain(': OK');
  });

  it('IPv4 written as IPv6 is the IPv4 address', async () => {
    const { certificatePem } = await issueLeaf(
      ca,
      leafSpec({ ipAddresses: ['::ffff:10.0.0.9', '2001:DB8:0:0::00ff', 'fe80::1'] }),
      NOW,
    );
    expect(inspectCertificate(certificatePem).ipAddresses).toEqual(['10.0.0.9', '2001:db8::ff', 'fe80::1']);
  });

  it.each([
    ['a name that is not ASCII', { dnsNames: ['käse.home'] }, /cannot carry the DNS name/],
    ['a name with a blank', { dnsNames: ['pi1 home'] }, /cannot carry the DNS name/],
    ['no address', { ipAddresses: ['10.0.0.256'] }, /is not an IP address/],
    ['an address with a zone', { ipAddresses: ['fe80::1%eth0'] }, /is not an IP address/],
  ])('refuses %s', async (_, changes, message) => {
    await expect(issueLeaf(ca, leafSpec(changes), NOW)).rejects.toThrow(message);
    await expect(issueLeaf(ca, leafSpec(changes), NOW)).rejects.toBeInstanceOf(WizardError);
  });

  it('refuses a key that is not the authority’s, and a leaf as an authority', async () => {
    const other = await createCa({ commonName: 'homelab', keyAlgorithm: 'ecdsa-p256', validityDays: 1, now: NOW });
    await expect(issueLeaf({ ...ca, keyPem: other.keyPem }, leafSpec(), NOW)).rejects.toThrow('does not belong');
    await expect(issueLeaf(await issueLeaf(ca, leafSpec(), NOW), leafSpec(), NOW)).rejects.toThrow('may not sign');
  });
});
