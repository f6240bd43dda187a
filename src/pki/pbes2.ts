/** PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC: keys under a passphrase and the inside of PKCS#12 files. */
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { type Asn1, integer, nothing, octets, oid, sequence, toDer } from './asn1.ts';
import { OID } from './oids.ts';

/**
 * Encrypts bytes; only the result reaches the ASN.1 writer.
 * @see RFC 8018, 6.2 and appendix A.4
 */
export function pbes2(
  plain: Uint8Array,
  passphrase: string,
  iterations: number,
): { algorithm: Asn1; encrypted: Buffer } {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = pbkdf2Sync(passphrase, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  key.fill(0);
  const derivation = sequence(
    oid(OID.pbkdf2),
    sequence(octets(salt), integer(iterations), sequence(oid(OID.hmacWithSha256), nothing())),
  );
  return {
    algorithm: sequence(oid(OID.pbes2), sequence(derivation, sequence(oid(OID.aes256Cbc), octets(iv)))),
    encrypted,
  };
}

/** EncryptedPrivateKeyInfo of a PKCS#8 key. */
export function encryptPkcs8(pkcs8: Uint8Array, passphrase: string, iterations: number): Buffer {
  const { algorithm, encrypted } = pbes2(pkcs8, passphrase, iterations);
  return toDer(sequence(algorithm, octets(encrypted)));
}
