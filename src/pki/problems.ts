/** What can be wrong with a certificate in Go's eyes, and the checks that concern one certificate at its place in a chain. */
import { cleanLine } from '../clean.ts';
import type { Certificate } from './certificate.ts';

export type Purpose = 'server' | 'client';

export type VerifyCode =
  | 'malformed'
  | 'unhandled-critical-extension'
  | 'expired'
  | 'not-yet-valid'
  | 'ca-expired'
  | 'ca-not-yet-valid'
  | 'no-san'
  | 'name-mismatch'
  | 'unknown-authority'
  | 'issuer-not-ca'
  | 'issuer-key-usage'
  | 'bad-signature'
  | 'weak-signature'
  | 'path-length'
  | 'too-many-checks'
  | 'incompatible-usage'
  | 'name-constraint';

export interface VerifyProblem {
  code: VerifyCode;
  /** Subject of the certificate at fault, raw. */
  subject: string;
  /** For people: one sentence, free of control characters. */
  message: string;
  /** Go's words for it, as they stand in etcd's and etcdctl's log lines. */
  go: string;
}

/** leaf: the certificate that is verified; the others by the pool that they come from. */
export type Place = 'leaf' | 'intermediate' | 'root';

/** How a certificate is called in a sentence. */
export const nameOf = ({ info }: Certificate): string =>
  `«${cleanLine(info.commonName ?? (info.subject || `serial ${info.serial}`))}»`;

/** Seconds are all that certificates have; Go prints the same form. */
const momentText = (moment: number): string => new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');

/**
 * Go's Certificate.isValid: unknown critical extensions, dates, CA flag and path length at this place; key usage is not looked at.
 * @param below the chain so far, leaf first
 */
export function validityProblem(
  certificate: Certificate,
  place: Place,
  below: readonly Certificate[],
  now: number,
): VerifyProblem | undefined {
  const { info, hasBasicConstraints, unhandledCritical } = certificate;
  const name = nameOf(certificate);
  const fail = (code: VerifyCode, message: string, go: string): VerifyProblem => ({
    code,
    subject: info.subject,
    message: `${name} ${message}`,
    go,
  });
  if (unhandledCritical.length > 0)
    return fail(
      'unhandled-critical-extension',
      `has a critical extension that Go does not know: ${unhandledCritical.join(', ')}.`,
      'x509: unhandled critical extension',
    );
  const leaf = place === 'leaf';
  const dates = 'x509: certificate has expired or is not yet valid: current time';
  if (now < info.notBefore) {
    return fail(
      leaf ? 'not-yet-valid' : 'ca-not-yet-valid',
      `is not valid before ${momentText(info.notBefore)}; the clock says ${momentText(now)}.`,
      `${dates} ${momentText(now)} is before ${momentText(info.notBefore)}`,
    );
  }
  if (now > info.notAfter) {
    return fail(
      leaf ? 'expired' : 'ca-expired',
      `expired at ${momentText(info.notAfter)}; the clock says ${momentText(now)}.`,
      `${dates} ${momentText(now)} is after ${momentText(info.notAfter)}`,
    );
  }
  if (place === 'intermediate' && !(hasBasicConstraints && info.isCa))
    return fail(
      'issuer-not-ca',
      'may not sign certificates: its basic constraints do not say CA:TRUE.',
      'x509: certificate is not authorized to sign other certificates',
    );
  const between = below.length - 1;
  if (info.pathLength !== undefined && between > info.pathLength) {
    return fail(
      'path-length',
      `allows ${info.pathLength === 0 ? 'no authority' : `at most ${info.pathLength} authorities`} between itself and a leaf, and there ${between === 1 ? 'is 1' : `are ${between}`}.`,
      'x509: too many intermediates for path length constraint',
    );
  }
  return undefined;
}
