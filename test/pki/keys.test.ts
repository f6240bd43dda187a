import { describe, expect, it } from 'vitest';
import {
  createCa,
  decryptKey,
  encryptKey,
  exportP12,
  inspectCertificate,
  isEncryptedKey,
  issueLeaf,
  keyMatches,
  publicKeyOf,
} from '../../src/pki/index.ts';
import { leafSpec, NOW, openssl, scratch } from './support.ts';

const file = scratch();
const ca = await createCa({ commonName: 'homelab', keyAlgorithm: 'ecdsa-p256', validityDays: 3650, now: NOW });
const [ec, rsa] = await Promise.all([
  issueLeaf(ca, leafSpec(), NOW),
  issueLeaf(ca, leafSpec({ keyAlgorithm: 'rsa-2048' }), NOW),
]);

describe('keys', () => {
  it.each([
    ['EC', ec],
    ['RSA', rsa],
  ])(
    '%s: the public key of key and certificate are the same text, a stranger’s is not',
    (_, { certificatePem, keyPem }) => {
      expect(publicKeyOf(keyPem)).toBe(inspectCertificate(certificatePem).publicKey);
      expect(keyMatches(certificatePem, keyPem)).toBe(true);
      expect(keyMatches(certificatePem, ca.keyPem)).toBe(false);
    },
  );

  it('finds the key beside curve parameters and certificates', () => {
    const generated = openssl(['ecparam', '-genkey', '-name', 'prime256v1']).out.toString();
    expect(generated).toContain('EC PARAMETERS');
    const alone = openssl(['pkcs8', '-topk8', '-nocrypt'], generated).out.toString();
    expect(publicKeyOf(generated)).toBe(publicKeyOf(alone));
    expect(publicKeyOf(ec.certificatePem + ec.keyPem.replaceAll('\n', '\r\n'))).toBe(publicKeyOf(ec.keyPem));
  });

  it.each([
    ['PKCS#1', rsa, ['rsa', '-traditional'], 'BEGIN RSA PRIVATE KEY'],
    ['SEC 1', ec, ['ec'], 'BEGIN EC PRIVATE KEY'],
  ])('reads %s keys too', (_, { keyPem }, command, marker) => {
    const other = openssl(command, keyPem).out.toString();
    expect(other).toContain(marker);
    expect(publicKeyOf(other)).toBe(publicKeyOf(keyPem));
  });

  it.each([
    ['an empty file', '', /is empty/],
    ['a certificate', ec.certificatePem, /This is a certificate, not a private key/],
    ['a cut-off key', ec.keyPem.slice(0, 90), /has no end/],
    ['a damaged key', ec.keyPem.replace(/MIG.{20}/, (start) => start.split('').reverse().join('')), /cannot be read/],
    ['text', 'hello', /not a private key in PEM form/],
    ['an encrypted key', encryptKey(ec.keyPem, 'x'), /under a passphrase/],
  ])('says of %s what is wrong', (_, text, message) => {
    expect(() => publicKeyOf(text)).toThrow(message);
  });
});

describe('passphrase', () => {
  const locked = encryptKey(ca.keyPem, 'grüne Wiese');

  it('openssl opens it with the passphrase and sees AES-256 and many rounds', () => {
    expect(isEncryptedKey(locked)).toBe(true);
    expect(isEncryptedKey(ca.keyPem)).toBe(false);
    expect(openssl(['pkey', '-passin', 'env:WORD'], locked, { WORD: 'grüne Wiese' }).out.toString()).toBe(ca.keyPem);
    expect(openssl(['asn1parse'], locked).said).toMatch(
      /PBES2[\s\S]*PBKDF2[\s\S]*INTEGER\s+:0927C0[\s\S]*hmacWithSHA256[\s\S]*aes-256-cbc/,
    );
  });

  it('opens again, and says plainly when the passphrase is wrong', () => {
    expect(decryptKey(locked, 'grüne Wiese')).toBe(ca.keyPem);
    expect(decryptKey(ca.keyPem, 'not needed')).toBe(ca.keyPem);
    for (const wrong of ['Grüne Wiese', '']) {
      expect(() => decryptKey(locked, wrong)).toThrow(
        expect.objectContaining({ code: 'pki', message: 'The passphrase of this key is wrong.' }),
      );
    }
    expect(() => encryptKey(ca.keyPem, '')).toThrow(/empty/);
  });

  it('opens keys that openssl put under a passphrase, in its new and its old form', () => {
    const modern = openssl(['pkcs8', '-topk8', '-passout', 'pass:word'], ca.keyPem).out.toString();
    const old = openssl(['ec', '-aes128', '-passout', 'pass:word'], ca.keyPem).out.toString();
    expect(old).toContain('Proc-Type: 4,ENCRYPTED');
    for (const key of [modern, old]) {
      expect(decryptKey(key, 'word')).toBe(ca.keyPem);
      expect(() => decryptKey(key, 'sword')).toThrow(/passphrase of this key is wrong/);
    }
  });

  it('an error never holds the passphrase or the key', () => {
    try {
      decryptKey(locked, 'open sesame');
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toMatch(/sesame|MII/);
    }
  });
});

describe.each([
  ['EC', ec],
  ['RSA', rsa],
])('PKCS#12 with a key of %s', (kind, { certificatePem, keyPem }) => {
  const p12 = file(
    `${kind}.p12`,
    exportP12({ certificatePem, keyPem, caPem: ca.certificatePem, name: 'root — Zuhause', passphrase: 'grüne Wiese' }),
  );
  const read = (word: string, ...args: string[]) =>
    openssl(['pkcs12', '-in', p12, '-passin', 'env:WORD', ...args], '', { WORD: word });

  it('gives openssl the same key, certificate and authority back', () => {
    expect(read('grüne Wiese', '-nodes', '-nocerts').said).toContain(keyPem.trim());
    expect(read('grüne Wiese', '-nokeys', '-clcerts').said).toContain(certificatePem.trim());
    expect(read('grüne Wiese', '-nokeys', '-cacerts').said).toContain(ca.certificatePem.trim());
    expect(read('grüne Wiese', '-info', '-noout').said).toMatch(
      /MAC: sha256, Iteration 100000[\s\S]*PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256/,
    );
  });

  it('stays shut to another passphrase', () => {
    const { code, said } = read('grune Wiese', '-nodes');
    expect(code).not.toBe(0);
    expect(said).toMatch(/invalid password/);
  });

  it('is refused without a passphrase or with a stranger’s key', () => {
    expect(() => exportP12({ certificatePem, keyPem, caPem: ca.certificatePem, name: 'x', passphrase: '' })).toThrow(
      /needs a passphrase/,
    );
    expect(() =>
      exportP12({ certificatePem, keyPem: ca.keyPem, caPem: ca.certificatePem, name: 'x', passphrase: 'y' }),
    ).toThrow(/does not belong/);
  });
});
