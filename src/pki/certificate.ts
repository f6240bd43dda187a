/** Reads certificates: node:crypto decides whether it is one and holds its key; the fields are read from its DER. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { WizardError } from '../errors.ts';
import { type Der, elements, expectTag, readOid, readSmallInteger, readTime, single, TAG } from './der.ts';
import { ipText } from './ip.ts';
import { spki } from './keys.ts';
import { attributeOf, nameText } from './name.ts';
import { KEY_USAGES, OID, SIGNATURE_NAMES, USAGE_NAMES } from './oids.ts';
import { readCertificates } from './pem.ts';
import type { CertificateInfo } from './types.ts';

/** `constraints.ts` judges by them. IP ranges are address and mask in one. */
export interface Subtrees {
  dns: string[];
  ip: Buffer[];
}

/** A certificate and all that verification asks of it. */
export interface Certificate {
  x509: X509Certificate;
  publicKey: KeyObject;
  info: CertificateInfo;
  version: number;
  /** DER. */
  rawIssuer: Buffer;
  rawSubject: Buffer;
  /** Content of the subjectAltName extension; undefined when there is none. */
  rawSan?: Buffer;
  hasBasicConstraints: boolean;
  nameConstraints?: { permitted: Subtrees; excluded: Subtrees };
  /** Object identifiers of critical extensions that Go does not handle. */
  unhandledCritical: string[];
  /** Why Go would refuse even to read it, in Go's words; undefined when it reads it. */
  malformed?: string;
}

/**
 * The first certificate of a PEM text.
 * @throws WizardError `bad-input`, in words for people: empty, damaged, a key, a request, DER instead of PEM
 */
export function inspectCertificate(pem: string): CertificateInfo {
  const [first] = readCertificates(pem);
  return parseCertificate(first ?? Buffer.alloc(0)).info;
}

/** Every certificate of a bundle, in its order. @throws WizardError `bad-input` as {@link inspectCertificate} */
export const inspectAll = (pem: string): CertificateInfo[] => parseCertificates(pem).map(({ info }) => info);

/** @throws WizardError `bad-input` as {@link inspectCertificate} */
export const parseCertificates = (pem: string): Certificate[] => readCertificates(pem).map(parseCertificate);

/** `SHA256:` and colon-separated upper-case hex over the whole certificate, as `openssl x509 -fingerprint -sha256` prints it. */
export function fingerprint(certificate: string | Buffer): string {
  const der = typeof certificate === 'string' ? readCertificates(certificate)[0] : certificate;
  return `SHA256:${colons(
    createHash('sha256')
      .update(der ?? '')
      .digest(),
  )}`;
}

/** @throws WizardError `bad-input` when the bytes are not a certificate */
function parseCertificate(der: Buffer): Certificate {
  try {
    const x509 = new X509Certificate(der);
    return read(der, x509, x509.publicKey);
  } catch (cause) {
    throw new WizardError('bad-input', 'This certificate cannot be read.', {
      why: 'What is inside its PEM block is not a whole certificate, or its key is of an unknown kind.',
      cause,
    });
  }
}

function read(der: Buffer, x509: X509Certificate, publicKey: KeyObject): Certificate {
  const [tbs, outerAlgorithm] = elements(single(der, TAG.sequence).content);
  const fields = elements(expectTag(tbs, TAG.sequence).content);
  const version =
    fields[0]?.tag === 0xa0 ? readSmallInteger(single(fields.shift()?.content ?? Buffer.alloc(0))) + 1 : 1;
  const [serial, algorithm, issuer, validity, subject, , ...rest] = fields;
  const [notBefore, notAfter] = elements(expectTag(validity, TAG.sequence).content);
  const serialBytes = expectTag(serial, TAG.integer).content;
  const rawIssuer = expectTag(issuer, TAG.sequence).raw;
  const rawSubject = expectTag(subject, TAG.sequence).raw;
  const signatureId = readOid(elements(expectTag(algorithm, TAG.sequence).content)[0]);
  const wrapper = rest.find(({ tag }) => tag === 0xa3);
  const extensions = wrapper ? elements(single(wrapper.content, TAG.sequence).content).map(readExtension) : [];
  const ids = extensions.map(({ id }) => id);
  const twice = firstRepeated(ids);

  const malformed =
    (serialBytes[0] ?? 0) >= 0x80
      ? 'x509: negative serial number'
      : algorithm?.raw.equals(outerAlgorithm?.raw ?? Buffer.alloc(0)) !== true
        ? "x509: inner and outer signature algorithm identifiers don't match"
        : twice !== undefined
          ? `x509: certificate contains duplicate extension with OID "${twice}"`
          : undefined;

  const certificate: Certificate = {
    x509,
    publicKey,
    info: {
      fingerprint: fingerprint(der),
      subject: nameText(rawSubject),
      ...optional('commonName', attributeOf(rawSubject, OID.commonName)),
      ...optional('organization', attributeOf(rawSubject, OID.organization)),
      issuer: nameText(rawIssuer),
      serial: serialBytes
        .toString('hex')
        .toUpperCase()
        .replace(/^00(?=..)/, ''),
      dnsNames: [],
      ipAddresses: [],
      notBefore: readTime(notBefore),
      notAfter: readTime(notAfter),
      isCa: false,
      keyUsage: [],
      publicKeyAlgorithm: algorithmName(publicKey),
      signatureAlgorithm: SIGNATURE_NAMES[signatureId] ?? signatureId,
      publicKey: spki(publicKey).toString('base64'),
      selfSigned: rawIssuer.equals(rawSubject) && isSignedBy(x509, publicKey),
    },
    version,
    rawIssuer,
    rawSubject,
    hasBasicConstraints: false,
    unhandledCritical: [],
    ...optional('malformed', malformed),
  };
  for (const extension of extensions) applyExtension(certificate, extension);
  return certificate;
}

