/** Which certificates a cluster has, and whether one that is there is still the right one. */
import { isIP } from 'node:net';
import { daysLeft } from '../pki/expiry.ts';
import { canonicalIp } from '../pki/ip.ts';
import type { CertificateInfo, LeafSpec } from '../pki/types.ts';
import type { Profile } from '../profile/schema.ts';

/**
 * When a certificate is renewed, as shares of its life. From `due` on it is reported and `certs renew` renews it; a replay
 * leaves a working certificate alone until `reissue`, so that a replay for another reason does not touch every host.
 */
const RENEWAL = { due: 2 / 3, reissue: 0.9 } as const;

/** Three certificates a host, then one for each client that stays on the controller; in the profile's order. */
export function leafSpecs(profile: Profile): LeafSpec[] {
  const { keyAlgorithm, validityDays, extraSans, clients } = profile.certificates;
  const common = { keyAlgorithm, validityDays };
  const extraNames = extraSans.filter((each) => isIP(each) === 0);
  const extraAddresses = extraSans.filter((each) => isIP(each) !== 0);
  const members = profile.hosts.flatMap(({ name, address, dnsNames }): LeafSpec[] => {
    const own = { ...common, host: name, commonName: name };
    return [
      {
        ...own,
        id: `${name}/server`,
        role: 'server',
        anchor: 'client',
        dnsNames: unique([...dnsNames, ...extraNames, 'localhost']),
        ipAddresses: unique([address, ...extraAddresses, '127.0.0.1', '::1'].map(canonicalIp)),
      },
      {
        ...own,
        id: `${name}/peer`,
        role: 'peer',
        anchor: profile.ca.peers === 'same' ? 'client' : 'peer',
        dnsNames: unique(dnsNames),
        ipAddresses: [canonicalIp(address)],
      },
      { ...own, id: `${name}/client`, role: 'client', anchor: 'client', dnsNames: [], ipAddresses: [] },
    ];
  });
  const bundles = clients.map(
    ({ commonName }): LeafSpec => ({
      ...common,
      id: `client/${commonName}`,
      role: 'client',
      anchor: 'client',
      commonName,
      dnsNames: [],
      ipAddresses: [],
    }),
  );
  return [...members, ...bundles];
}

/**
 * @param issuer the CA that should have signed it; absent where it is yet to be made
 * @param now epoch milliseconds
 * @returns why the certificate has to be issued again, in words; empty when it is right
 */
export function leafMatches(spec: LeafSpec, info: CertificateInfo, now: number, issuer?: CertificateInfo): string[] {
  const usages = spec.role === 'client' ? ['clientAuth'] : ['serverAuth', 'clientAuth'];
  const has = info.extendedKeyUsage ?? [];
  const names = difference(spec.dnsNames, info.dnsNames, (name) => name.toLowerCase());
  const addresses = difference(spec.ipAddresses, info.ipAddresses, canonicalIp);
  return [
    ...[...addresses.missing, ...names.missing].map((name) => `${name} is not in it`),
    ...[...addresses.extra, ...names.extra].map((name) => `it is also good for ${name}`),
    ...(info.commonName === spec.commonName
      ? []
      : [`its name is ${info.commonName ?? '(none)'} instead of ${spec.commonName}`]),
    ...(info.isCa ? ['it is a CA certificate'] : []),
    ...usages.filter((usage) => !has.includes(usage)).map((usage) => `it may not be used for ${usage}`),
    ...has.filter((usage) => !usages.includes(usage)).map((usage) => `it may be used for ${usage} too`),
    ...(info.publicKeyAlgorithm === spec.keyAlgorithm
      ? []
      : [`its key is ${info.publicKeyAlgorithm} instead of ${spec.keyAlgorithm}`]),
    ...(issuer === undefined || isSignedBy(info, issuer) ? [] : ['another CA signed it']),
    ...validity(info, now),
  ];
}

/** By key identifier (RFC 5280, 4.2.1.1), which survives a renewal of the CA with the same key; else by name. */
export function isSignedBy(info: CertificateInfo, issuer: CertificateInfo): boolean {
  if (info.authorityKeyId !== undefined && issuer.subjectKeyId !== undefined)
    return info.authorityKeyId === issuer.subjectKeyId;
  return info.issuer === issuer.subject;
}

/** True from two thirds of its life on. */
export const isDue = (info: CertificateInfo, now: number): boolean => shareOf(info, now) >= RENEWAL.due;

function validity(info: CertificateInfo, now: number): string[] {
  const days = daysLeft(info.notAfter, now);
  if (now < info.notBefore) return ['it is not valid yet'];
  if (now >= info.notAfter) return [`it expired ${-days} ${-days === 1 ? 'day' : 'days'} ago`];
  return shareOf(info, now) >= RENEWAL.reissue ? [`it expires in ${days} ${days === 1 ? 'day' : 'days'}`] : [];
}

const shareOf = ({ notBefore, notAfter }: CertificateInfo, now: number): number =>
  (now - notBefore) / Math.max(1, notAfter - notBefore);

function difference(wanted: readonly string[], found: readonly string[], canonical: (text: string) => string) {
  const [left, right] = [wanted.map(canonical), found.map(canonical)];
  return {
    missing: wanted.filter((_, index) => !right.includes(left[index] ?? '')),
    extra: found.filter((_, index) => !left.includes(right[index] ?? '')),
  };
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
