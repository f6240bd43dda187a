/**
 * Whether a certificate is good for a name, by the rules of Go's `crypto/x509` (verify.go: VerifyHostname, validHostname,
 * matchHostnames), which are etcd's: only subjectAltName counts, the common name never; addresses match addresses only.
 */
import { canonicalIp, ipBytes } from './ip.ts';

/** The names in a certificate; addresses in canonical form, as CertificateInfo has them. */
export interface Names {
  dnsNames: readonly string[];
  ipAddresses: readonly string[];
}

/** @param name a DNS name or an address, IPv6 with or without brackets */
export function isValidFor({ dnsNames, ipAddresses }: Names, name: string): boolean {
  const address = bareAddress(name);
  if (ipBytes(address)) return ipAddresses.some((candidate) => canonicalIp(candidate) === canonicalIp(address));
  const host = lower(name);
  const labels = hostLabels(host);
  return dnsNames.some((pattern) =>
    // What is no proper host name may still match to the letter; wildcards and the trailing dot are for proper ones.
    isHostname(host, false) && isHostname(pattern, true) ? labelsMatch(pattern, labels) : matchesExactly(pattern, host),
  );
}

/** True when only the legacy common name would have matched: Go then says so instead of listing names. */
export const matchesCommonName = (commonName: string, name: string): boolean =>
  labelsMatch(commonName, hostLabels(lower(name)));

export const bareAddress = (name: string): string => (/^\[.+\]$/.exec(name) ? name.slice(1, -1) : name);

/** A wildcard stands for exactly one whole label, the first. */
function labelsMatch(pattern: string, labels: readonly string[]): boolean {
  const wanted = lower(pattern).split('.');
  return (
    pattern !== '' &&
    wanted.length === labels.length &&
    wanted.every((label, index) => (index === 0 && label === '*') || label === labels[index])
  );
}

function matchesExactly(a: string, b: string): boolean {
  return ![a, b].some((name) => name === '' || name === '.') && lower(a) === lower(b);
}

function isHostname(text: string, isPattern: boolean): boolean {
  const host = isPattern ? text : text.replace(/\.$/, '');
  if (host === '' || host === '*') return false;
  return host
    .split('.')
    .every((label, index) => (isPattern && index === 0 && label === '*') || /^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(label));
}

/** ASCII only: Unicode's rules would make names equal that are not. */
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const hostLabels = (host: string): string[] => host.replace(/\.$/, '').split('.');
