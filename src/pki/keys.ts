/** Private keys: made, compared and locked by node:crypto alone. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { WizardError } from '../errors.ts';
import type { KeyAlgorithm } from '../profile/schema.ts';
import { elements, expectTag, single, TAG } from './der.ts';
import { encryptPkcs8 } from './pbes2.ts';
import { readCertificates, readPem, toPem } from './pem.ts';

const CURVES: Readonly<Record<string, string>> = { 'ecdsa-p256': 'prime256v1', 'ecdsa-p384': 'secp384r1' };

/** libuv has four threads for keys, files and name look-ups together; one stays free for the others. */
const KEYS_AT_ONCE = Math.max(1, Math.min(3, availableParallelism()));

const generate = promisify(generateKeyPair);

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** A fresh key pair, made off the main thread: an RSA key takes up to seconds on a small machine. */
export async function makeKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  const namedCurve = CURVES[algorithm];
  if (namedCurve !== undefined) return generate('ec', { namedCurve });
  return generate('rsa', { modulusLength: Number(algorithm.slice('rsa-'.length)) });
}

/** Works through a list with as many at once as key generation can use; results in the list's order. */
export async function withKeyThreads<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: KEYS_AT_ONCE }, worker));
  return results;
}

/** PKCS#8 PEM without a passphrase, as etcd wants it. A secret. */
export const exportKey = (privateKey: KeyObject): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** Reads an unencrypted private key of any common form (PKCS#8, PKCS#1, SEC 1). @throws WizardError `bad-input` */
export function readKey(keyPem: string): KeyObject {
  if (isEncryptedKey(keyPem))
    throw new WizardError('bad-input', 'This private key is under a passphrase.', {
      why: 'It must be opened with its passphrase first.',
    });
  const blocks = readPem(keyPem, 'private key');
  // Alone, since openssl writes EC PARAMETERS before some keys and people keep certificate and key in one file.
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    const label = blocks[0]?.label ?? '';
    if (label !== 'CERTIFICATE') throw new WizardError('bad-input', `This holds no private key but a ${label}.`);
    throw new WizardError('bad-input', 'This is a certificate, not a private key.', {
      why: 'The certificate and its key were probably swapped.',
    });
  }
  try {
    return createPrivateKey(toPem(block.label, block.der));
  } catch (cause) {
    throw new WizardError('bad-input', 'This private key cannot be read.', {
      why: 'It is damaged or of a kind that is not known here.',
      cause,
    });
  }
}

/** base64 SubjectPublicKeyInfo, the same form as CertificateInfo.publicKey. @throws WizardError `bad-input` */
export const publicKeyOf = (keyPem: string): string => spki(createPublicKey(readKey(keyPem))).toString('base64');

/** DER SubjectPublicKeyInfo. */
export const spki = (publicKey: KeyObject): Buffer => publicKey.export({ type: 'spki', format: 'der' });

/** True when the key belongs to the (first) certificate. @throws WizardError `bad-input` when either cannot be read */
export function keyMatches(certificatePem: string, keyPem: string): boolean {
  const [der] = readCertificates(certificatePem);
  const key = readKey(keyPem);
  try {
    return new X509Certificate(der ?? '').checkPrivateKey(key);
  } catch (cause) {
    throw new WizardError('bad-input', 'This certificate cannot be read.', {
      why: 'What is inside its PEM block is not a certificate.',
      cause,
    });
  }
}

/**
 * The name of a public key: the leftmost 160 bits of SHA-256 over its bits.
 * @see RFC 7093, 2 method 1 (Go's crypto/x509 does the same); RFC 5280's own suggestion is SHA-1
 */
export function keyIdentifier(spkiDer: Buffer): Buffer {
  const [, bitString] = elements(single(spkiDer, TAG.sequence).content);
  return createHash('sha256').update(expectTag(bitString, TAG.bitString).content.subarray(1)).digest().subarray(0, 20);
}

/** True for a private key in PEM that needs a passphrase. */
export const isEncryptedKey = (keyPem: string): boolean =>
  /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(keyPem);

/**
 * Puts a key under a passphrase: PKCS#8 that openssl and node read, AES-256 and 600,000 rounds of PBKDF2 (openssl's own 2048
 * hardly slow down a thief with a graphics card).
 * @throws WizardError `bad-input` when the passphrase is empty or the key cannot be read
 */
export function encryptKey(keyPem: string, passphrase: string): string {
  if (passphrase === '') throw new WizardError('bad-input', 'The passphrase is empty.');
  const pkcs8 = readKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  try {
    return toPem('ENCRYPTED PRIVATE KEY', encryptPkcs8(pkcs8, passphrase, 600_000));
  } finally {
    pkcs8.fill(0);
  }
}

/**
 * Opens a key that {@link encryptKey}, openssl or ssh-keygen put under a passphrase; a key without one comes back as PKCS#8.
 * @throws WizardError `pki` when the passphrase is wrong, `bad-input` when it is no key
 */
export function decryptKey(keyPem: string, passphrase: string): string {
  if (!isEncryptedKey(keyPem)) return exportKey(readKey(keyPem));
  readPem(keyPem, 'private key');
  try {
    return exportKey(createPrivateKey({ key: keyPem, passphrase }));
  } catch {
    // openssl's reason is left out: it names padding or ASN.1, by chance of what the wrong passphrase made of the bytes.
    throw new WizardError('pki', 'The passphrase of this key is wrong.', {
      why: 'The key could not be opened with it.',
      next: ['Try again; upper and lower case matter.'],
    });
  }
}
