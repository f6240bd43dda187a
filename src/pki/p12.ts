/**
 * PKCS#12 (RFC 7292) for browsers, Java and desktop tools: EC and RSA keys alike, which node-forge's own refuses. Key and certificates
 * under PBES2 (AES-256-CBC), the whole under an HMAC-SHA256: what `openssl pkcs12 -export` of version 3 makes by default.
 */
import { createHmac, hash, randomBytes } from 'node:crypto';
import { WizardError } from '../errors.ts';
import {
  type Asn1,
  bmp,
  element,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  setOf,
  tagged,
  toDer,
  wrapped,
} from './asn1.ts';
import { single, TAG } from './der.ts';
import { keyMatches, readKey } from './keys.ts';
import { OID } from './oids.ts';
import { encryptPkcs8, pbes2 } from './pbes2.ts';
import { readCertificates } from './pem.ts';

/** For the encryption and for the MAC, since a thief attacks the weaker; the MAC's derivation has no fast form in node. */
const ITERATIONS = 100_000;

export interface P12Options {
  /** The leaf; intermediates may follow. */
  certificatePem: string;
  /** Unencrypted. A secret. */
  keyPem: string;
  /** Authorities to carry along. */
  caPem: string;
  /** Shown by programs that import it. */
  name: string;
  passphrase: string;
}

/** @throws WizardError `bad-input` when something cannot be read or the passphrase is empty, `pki` when key and certificate do not match */
export function exportP12({ certificatePem, keyPem, caPem, name, passphrase }: P12Options): Buffer {
  if (passphrase === '')
    throw new WizardError('bad-input', 'A PKCS#12 file needs a passphrase.', {
      why: 'Many programs refuse to import one without.',
    });
  if (!keyMatches(certificatePem, keyPem)) throw new WizardError('pki', 'The key does not belong to the certificate.');
  const key = readKey(keyPem);
  const [leaf = Buffer.alloc(0), ...chain] = [...readCertificates(certificatePem), ...readCertificates(caPem)];
  // Programs find the certificate of a key by this number.
  const localKeyId = hash('sha256', leaf, 'buffer').subarray(0, 20);
  const attributes = setOf(attribute(OID.friendlyName, bmp(name)), attribute(OID.localKeyId, octets(localKeyId)));

  const certificates = sequence(certificateBag(leaf, attributes), ...chain.map((der) => certificateBag(der)));
  const { algorithm, encrypted } = pbes2(toDer(certificates), passphrase, ITERATIONS);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const shrouded = encryptPkcs8(pkcs8, passphrase, ITERATIONS);
  pkcs8.fill(0);
  const keys = sequence(sequence(oid(OID.shroudedKeyBag), wrapped(0, copied(shrouded)), attributes));

  const safe = toDer(
    sequence(
      sequence(
        oid(OID.encryptedData),
        wrapped(0, sequence(integer(0), sequence(oid(OID.data), algorithm, tagged(0, encrypted)))),
      ),
      dataContent(toDer(keys)),
    ),
  );
  const salt = randomBytes(16);
  const mac = createHmac('sha256', macKey(passphrase, salt)).update(safe).digest();
  const digest = sequence(sequence(oid(OID.sha256), nothing()), octets(mac));
  return toDer(sequence(integer(3), dataContent(safe), sequence(digest, octets(salt), integer(ITERATIONS))));
}

const attribute = (id: string, value: Asn1): Asn1 => sequence(oid(id), setOf(value));
const dataContent = (bytes: Buffer): Asn1 => sequence(oid(OID.data), wrapped(0, octets(bytes)));
const copied = (der: Buffer): Asn1 => element(TAG.sequence, single(der, TAG.sequence).content);
const certificateBag = (der: Buffer, ...attributes: Asn1[]): Asn1 =>
  sequence(oid(OID.certBag), wrapped(0, sequence(oid(OID.x509Certificate), wrapped(0, octets(der)))), ...attributes);

/**
 * PKCS#12's own key derivation for the MAC, SHA-256 and one block (the key is as long as the hash).
 * @see RFC 7292, appendix B.2 with ID 3
 */
function macKey(passphrase: string, salt: Buffer): Buffer {
  const block = 64;
  const filled = (bytes: Buffer) => Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16();
  let key = Buffer.concat([Buffer.alloc(block, 3), filled(salt), filled(password)]);
  for (let round = 0; round < ITERATIONS; round += 1) key = hash('sha256', key, 'buffer');
  return key;
}
