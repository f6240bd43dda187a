/** What the answers mean together: the review's lines, the names in each certificate, and what deserves a remark. */
import type { Answers, HostAnswer, Remark, SanRow } from './types.ts';

/** «3 members: the cluster keeps working when any 1 is down.» */
export function quorumSentence(members: number): string {
  const mayFail = Math.floor((members - 1) / 2);
  if (members === 1) return '1 member: when it is down, so is the cluster. Three keep working when any 1 is down.';
  if (mayFail === 0) return `${members} members: both are needed. Three keep working when any 1 is down.`;
  return `${members} members: the cluster keeps working when any ${mayFail} ${mayFail === 1 ? 'is' : 'are'} down.`;
}

/** Names and addresses of each host's certificates, as they will be issued. */
export function sanRows({ hosts = [], extraSans = [] }: Answers): SanRow[] {
  return hosts.map((host) => {
    const own = [host.address, ...host.dnsNames];
    return {
      host: host.name,
      server: [...new Set([...own, 'localhost', '127.0.0.1', '::1', ...extraSans])],
      peer: own,
    };
  });
}

/** Remarks on the answers as a whole, the weightiest first. */
export function remarksOn({ hosts = [], addressing }: Answers): Remark[] {
  const remarks: Remark[] = [];
  const warn = (text: string) => remarks.push({ severity: 'warn', text });
  if (addressing === 'dns') {
    const local = hosts.flatMap((each) => each.dnsNames).filter((name) => name.toLowerCase().endsWith('.local'));
    if (local.length > 0)
      warn(
        `${local.join(', ')}: etcd does not ask mDNS, so names in .local only work with a DNS server that knows them.`,
      );
  }
  if (hosts.length === 2)
    warn('2 members survive less than 1: when either is down, nothing can be written. Use 1 or 3.');
  else if (hosts.length > 0 && hosts.length % 2 === 0)
    remarks.push({
      severity: 'note',
      text: `${hosts.length} members survive no more failures than ${hosts.length - 1}; an odd number is better.`,
    });
  if (hosts.length > 7)
    remarks.push({
      severity: 'note',
      text: `With ${hosts.length} members every write waits for ${Math.floor(hosts.length / 2) + 1} of them; 3, 5 or 7 are usual.`,
    });
  const zone = decidingZone(hosts);
  if (zone !== undefined)
    remarks.push({ severity: 'note', text: `When zone ${zone} is lost, so is quorum: too many members stand there.` });
  return remarks;
}

/** The zone whose loss alone takes quorum away; undefined when there is none, or when not every host has a zone. */
function decidingZone(hosts: readonly HostAnswer[]): string | undefined {
  const zones = new Map<string, number>();
  for (const { zone } of hosts) {
    if (zone === undefined) return undefined;
    zones.set(zone, (zones.get(zone) ?? 0) + 1);
  }
  const quorum = Math.floor(hosts.length / 2) + 1;
  return hosts.length < 3 ? undefined : [...zones].find(([, count]) => hosts.length - count < quorum)?.[0];
}
