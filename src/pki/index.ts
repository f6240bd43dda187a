/** What the other rooms use of the PKI. Loads node-forge's ASN.1 writer, so import it lazily: `await import('../pki/index.ts')`. */
export { type CaMaterials, type CaOptions, createCa, createCsr, issueLeaf } from './ca.ts';
export { fingerprint, inspectAll, inspectCertificate } from './certificate.ts';
export { canonicalIp } from './ip.ts';
export { decryptKey, encryptKey, isEncryptedKey, keyMatches, publicKeyOf } from './keys.ts';
export { exportP12, type P12Options } from './p12.ts';
export { SelfSignedAuthority } from './self-signed.ts';
export {
  type Purpose,
  type VerifyCode,
  type VerifyInput,
  type VerifyProblem,
  type VerifyResult,
  verifyLikeGo,
} from './verify.ts';
