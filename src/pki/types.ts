/** What a certificate is for and what it must contain; shared by plan (which decides) and pki (which issues). */
import type { KeyAlgorithm } from '../profile/schema.ts';

/** server: client port; peer: peer port, both ways; client: dials only. */
export type LeafRole = 'server' | 'peer' | 'client';
/** Which of the cluster's authorities signs: clients' and servers', or the peers' own. With `ca.peers: same` both are one. */
export type Anchor = 'client' | 'peer';

/** One certificate to be: pure data, comparable. */
export interface LeafSpec {
  /** Unique in the cluster: `pi1/server`, `pi1/peer`, `pi1/client`, `client/root`. */
  id: string;
  role: LeafRole;
  /** Member name; absent for bundles that stay on the controller. */
  host?: string;
  anchor: Anchor;
  commonName: string;
  organization?: string;
  dnsNames: string[];
  ipAddresses: string[];
  keyAlgorithm: KeyAlgorithm;
  validityDays: number;
}

/** A certificate and its key in memory. `keyPem` is a secret: PKCS#8 PEM, unencrypted as etcd wants it. */
export interface IssuedLeaf {
  spec: LeafSpec;
  /** Leaf first, then intermediates. */
  certificatePem: string;
  keyPem: string;
  /** Epoch milliseconds; set when the authority ends before the leaf should, which was cut to it. */
  cappedAt?: number;
}

export interface CertificateInfo {
  /** `SHA256:` and colon-separated upper-case hex, as openssl prints it. */
  fingerprint: string;
  subject: string;
  commonName?: string;
  organization?: string;
  issuer: string;
  serial: string;
  dnsNames: string[];
  ipAddresses: string[];
  /** Milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
  isCa: boolean;
  pathLength?: number;
  /** Names: digitalSignature, keyEncipherment, keyCertSign, … */
  keyUsage: string[];
  /** serverAuth, clientAuth, anyExtendedKeyUsage or dotted OIDs; undefined when the extension is absent. */
  extendedKeyUsage?: string[];
  /** e.g. ecdsa-p256, rsa-2048, ed25519. */
  publicKeyAlgorithm: string;
  signatureAlgorithm: string;
  /** base64 DER SubjectPublicKeyInfo. */
  publicKey: string;
  subjectKeyId?: string;
  authorityKeyId?: string;
  selfSigned: boolean;
}

/** One interface for self-signed, existing and Vault. */
export interface CertificateAuthority {
  readonly source: 'self-signed' | 'existing' | 'vault';
  /** PEM of what members and clients must trust for this anchor. */
  trustPem(anchor: Anchor): string;
  /** Fingerprint of the anchor's certificate, as in CertificateInfo. */
  fingerprint(anchor: Anchor): string;
  /**
   * Issues certificates with fresh keys made in this process.
   * @throws WizardError `pki`
   */
  issue(specs: readonly LeafSpec[]): Promise<IssuedLeaf[]>;
}
