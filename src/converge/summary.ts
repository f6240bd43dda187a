/** What stays in the terminal after a proof: said in words, nothing in borders. */
import type { Proof } from '../health/prove.ts';
import type { Profile } from '../profile/schema.ts';

/** @param readOnly nothing was written: the run had nothing to do */
export function proofSummary(profile: Profile, { health, results, routes }: Proof, readOnly: boolean): string[] {
  const handshakes = results.filter(({ what, outcome }) => what === 'handshake' && outcome === 'ok').length;
  const peers = results.filter(({ what, outcome }) => what === 'peer' && outcome === 'ok').length;
  const unchecked = results.filter(({ outcome }) => outcome === 'unchecked');
  const detours = Object.entries(routes).filter(([, route]) => route !== 'directly');
  const days = health.members.flatMap(({ daysLeft }) => daysLeft ?? []);
  const versions = [...new Set(health.members.flatMap(({ sample }) => sample.version ?? []))];
  return [
    `${profile.name} is ${health.state}: ${health.quorum}${health.leader ? `, leader ${health.leader}` : ''}${versions.length > 0 ? `, etcd ${versions.join(' and ')}` : ''}.`,
    `Proved: ${handshakes} TLS handshakes with the client certificate, from here and from the hosts${peers > 0 ? `, and ${peers} on the peer ports` : ''}; ${readOnly ? 'a read' : 'a write, a read and a delete'} through each member.`,
    ...detours.map(([name, route]) => `${name} was reached ${route}: this machine has no route to it.`),
    ...unchecked.map(({ from, to, detail }) => `Not checked: ${from} → ${to}${detail ? ` (${detail})` : ''}.`),
    ...(days.length > 0 ? [`The first certificate expires in ${Math.min(...days)} days.`] : []),
  ];
}
