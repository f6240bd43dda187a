/** Members of a profile as others see them: names, addresses, ports, URLs. */
import { isIPv6 } from 'node:net';
import type { Profile } from '../profile/schema.ts';

export interface Member {
  name: string;
  address: string;
  clientPort: number;
  peerPort: number;
  /** What the member advertises: by DNS name or by address, as the profile says. */
  clientUrl: string;
  peerUrl: string;
}

/** An address as it stands in a URL: IPv6 in brackets (RFC 3986). */
export const urlHost = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** In the profile's order. */
export function membersOf(profile: Profile): Member[] {
  return profile.hosts.map((host) => {
    const advertised = urlHost(profile.addressing === 'dns' ? (host.dnsNames[0] ?? host.address) : host.address);
    const clientPort = host.clientPort ?? profile.etcd.clientPort;
    const peerPort = host.peerPort ?? profile.etcd.peerPort;
    return {
      name: host.name,
      address: host.address,
      clientPort,
      peerPort,
      clientUrl: `https://${advertised}:${clientPort}`,
      peerUrl: `https://${advertised}:${peerPort}`,
    };
  });
}
