/**
 * What the other rooms use of the PKI. Loads node-forge's ASN.1 writer, so import it lazily: `await import('../pki/index.ts')`.
 * Types come from the files themselves; ip.ts and hostname.ts alone are light enough for anyone.
 */
export { createCa, createCsr, issueLeaf } from './ca.ts';
export { fingerprint, inspectAll, inspectCertificate } from './certificate.ts';
export { decryptKey, encryptKey, isEncryptedKey, keyMatches, publicKeyOf } from './keys.ts';
export { exportP12 } from './p12.ts';
export { SelfSignedAuthority } from './self-signed.ts';
export { verifyLikeGo } from './verify.ts';
