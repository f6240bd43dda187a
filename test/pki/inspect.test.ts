import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCa, createCsr, fingerprint, inspectAll, inspectCertificate, issueLeaf } from '../../src/pki/index.ts';
import { toPem } from '../../src/pki/pem.ts';
import { basicConstraints } from '../../src/pki/structure.ts';
import { leafSpec, make, NOW, openssl, scratch } from './support.ts';

const file = scratch();
const ca = await createCa({ commonName: 'homelab', keyAlgorithm: 'ecdsa-p256', validityDays: 10, now: NOW });
const leaf = await issueLeaf(ca, leafSpec({ organization: 'system:masters' }), NOW);
const { csrPem } = await createCsr(leafSpec());
const pem = leaf.certificatePem;
const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');

describe('what is read', () => {
  it.each<[string, string]>([
    ['CRLF line ends', pem.replaceAll('\n', '\r\n')],
    ['a byte-order mark', `\ufeff${pem}`],
    ['no newline at the end', pem.trimEnd()],
    ['blanks at line ends', pem.replaceAll('\n', '  \n')],
    ['openssl’s text before it', openssl(['x509', '-text'], pem).out.toString()],
    ['its key before it', leaf.keyPem + pem],
    ['base64 on one line', toPem('CERTIFICATE', der).replace(/(?<=[^-])\n(?!-)/g, '')],
  ])('tolerates %s', (_, text) => {
    expect(inspectCertificate(text)).toEqual(inspectCertificate(pem));
  });

  it('a bundle in its order; the first one is the leaf', () => {
    const bundle = pem + ca.certificatePem;
    expect(inspectAll(bundle).map(({ subject }) => subject)).toEqual(['O=system:masters, CN=pi1', 'CN=homelab']);
    expect(inspectCertificate(bundle)).toMatchObject({ commonName: 'pi1', organization: 'system:masters' });
    expect(fingerprint(bundle)).toBe(inspectCertificate(pem).fingerprint);
  });

  it('certificates of openssl: Ed25519, path length, key usages, several attributes of a name', () => {
    const key = openssl(['genpkey', '-algorithm', 'ED25519']).out;
    const config =
      '[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\n0.OU=a\n1.OU=b, c\nCN=x\n[ext]\nbasicConstraints=critical,CA:TRUE,pathlen:3\nkeyUsage=digitalSignature,decipherOnly,keyAgreement\nextendedKeyUsage=codeSigning,serverAuth\nsubjectAltName=email:a@b.c,URI:https://x/,DNS:n,IP:fd00::5\n';
    const { out } = openssl([
      'req',
      '-x509',
      '-new',
      '-key',
      file('ed.key', key),
      '-config',
      file('ed.conf', config),
      '-days',
      '1',
    ]);
    expect(inspectCertificate(out.toString())).toMatchObject({
      subject: 'OU=a, OU=b\\, c, CN=x',
      publicKeyAlgorithm: 'ed25519',
      signatureAlgorithm: 'ED25519',
      isCa: true,
      pathLength: 3,
      keyUsage: ['digitalSignature', 'keyAgreement', 'decipherOnly'],
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.3', 'serverAuth'],
      dnsNames: ['n'],
      ipAddresses: ['fd00::5'],
    });
  });
});

describe('what is refused, and in which words', () => {
  const half = pem.split('\n').slice(0, 5).join('\n');
  it.each<[string, string, RegExp]>([
    ['an empty file', '', /file is empty/],
    ['blanks', ' \r\n\n', /file is empty/],
    ['a cut-off file', half, /begins on line 1 has no end/],
    ['a file put together wrongly', `${half}\n${pem}`, /has no end/],
    [
      'an end without a beginning',
      pem.replace(/^-----BEGIN.*\n/, ''),
      /Line \d+ ends a CERTIFICATE that was never begun/,
    ],
    ['a changed character', pem.replace(/^(-.*\n.{10})./, '$1!'), /begins on line 1 is damaged/],
    ['a lost character', pem.replace(/^(-.*\n.{10})./, '$1'), /begins on line 1 is damaged/],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n', /damaged/],
    ['a private key', leaf.keyPem, /private key, not a certificate/],
    ['a request', csrPem, /request, not a certificate/],
    ['openssl’s trusted form', pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'), /«trusted» form/],
    ['a public key', openssl(['x509', '-noout', '-pubkey'], pem).out.toString(), /no certificate but a PUBLIC KEY/],
    ['DER read as UTF-8', der.toString('utf8'), /binary form \(DER\)/],
    ['DER read byte for byte', der.toString('latin1'), /binary form \(DER\)/],
    ['text', 'Not Found', /not a certificate in PEM form/],
    ['a key’s bytes called a certificate', leaf.keyPem.replaceAll('PRIVATE KEY', 'CERTIFICATE'), /cannot be read/],
    ['noise', toPem('CERTIFICATE', randomBytes(700)), /cannot be read/],
    ['bytes after the certificate', toPem('CERTIFICATE', Buffer.concat([der, Buffer.from([0])])), /cannot be read/],
    ['half a certificate', toPem('CERTIFICATE', der.subarray(0, 200)), /cannot be read/],
    ['a file that is too large', `${pem}${'#'.repeat(2 ** 20)}`, /too large/],
    ['too many blocks', '-----BEGIN X-----\nAAAA\n-----END X-----\n'.repeat(1001), /more than 1000/],
  ])('%s', (_, text, message) => {
    expect(() => inspectCertificate(text)).toThrow(message);
    expect(() => inspectAll(text)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('any damage of one byte is an answer or a clear error, never anything else', () => {
    for (let index = 0; index < der.length; index += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = Buffer.from(der);
        damaged[index] = (damaged[index] ?? 0) ^ flip;
        try {
          inspectCertificate(toPem('CERTIFICATE', damaged));
        } catch (error) {
          expect(error, `byte ${index} ^ ${flip}`).toMatchObject({ name: 'WizardError', code: 'bad-input' });
        }
      }
    }
  });

  it('thousands of extensions end quickly', async () => {
    const { pem: crowded } = await make({
      name: 'crowded',
      extensions: Array.from({ length: 8000 }, () => basicConstraints(true)),
    });
    expect(inspectCertificate(crowded).isCa).toBe(true);
  });
});
