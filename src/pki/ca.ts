/** The cluster's own authority: makes itself, signs leaves, writes requests for others to sign. */
import type { KeyObject } from 'node:crypto';
import { WizardError } from '../errors.ts';
import type { KeyAlgorithm } from '../profile/schema.ts';
import { type Certificate, parseCertificates } from './certificate.ts';
import { exportKey, keyIdentifier, makeKeyPair, publicKeyOf, readKey, spki } from './keys.ts';
import { OID } from './oids.ts';
import { toPem } from './pem.ts';
import {
  authorityKeyId,
  basicConstraints,
  buildCertificate,
  buildRequest,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  nameDer,
  subjectAltName,
  subjectKeyId,
} from './structure.ts';
import type { IssuedLeaf, LeafSpec } from './types.ts';

const DAY = 86_400_000;

/**
 * How far before «now» a certificate begins. Hosts without a clock chip boot with the last time they saved: fake-hwclock does so
 * hourly, and a machine whose clock runs in local time is up to 14 hours off. kubeadm's five minutes would make a cluster
 * that loses power in its first hour unreadable to itself. A private authority gives nothing away by a longer past.
 */
const BACKDATE = DAY;

/** An authority that can sign: the key is a secret, unencrypted PKCS#8 PEM. */
export interface CaMaterials {
  certificatePem: string;
  keyPem: string;
}

export interface CaOptions {
  commonName: string;
  keyAlgorithm: KeyAlgorithm;
  /** Counted from `now`. */
  validityDays: number;
  /** Epoch milliseconds. */
  now: number;
  /**
   * How many authorities may stand between this one and a leaf. 0, the default: it signs leaves only, so that nobody who gets hold
   * of a leaf's signing request can be made an authority by mistake. Give 1 to keep it offline and sign etcd's intermediate with it.
   */
  pathLength?: number;
}

/**
 * A new self-signed authority. Its key may sign certificates and revocation lists, nothing else: it never speaks TLS itself.
 * @throws WizardError `pki`
 */
export async function createCa({
  commonName,
  keyAlgorithm,
  validityDays,
  now,
  pathLength = 0,
}: CaOptions): Promise<CaMaterials> {
  const { privateKey, publicKey } = await makeKeyPair(keyAlgorithm);
  const name = nameDer({ commonName });
  const key = spki(publicKey);
  const identifier = keyIdentifier(key);
  const der = await buildCertificate(
    {
      issuer: name,
      subject: name,
      notBefore: now - BACKDATE,
      notAfter: now + validityDays * DAY,
      publicKey: key,
      extensions: [
        basicConstraints(true, pathLength),
        keyUsage('keyCertSign', 'cRLSign'),
        subjectKeyId(identifier),
        authorityKeyId(identifier),
      ],
    },
    privateKey,
  );
  return { certificatePem: toPem('CERTIFICATE', der), keyPem: exportKey(privateKey) };
}

/** An authority whose certificate and key have been read and found to belong together. */
export interface OpenCa {
  certificate: Certificate;
  key: KeyObject;
}

/** @throws WizardError `pki` when key and certificate do not match or it is no authority, `bad-input` when either cannot be read */
export function openCa({ certificatePem, keyPem }: CaMaterials): OpenCa {
  const [certificate] = parseCertificates(certificatePem);
  const key = readKey(keyPem);
  if (certificate?.info.publicKey !== publicKeyOf(keyPem))
    throw new WizardError('pki', 'The authority’s key does not belong to its certificate.', {
      next: ['Take certificate and key from the same place.'],
    });
  const { info } = certificate;
  if (!info.isCa || (info.keyUsage.length > 0 && !info.keyUsage.includes('keyCertSign'))) {
    throw new WizardError('pki', 'This certificate is not an authority’s: it may not sign others.', {
      why: info.isCa ? 'Its key usage lacks keyCertSign.' : 'Its basic constraints do not say CA:TRUE.',
    });
  }
  return { certificate, key };
}

