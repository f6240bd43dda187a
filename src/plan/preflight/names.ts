/** Checks of DNS names, as every host's own resolver gives them. */
import { canonicalIp } from '../../pki/ip.ts';
import { type Check, listed, stop, verb, warn } from './finding.ts';

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** The name that a member advertises must lead to it from everywhere; its other names only matter to clients. */
export const nameResolution: Check = ({ input: { profile, embedded }, hosts }) => {
  if (embedded) return [];
  return hosts.flatMap((target) =>
    target.host.dnsNames.flatMap((name, index) => {
      const advertised = profile.addressing === 'dns' && index === 0;
      const own = new Set(
        [target.host.address, ...target.facts.addresses.map(({ address }) => address)].map(canonicalIp),
      );
      const wanted = canonicalIp(target.host.address);
      const seen = hosts.map((view) => ({ view, addresses: (view.facts.resolves[name] ?? []).map(canonicalIp) }));
      const found = (addresses: string[]) =>
        addresses.includes(wanted) && addresses.every((address) => own.has(address));
      const report = advertised ? stop : warn;
      const trapped = seen.filter(
        ({ view, addresses }) => view === target && addresses.some(isLoopback) && !isLoopback(wanted),
      );
      const unknown = seen.filter(({ addresses }) => addresses.length === 0);
      const elsewhere = seen.filter(
        (each) => each.addresses.length > 0 && !trapped.includes(each) && !found(each.addresses),
      );
      return [
        ...trapped.map(({ addresses }) =>
          report('name-loopback', [target.name], {
            what: `On ${target.name} its own name ${name} means ${listed(addresses)}.`,
            why: 'Debian’s installer puts the host’s name on 127.0.1.1 in /etc/hosts; etcd does not listen there.',
            remedy: [`Change that line of /etc/hosts on ${target.name} to:`, `${target.host.address} ${name}`],
          }),
        ),
        ...(unknown.length > 0
          ? [
              report(
                'name-unresolved',
                unknown.map(({ view }) => view.name),
                {
                  what: `${name} does not resolve on ${listed(unknown.map(({ view }) => view.name))}.`,
                  why: advertised
                    ? `Members dial ${target.name} by this name.`
                    : `${target.name}’s certificate will be good for it, but nobody can use it there.`,
                  remedy: [
                    'Add a record in your DNS, or a line in /etc/hosts on these hosts:',
                    `${target.host.address} ${name}`,
                  ],
                },
              ),
            ]
          : []),
        ...elsewhere.map(({ view, addresses }) =>
          report('name-elsewhere', [view.name], {
            what: `On ${view.name} the name ${name} means ${listed(addresses)}, not ${target.host.address}.`,
            why: advertised
              ? `Members would dial the wrong host for ${target.name}; a peer that comes from another address than its name says is refused.`
              : `Clients would look for ${target.name} in the wrong place.`,
            remedy: ['Correct the record in your DNS or the line in /etc/hosts to:', `${target.host.address} ${name}`],
          }),
        ),
      ];
    }),
  );
};

export const multicastNames: Check = ({ input: { profile, embedded }, hosts }) => {
  const local =
    embedded || profile.addressing !== 'dns'
      ? []
      : hosts.filter(({ host }) => host.dnsNames[0]?.toLowerCase().endsWith('.local'));
  if (local.length === 0) return [];
  return [
    warn(
      'mdns-name',
      local.map(({ name }) => name),
      {
        what: `${listed(local.map(({ host }) => host.dnsNames[0] ?? ''))} ${verb(local.length, 'is a name', 'are names')} in .local.`,
        why: 'Such names usually come by multicast DNS, which etcd’s own resolver does not ask: the host finds them, etcd does not.',
        remedy: ['Use names from a DNS server or from /etc/hosts, or set addressing: ip in the profile.'],
      },
    ),
  ];
};
