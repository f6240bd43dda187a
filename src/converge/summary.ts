/** What stays in the terminal after a proof: said in words, nothing in borders. */
import type { Proof } from '../health/prove.ts';
import type { Profile } from '../profile/schema.ts';

/** @param readOnly nothing was written: the run had nothing to do */
export function proofSummary(profile: Profile, { health, results, routes }: Proof, readOnly: boolean): string[] {
  const handshakes = results.filter(({ what, outcome }) => what === 'handshake' && outcome === 'ok').length;
  const peers = results.filter(({ what, outcome }) => what === 'peer' && outcome === 'ok').length;
  const fromHosts = results.some(({ from, outcome }) => from !== 'controller' && outcome === 'ok');
  const unchecked = results.filter(({ outcome }) => outcome === 'unchecked');
  const detours = Object.entries(routes).filter(([, route]) => route !== 'directly');
  const days = health.members.flatMap(({ daysLeft }) => daysLeft ?? []);
  const versions = [...new Set(health.members.flatMap(({ sample }) => sample.version ?? []))];
  return [
    `${profile.name} is ${health.state}: ${health.quorum}${health.leader ? `, leader ${health.leader}` : ''}${versions.length > 0 ? `, etcd ${versions.join(' and ')}` : ''}.`,
    `Proved: ${handshakes} TLS handshakes with the client certificate, ${fromHosts ? 'from here and from the hosts' : 'from here'}${peers > 0 ? `, and ${peers} on the peer ports` : ''}; ${readOnly ? 'a read' : 'a write, a read and a delete'} through each member.`,
    ...detours.map(([name, route]) => `${name} was reached ${route}: this machine has no route to it.`),
    ...uncheckedLines(
      unchecked,
      profile.hosts.map(({ name }) => name),
    ),
    ...(days.length > 0 ? [`The first certificate expires in ${Math.min(...days)} days.`] : []),
  ];
}

/** A line for each reason, not for each pair of hosts: where forwarding is forbidden nothing at all was checked. */
function uncheckedLines(unchecked: Proof['results'], members: readonly string[]): string[] {
  const byHost = new Map<string, { to: Set<string>; reason: string }>();
  for (const { from, to, detail = '' } of unchecked) {
    const known = byHost.get(from) ?? { to: new Set<string>(), reason: detail.replace(/ to \S+ port \d+/, '') };
    known.to.add(to);
    byHost.set(from, known);
  }
  const lines = new Map<string, string[]>();
  for (const [from, { to, reason }] of byHost) {
    const where = to.size === members.length - 1 && !to.has(from) ? 'the other members' : [...to].join(', ');
    const line = `to ${where}${reason === '' ? '' : ` (${reason})`}.`;
    lines.set(line, [...(lines.get(line) ?? []), from]);
  }
  return [...lines].map(
    ([line, from]) => `Not checked: from ${members.filter((name) => from.includes(name)).join(', ')} ${line}`,
  );
}