interface RawExtension {
  id: string;
  critical: boolean;
  value: Buffer;
}

function readExtension(element: Der): RawExtension {
  const parts = elements(expectTag(element, TAG.sequence).content);
  return {
    id: readOid(parts[0]),
    critical: parts[1]?.tag === TAG.boolean && parts[1].content[0] !== 0,
    value: expectTag(parts.at(-1), TAG.octetString).content,
  };
}

/** Extensions that Go reads although nothing here needs them (crypto/x509 parser.go, processExtensions). */
const READ_BY_GO = new Set(['2.5.29.31', '2.5.29.32', '2.5.29.33', '2.5.29.36', '2.5.29.54']);

function applyExtension(certificate: Certificate, { id, critical, value }: RawExtension): void {
  const { info } = certificate;
  let handled = true;
  if (id === OID.basicConstraints) {
    const parts = elements(single(value, TAG.sequence).content);
    const length = parts.find(({ tag }) => tag === TAG.integer);
    certificate.hasBasicConstraints = true;
    info.isCa = parts[0]?.tag === TAG.boolean && parts[0].content[0] !== 0;
    if (length) info.pathLength = readSmallInteger(length);
  } else if (id === OID.keyUsage) {
    const set = single(value, TAG.bitString).content.subarray(1);
    info.keyUsage = KEY_USAGES.filter((_, bit) => ((set[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
  } else if (id === OID.extendedKeyUsage) {
    info.extendedKeyUsage = elements(single(value, TAG.sequence).content)
      .map(readOid)
      .map((usage) => USAGE_NAMES[usage] ?? usage);
  } else if (id === OID.subjectAltName) {
    certificate.rawSan = value;
    handled = applyNames(certificate, elements(single(value, TAG.sequence).content));
  } else if (id === OID.subjectKeyIdentifier) {
    info.subjectKeyId = colons(single(value, TAG.octetString).content);
    if (critical) certificate.malformed ??= 'x509: subject key identifier incorrectly marked critical';
  } else if (id === OID.authorityKeyIdentifier) {
    const identifier = elements(single(value, TAG.sequence).content).find(({ tag }) => tag === 0x80);
    if (identifier) info.authorityKeyId = colons(identifier.content);
    if (critical) certificate.malformed ??= 'x509: authority key identifier incorrectly marked critical';
  } else if (id === OID.nameConstraints) {
    handled = applyConstraints(certificate, elements(single(value, TAG.sequence).content));
  } else if (id === OID.authorityInfoAccess) {
    if (critical) certificate.malformed ??= 'x509: authority info access incorrectly marked critical';
  } else {
    handled = READ_BY_GO.has(id);
  }
  if (critical && !handled) certificate.unhandledCritical.push(id);
}

/** @returns false when there is no name of a kind that Go reads */
function applyNames(certificate: Certificate, names: readonly Der[]): boolean {
  for (const { tag, content } of names) {
    if (tag === 0x82) {
      certificate.info.dnsNames.push(content.toString('latin1'));
      if (content.some((byte) => byte >= 0x80)) certificate.malformed ??= 'x509: SAN dNSName is malformed';
    } else if (tag === 0x87) {
      const text = ipText(content);
      if (text === undefined) certificate.malformed ??= `x509: cannot parse IP address of length ${content.length}`;
      else certificate.info.ipAddresses.push(text);
    }
  }
  // E-mail, DNS, URI and IP are what Go reads.
  return names.some(({ tag }) => [0x81, 0x82, 0x86, 0x87].includes(tag));
}

/** @returns false when a constraint is of a kind that Go cannot judge */
function applyConstraints(certificate: Certificate, parts: readonly Der[]): boolean {
  let handled = true;
  const subtrees = (tag: number): Subtrees => {
    const found: Subtrees = { dns: [], ip: [] };
    for (const subtree of elements(parts.find((part) => part.tag === tag)?.content ?? Buffer.alloc(0))) {
      const base = elements(expectTag(subtree, TAG.sequence).content)[0];
      if (base?.tag === 0x82) found.dns.push(base.content.toString('latin1'));
      else if (base?.tag === 0x87) found.ip.push(base.content);
      else if (base?.tag !== 0x81 && base?.tag !== 0x86) handled = false;
    }
    return found;
  };
  certificate.nameConstraints = { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
  const badRange = [...certificate.nameConstraints.permitted.ip, ...certificate.nameConstraints.excluded.ip].find(
    ({ length }) => length !== 8 && length !== 32,
  );
  if (badRange) certificate.malformed ??= `x509: IP constraint contained value of length ${badRange.length}`;
  return handled;
}

/** True when the key made the certificate's signature; a key that cannot have made it at all (another kind) counts as no. */
export function isSignedBy(x509: X509Certificate, publicKey: KeyObject): boolean {
  try {
    return x509.verify(publicKey);
  } catch {
    return false;
  }
}

function algorithmName(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const curves: Record<string, string> = { prime256v1: 'p256', secp384r1: 'p384', secp521r1: 'p521' };
  if (key.asymmetricKeyType === 'ec') return `ecdsa-${curves[namedCurve ?? ''] ?? namedCurve ?? 'unknown'}`;
  if (key.asymmetricKeyType === 'rsa') return `rsa-${modulusLength}`;
  return key.asymmetricKeyType ?? 'unknown';
}

function firstRepeated(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}

const colons = (bytes: Buffer): string => (bytes.toString('hex').toUpperCase().match(/../g) ?? []).join(':');

/** A property only where there is a value. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]?: Value });
}
