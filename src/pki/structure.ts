/** Puts certificates and requests together as RFC 5280 and RFC 2986 have them, and has node:crypto sign them. */
import { sign as cryptoSign, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { WizardError } from '../errors.ts';
import {
  type Asn1,
  bigInteger,
  bits,
  boolean,
  element,
  integer,
  nothing,
  octets,
  oid,
  sequence,
  setOf,
  tagged,
  time,
  toDer,
  utf8,
  wrapped,
} from './asn1.ts';
import { single, TAG } from './der.ts';
import { ipBytes } from './ip.ts';
import { KEY_USAGES, type KeyUsageName, OID } from './oids.ts';

const sign = promisify(cryptoSign);

export interface Extension {
  id: string;
  critical: boolean;
  /** DER of the extension's own structure. */
  value: Buffer;
}

/** DER Name: organization before common name, as openssl and Go order them, both UTF8String (RFC 5280, 4.1.2.4). */
export function nameDer({
  commonName,
  organization,
}: {
  commonName: string;
  organization?: string | undefined;
}): Buffer {
  const attribute = (id: string, text: string) => setOf(sequence(oid(id), utf8(text)));
  return toDer(
    sequence(
      ...(organization ? [attribute(OID.organization, organization)] : []),
      attribute(OID.commonName, commonName),
    ),
  );
}

/** @param pathLength how many CAs may stand between this one and a leaf; undefined for no limit */
export function basicConstraints(ca: boolean, pathLength?: number): Extension {
  const value = ca ? sequence(boolean(true), ...(pathLength === undefined ? [] : [integer(pathLength)])) : sequence();
  return { id: OID.basicConstraints, critical: true, value: toDer(value) };
}

export function keyUsage(...names: KeyUsageName[]): Extension {
  const set = names.map((name) => KEY_USAGES.indexOf(name));
  const last = Math.max(...set);
  const bytes = new Uint8Array((last >> 3) + 1);
  for (const bit of set) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  // DER of a named bit list ends with its last set bit.
  return { id: OID.keyUsage, critical: true, value: toDer(bits(bytes, 7 - (last & 7))) };
}

export const extendedKeyUsage = (...ids: string[]): Extension => ({
  id: OID.extendedKeyUsage,
  critical: false,
  value: toDer(sequence(...ids.map(oid))),
});
export const subjectKeyId = (identifier: Buffer): Extension => ({
  id: OID.subjectKeyIdentifier,
  critical: false,
  value: toDer(octets(identifier)),
});
export const authorityKeyId = (identifier: Buffer): Extension => ({
  id: OID.authorityKeyIdentifier,
  critical: false,
  value: toDer(sequence(tagged(0, identifier))),
});

/** @throws WizardError `pki` for a name or address that no certificate can carry */
export function subjectAltName(dnsNames: readonly string[], ipAddresses: readonly string[]): Extension {
  const dns = dnsNames.map((name) => {
    if (!/^[\x21-\x7e]+$/.test(name))
      throw new WizardError('pki', `A certificate cannot carry the DNS name ${JSON.stringify(name)}.`, {
        why: 'DNS names in certificates are ASCII; write an international name in its «xn--» form.',
      });
    return tagged(2, Buffer.from(name, 'latin1'));
  });
  const ips = ipAddresses.map((address) => {
    const bytes = ipBytes(address);
    if (bytes === undefined) throw new WizardError('pki', `${JSON.stringify(address)} is not an IP address.`);
    return tagged(7, bytes);
  });
  return { id: OID.subjectAltName, critical: false, value: toDer(sequence(...dns, ...ips)) };
}

export interface CertificateParts {
  /** DER Names; the issuer's is the authority's subject byte for byte, since Go compares the bytes. */
  issuer: Buffer;
  subject: Buffer;
  /** Epoch milliseconds. */
  notBefore: number;
  notAfter: number;
  /** DER SubjectPublicKeyInfo. */
  publicKey: Buffer;
  extensions: readonly Extension[];
  serial?: Uint8Array;
}

/** DER of a version 3 certificate, signed with the authority's key off the main thread. */
export function buildCertificate(parts: CertificateParts, signer: KeyObject): Promise<Buffer> {
  return signed(signer, (algorithm) =>
    sequence(
      wrapped(0, integer(2)),
      bigInteger(parts.serial ?? freshSerial()),
      algorithm,
      copied(parts.issuer),
      sequence(time(parts.notBefore), time(parts.notAfter)),
      copied(parts.subject),
      copied(parts.publicKey),
      wrapped(3, extensionList(parts.extensions)),
    ),
  );
}

/** DER of a PKCS#10 request that asks for the extensions, signed with the key that it is for. */
export function buildRequest(
  parts: Pick<CertificateParts, 'subject' | 'publicKey' | 'extensions'>,
  key: KeyObject,
): Promise<Buffer> {
  const attributes = wrapped(0, sequence(oid(OID.extensionRequest), setOf(extensionList(parts.extensions))));
  return signed(key, () => sequence(integer(0), copied(parts.subject), copied(parts.publicKey), attributes));
}

/**
 * 128 bits, positive, always 16 bytes long: two bits are fixed, 126 are random, so that serials of two authorities, or of one whose
 * record was lost, never meet (RFC 5280, 4.1.2.2 allows 20 bytes; the CA/Browser Forum asks for 64 random bits).
 */
function freshSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

async function signed(key: KeyObject, content: (algorithm: Asn1) => Asn1): Promise<Buffer> {
  const { id, hash } = signatureAlgorithm(key);
  // RSA's parameters are NULL, those of ECDSA and Ed25519 absent (RFC 4055, 5758, 8410); Go refuses the other way round.
  const algorithm = () => sequence(oid(id), ...(key.asymmetricKeyType === 'rsa' ? [nothing()] : []));
  const body = content(algorithm());
  const signature = await sign(hash, toDer(body), key);
  return toDer(sequence(body, algorithm(), bits(signature)));
}

/** What an authority's key signs with; the hash matches the curve's strength. @throws WizardError `pki` */
function signatureAlgorithm(key: KeyObject): { id: string; hash: string | null } {
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return { id: OID.sha256WithRsa, hash: 'sha256' };
  if (key.asymmetricKeyType === 'ed25519') return { id: OID.ed25519, hash: null };
  if (namedCurve === 'prime256v1') return { id: OID.ecdsaWithSha256, hash: 'sha256' };
  if (namedCurve === 'secp384r1') return { id: OID.ecdsaWithSha384, hash: 'sha384' };
  if (namedCurve === 'secp521r1') return { id: OID.ecdsaWithSha512, hash: 'sha512' };
  throw new WizardError(
    'pki',
    `The authority’s key is of a kind that Go’s TLS does not know: ${namedCurve ?? key.asymmetricKeyType ?? 'unknown'}.`,
    {
      next: ['Use an RSA key or an EC key on P-256, P-384 or P-521.'],
    },
  );
}

function extensionList(extensions: readonly Extension[]): Asn1 {
  return sequence(
    ...extensions.map(({ id, critical, value }) =>
      sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value)),
    ),
  );
}

const copied = (der: Buffer): Asn1 => element(TAG.sequence, single(der, TAG.sequence).content);