/**
 * A certificate with a fresh key. It never outlives its authority: a leaf that would is cut to the authority's end, and the result
 * says so in `cappedAt`.
 * @param now epoch milliseconds
 * @throws WizardError `pki` when the authority cannot sign any more or a name cannot stand in a certificate
 */
export async function issueLeaf(ca: CaMaterials | OpenCa, spec: LeafSpec, now: number): Promise<IssuedLeaf> {
  const { certificate, key } = 'certificate' in ca ? ca : openCa(ca);
  const { info } = certificate;
  if (info.notAfter <= now || info.notBefore > now) {
    const when = new Date(info.notAfter <= now ? info.notAfter : info.notBefore).toISOString();
    throw new WizardError(
      'pki',
      info.notAfter <= now ? `The authority expired on ${when}.` : `The authority is not valid before ${when}.`,
      {
        why: 'Nothing that it signs now would be accepted.',
        next:
          info.notAfter <= now
            ? ['Replace it:', 'etcd-wizard certs rotate-ca PROFILE']
            : ['Check this machine’s clock:', 'date -u'],
      },
    );
  }
  const wanted = now + spec.validityDays * DAY;
  const { privateKey, publicKey } = await makeKeyPair(spec.keyAlgorithm);
  const publicDer = spki(publicKey);
  const der = await buildCertificate(
    {
      issuer: certificate.rawSubject,
      subject: nameDer(spec),
      notBefore: Math.max(now - BACKDATE, info.notBefore),
      notAfter: Math.min(wanted, info.notAfter),
      publicKey: publicDer,
      extensions: [
        basicConstraints(false),
        ...requestedExtensions(spec),
        subjectKeyId(keyIdentifier(publicDer)),
        authorityKeyId(authorityIdentifier(certificate)),
      ],
    },
    key,
  );
  return {
    spec,
    certificatePem: toPem('CERTIFICATE', der),
    keyPem: exportKey(privateKey),
    ...(wanted > info.notAfter ? { cappedAt: info.notAfter } : {}),
  };
}

/** A fresh key and a PKCS#10 request that carries the names and usages of the spec; validity is up to who signs. */
export async function createCsr(spec: LeafSpec): Promise<{ spec: LeafSpec; csrPem: string; keyPem: string }> {
  const { privateKey, publicKey } = await makeKeyPair(spec.keyAlgorithm);
  const der = await buildRequest(
    { subject: nameDer(spec), publicKey: spki(publicKey), extensions: requestedExtensions(spec) },
    privateKey,
  );
  return { spec, csrPem: toPem('CERTIFICATE REQUEST', der), keyPem: exportKey(privateKey) };
}

/**
 * Usages and names, the same in a certificate and in a request. Servers and peers are clients too: a peer dials peers, and etcd's
 * JSON gateway dials its own client port with the server certificate. keyEncipherment is RSA's alone (RFC 8813, 3 forbids it for EC).
 */
function requestedExtensions(spec: LeafSpec): Extension[] {
  const usages = spec.role === 'client' ? [OID.clientAuth] : [OID.serverAuth, OID.clientAuth];
  const names =
    spec.dnsNames.length + spec.ipAddresses.length > 0 ? [subjectAltName(spec.dnsNames, spec.ipAddresses)] : [];
  return [
    spec.keyAlgorithm.startsWith('rsa')
      ? keyUsage('digitalSignature', 'keyEncipherment')
      : keyUsage('digitalSignature'),
    extendedKeyUsage(...usages),
    ...names,
  ];
}

/** The authority's own name for its key; computed where it has none, so that the leaf still carries one. */
function authorityIdentifier({ info, publicKey }: Certificate): Buffer {
  return info.subjectKeyId === undefined
    ? keyIdentifier(spki(publicKey))
    : Buffer.from(info.subjectKeyId.replaceAll(':', ''), 'hex');
}
