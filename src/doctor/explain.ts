/**
 * What lines of etcd's log mean when a member does not start. The beginning of the doctor's catalogue: pure data and one
 * function over it.
 */
import { cleanLine } from '../clean.ts';

interface KnownLine {
  id: string;
  pattern: RegExp;
  /** `$1`… stand for the pattern's groups, HOST for the member that printed the line. */
  sentence: string;
  next?: string[];
}

/** The rejecting end names the reason (etcd's `rejected connection`); `remote error` only says that the other end refused. */
const KNOWN: readonly KnownLine[] = [
  {
    id: 'port-in-use',
    pattern: /listen tcp (\S+?):? bind: address already in use|bind: address already in use/,
    sentence: 'On HOST another program holds the port $1.',
    next: ['See which one, on that host: sudo ss -ltnp'],
  },
  {
    id: 'address-missing',
    pattern: /listen tcp (\S+): bind: cannot assign requested address/,
    sentence: 'HOST does not have the address $1.',
    next: ['Compare the profile’s address with: ip -brief address'],
  },
  {
    id: 'permission',
    pattern: /open (\S+): permission denied/,
    sentence: 'etcd on HOST may not read $1.',
    next: ['Run replay again: it corrects modes and owners.'],
  },
  {
    id: 'flag-value',
    pattern: /error verifying flags, invalid value (".*?") for (?:ETCD_|-+)(\S+?):/,
    sentence: 'etcd on HOST does not accept the value $1 for $2.',
    next: ['Correct it under etcd.extraArgs in the profile.'],
  },
  {
    id: 'flags',
    pattern: /error verifying flags, (?!invalid value)(.+?)\.? See /,
    sentence: 'etcd on HOST does not accept its settings: $1.',
    next: ['Correct them under etcd.extraArgs in the profile.'],
  },
  {
    id: 'key-mismatch',
    pattern: /private key does not match public key/,
    sentence: 'On HOST a key does not belong to its certificate.',
  },
  {
    id: 'no-space',
    pattern: /no space left on device/,
    sentence: 'The disk of HOST is full.',
    next: ['Make room on that host, then run replay again.'],
  },
  {
    id: 'expired',
    pattern: /certificate has expired or is not yet valid: current time (\S+) is (?:after|before) (\S+)/,
    sentence: 'HOST refused a certificate by its date: HOST’s clock says $1, the certificate’s limit is $2.',
    next: ['Compare the clocks: date -u'],
  },
  {
    id: 'unknown-authority',
    pattern: /certificate signed by unknown authority/,
    sentence: 'HOST refused a certificate that its CA file does not know.',
  },
  {
    id: 'name',
    pattern: /x509: certificate is valid for (.+?), not ([^"\\ ]+)/,
    sentence: 'HOST dialled $2, but the certificate there is for $1.',
  },
  {
    id: 'san',
    pattern: /tls: \\?"([^"\\]+)\\?" does not match any of DNSNames (\[[^\]]*\])/,
    sentence: 'HOST refused a peer from $1: that address is not among the names of its certificate $2.',
  },
  {
    id: 'usage',
    pattern: /certificate specifies an incompatible key usage/,
    sentence:
      'HOST refused a certificate that may not be used this way: server and peer need serverAuth and clientAuth.',
  },
  {
    id: 'cluster-id',
    pattern: /cluster ID mismatch|request cluster ID mismatch/,
    sentence: 'HOST belongs to another cluster than the one it meets: a data directory is left from an earlier try.',
  },
  {
    id: 'bootstrapped',
    pattern: /member \S+ has already been bootstrapped/,
    sentence: 'The others know HOST as started, but its data directory is empty.',
    next: ['Replace the member: etcd-wizard member replace PROFILE HOST --address IP'],
  },
  {
    id: 'removed',
    pattern: /the member has been permanently removed from the cluster/,
    sentence: 'HOST was removed from the cluster earlier; its old data cannot be used.',
  },
  {
    id: 'arch',
    pattern: /ETCD_UNSUPPORTED_ARCH=(\S+) set|unsupported platform|on unsupported platform/,
    sentence: 'This etcd does not run on HOST’s architecture unless it is told so.',
  },
  { id: 'format', pattern: /[Ee]xec format error/, sentence: 'The etcd binary on HOST is for another architecture.' },
  { id: 'resolve', pattern: /lookup (\S+?)(?: on \S+)?: no such host/, sentence: 'HOST cannot resolve $1.' },
  {
    id: 'timeout',
    pattern: /dial tcp (\S+?): i\/o timeout/,
    sentence: 'HOST gets no answer from $1: a firewall, or the host is down.',
  },
  {
    id: 'wal',
    pattern: /walpb: crc mismatch|failed to recover v3 backend|wal: .*corrupt/,
    sentence: 'The data of HOST is damaged.',
  },
];

export interface Explanation {
  id: string;
  sentence: string;
  next: string[];
}

/** @returns what the lines mean, each meaning once a host, in the order of the table (causes before consequences) */
export function explainLogs(logs: readonly { host: string; lines: readonly string[] }[]): Explanation[] {
  return KNOWN.flatMap((known) =>
    logs.flatMap(({ host, lines }) => {
      const match = lines.map((line) => known.pattern.exec(line)).find((found) => found !== null);
      if (!match) return [];
      const fill = (text: string) =>
        text
          .replaceAll('HOST', host)
          .replace(/\$(\d)/g, (_, group: string) => cleanLine(match[Number(group)] ?? '').slice(0, 200));
      return [{ id: known.id, sentence: fill(known.sentence), next: (known.next ?? []).map(fill) }];
    }),
  );
}
