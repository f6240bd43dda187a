/**
 * Is a verified certificate the one of the host that was dialled? By the rules of Go, in which etcd and all its clients are
 * written (crypto/x509 VerifyHostname): a subject alternative name is required, the common name never counts. Node alone
 * would fall back to the common name and report «fine» where every etcd client fails.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { EndpointError } from './failure.ts';

/**
 * @param host as it stands in the URL, without brackets
 * @returns undefined when the certificate is for that host
 */
export function identityFailure(certificate: X509Certificate, host: string): EndpointError | undefined {
  const names = alternativeNames(certificate);
  const make = (message: string, code: string) => new EndpointError('tls', 'server-certificate', message, code);
  if (names.length === 0)
    return make(
      `the server’s certificate names no host at all (no subject alternative name); etcd and its clients need ${host} in it`,
      'NO_SAN',
    );
  const matches =
    isIP(host) !== 0 ? certificate.checkIP(host) !== undefined : names.some((name) => matchesName(name, host));
  return matches
    ? undefined
    : make(`the server’s certificate is for ${listed(names)}, not ${host}`, 'ERR_TLS_CERT_ALTNAME_INVALID');
}

/** DNS names and addresses; what Node puts in quotes holds control characters or commas and can match nothing. */
function alternativeNames(certificate: X509Certificate): string[] {
  const entries = (certificate.subjectAltName ?? '').split(', ');
  return entries.flatMap((entry) => /^(?:DNS|IP Address):([^"]+)$/.exec(entry)?.[1] ?? []);
}

const listed = (names: string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');

/** Go's matchHostnames: case-blind, label by label, a wildcard is one whole leftmost label; a trailing dot in the certificate matches nothing. */
export function matchesName(pattern: string, host: string): boolean {
  const wanted = host.toLowerCase().replace(/\.$/, '').split('.');
  const given = pattern.toLowerCase().split('.');
  if (given.length !== wanted.length || given.includes('') || isIP(pattern) !== 0) return false;
  return given.every((label, index) => label === wanted[index] || (index === 0 && label === '*' && given.length > 1));
}
