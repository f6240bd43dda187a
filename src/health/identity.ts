/**
 * Is a verified certificate the one of the host that was dialled? By the rules of Go, in which etcd and all its clients are
 * written (crypto/x509 VerifyHostname): a subject alternative name is required, the common name never counts. Node alone
 * would fall back to the common name and report «fine» where every etcd client fails.
 */
import type { X509Certificate } from 'node:crypto';
import { isValidFor, type Names } from '../pki/hostname.ts';
import { EndpointError } from './failure.ts';

/**
 * @param host as it stands in the URL, without brackets
 * @returns undefined when the certificate is for that host
 */
export function identityFailure(certificate: X509Certificate, host: string): EndpointError | undefined {
  const names = alternativeNames(certificate);
  if (isValidFor(names, host)) return undefined;
  const all = [...names.dnsNames, ...names.ipAddresses];
  return all.length === 0
    ? failure(
        `the server’s certificate names no host at all (no subject alternative name); etcd and its clients need ${host} in it`,
        'NO_SAN',
      )
    : failure(`the server’s certificate is for ${listed(all)}, not ${host}`, 'ERR_TLS_CERT_ALTNAME_INVALID');
}

const failure = (message: string, code: string) => new EndpointError('tls', 'server-certificate', message, code);

/** As Node writes them; what it puts in quotes holds control characters or commas and can match nothing. */
function alternativeNames(certificate: X509Certificate): Names {
  const entries = (certificate.subjectAltName ?? '').split(', ');
  const of = (kind: string) =>
    entries.flatMap((entry) =>
      entry.startsWith(`${kind}:`) && !entry.includes('"') ? [entry.slice(kind.length + 1)] : [],
    );
  return { dnsNames: of('DNS'), ipAddresses: of('IP Address') };
}

const listed = (names: string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');
