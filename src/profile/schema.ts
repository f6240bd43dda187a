import { z } from 'zod';
import { crossCheck } from './cross-check.ts';
import {
  certificateName,
  dnsName,
  folder,
  hostOrIp,
  httpUrl,
  ipAddress,
  line,
  memberName,
  noDash,
  oneOf,
  port,
  sha256,
} from './fields.ts';
import { CLIENT_NAME, LOGIN_NAME, PROFILE_NAME } from './names.ts';

export const SCHEMA_VERSION = 1;

const ssh = z.strictObject({
  host: hostOrIp.optional(),
  user: noDash('a login name').regex(LOGIN_NAME, 'a login name').optional(),
  port: port.optional(),
  identityFile: noDash('the path of a private key file').optional(),
  /** ProxyJump: one bastion, `[user@]host[:port]`, or a Host alias of ~/.ssh/config. */
  jump: noDash('a bastion as [user@]host[:port]')
    .regex(/^[A-Za-z0-9_.@:[\]-]+$/, 'a bastion as [user@]host[:port]')
    .optional(),
});

export const hostSchema = z.strictObject({
  name: memberName,
  address: ipAddress,
  dnsNames: z.array(dnsName).max(32).default([]),
  zone: line('a zone name').max(63).optional(),
  ssh: ssh.default({}),
  clientPort: port.optional(),
  peerPort: port.optional(),
  metricsUrl: httpUrl('an http(s) URL such as http://127.0.0.1:2381').optional(),
});

const archive = z
  .strictObject({
    arch: oneOf(['amd64', 'arm64', 'ppc64le', 's390x']),
    url: httpUrl('an http(s) URL of a release archive').optional(),
    path: line('the path of a release archive').optional(),
    sha256: sha256.optional(),
  })
  .refine((entry) => (entry.url === undefined) !== (entry.path === undefined), 'either url or path, not both');

const etcd = z.strictObject({
  install: oneOf(['present', 'package', 'archive']).optional(),
  version: z
    .string({ error: 'a version in quotes, such as "3.5.16"' })
    .regex(/^\d+\.\d+\.\d+$/, 'a version in quotes, such as "3.5.16"')
    .optional(),
  archives: z.array(archive).default([]),
  dataDir: folder.optional(),
  clientPort: port.default(2379),
  peerPort: port.default(2380),
  metricsUrl: httpUrl('an http(s) URL such as http://127.0.0.1:2381').default('http://127.0.0.1:2381'),
  token: line('a cluster token')
    .regex(/^[A-Za-z0-9._-]{1,128}$/, 'a cluster token of letters, digits, «.», «_», «-»')
    .optional(),
  extraArgs: z
    .record(z.string(), z.union([line('a flag’s value').or(z.literal('')), z.number(), z.boolean()]))
    .default({}),
});

/** Part of a URL's path: what climbs out of it (`..`) would lead to another of Vault's doors. */
const vaultName = (expected: string) =>
  noDash(expected)
    .regex(/^[A-Za-z0-9._{}/-]+$/, expected)
    .refine(
      (text) =>
        text
          .replace(/\/$/, '')
          .split('/')
          .every((part) => !['', '.', '..'].includes(part)),
      expected,
    );
const vaultRole = vaultName('the name of a Vault role, {host} stands for the host');
const vaultMount = vaultName('the path of a Vault mount such as pki, {host} stands for the host');
const ca = z.strictObject({
  source: oneOf(['self-signed', 'existing', 'vault']).default('self-signed'),
  peers: oneOf(['separate', 'same']).optional(),
  fingerprint: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/=:]+$/, 'a fingerprint SHA256:…')
    .optional(),
  existing: z
    .strictObject({
      certFile: line('a path'),
      keyFile: line('a path').optional(),
      chainFile: line('a path').optional(),
    })
    .optional(),
  vault: z
    .strictObject({
      address: httpUrl('Vault’s URL such as https://vault.home:8200'),
      caFile: line('a path').optional(),
      namespace: line('a namespace').optional(),
      auth: oneOf(['token', 'approle', 'userpass']).default('token'),
      authMount: vaultMount.optional(),
      roleId: line('an AppRole role id').optional(),
      username: line('a user name').optional(),
      mount: vaultMount.default('pki'),
      roles: z.strictObject({ server: vaultRole, peer: vaultRole, client: vaultRole }),
      plainHttp: z.boolean().default(false),
    })
    .optional(),
});

const client = z.strictObject({
  commonName: line('a client name').regex(CLIENT_NAME, 'a client name of letters, digits, «.», «_», «-», «:», «@»'),
});
const certificates = z.strictObject({
  keyAlgorithm: oneOf(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096']).default('ecdsa-p256'),
  validityDays: z
    .int({ error: 'a number of days between 1 and 36500' })
    .min(1, 'at least 1 day')
    .max(36500, 'at most 36500 days')
    .default(1825),
  directory: folder.optional(),
  extraSans: z.array(certificateName).max(64).default([]),
  clients: z
    .array(client)
    .max(256)
    .default([{ commonName: 'root' }]),
});

const consumerKind = oneOf(['etcdctl', 'kubeadm', 'k3s', 'prometheus']);
const consumer = z.union(
  [
    consumerKind,
    z.strictObject({
      kind: consumerKind,
      hosts: z.array(z.strictObject({ address: hostOrIp, ssh: ssh.default({}) })).default([]),
    }),
  ],
  {
    error: 'one of etcdctl, kubeadm, k3s, prometheus, or { kind, hosts }',
  },
);

/** Field by field; what depends on several fields is in cross-check.ts. */
export const profileSchema = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION, { error: `the number ${SCHEMA_VERSION}` }),
  name: z
    .string({ error: 'a name of lower-case letters, digits and «-»' })
    .regex(PROFILE_NAME, 'a name of at most 63 lower-case letters, digits and «-», neither first nor last a «-»'),
  topology: oneOf(['external', 'stacked']).default('external'),
  runtime: oneOf(['auto', 'systemd', 'openrc', 'static-pod']).default('auto'),
  addressing: oneOf(['dns', 'ip']).optional(),
  hosts: z
    .array(hostSchema, { error: 'a list of hosts, each with name and address' })
    .min(1, 'at least one host')
    .max(99, 'at most 99 hosts'),
  etcd: etcd.prefault({}),
  ca: ca.prefault({}),
  certificates: certificates.prefault({}),
  consumers: z.array(consumer).default(['etcdctl']),
});

/** As written in a file: only schemaVersion, name and hosts are required. */
export type ProfileFile = z.input<typeof profileSchema>;
export type Parsed = z.output<typeof profileSchema>;
export type ProfileHost = Parsed['hosts'][number];
export type SshSettings = ProfileHost['ssh'];
export type KeyAlgorithm = Parsed['certificates']['keyAlgorithm'];

/** With every default filled in, save what only facts or a run decide (`etcd.install`, `version`, `token`, `ca.fingerprint`). */
export interface Profile extends Parsed {
  addressing: 'dns' | 'ip';
  etcd: Parsed['etcd'] & { dataDir: string };
  ca: Parsed['ca'] & { peers: 'separate' | 'same' };
  certificates: Parsed['certificates'] & { directory: string };
}

/** One thing that is wrong with a profile: where, what stands there, what was expected. */
export interface ProfileProblem {
  path: readonly (string | number)[];
  /** The path as people write it, such as `hosts[1].address`. */
  field: string;
  value: unknown;
  expected: string;
}

export type ParseResult = { ok: true; profile: Profile } | { ok: false; problems: ProfileProblem[] };

/** Checks a value read from YAML and fills in defaults; on failure reports everything that is wrong at once. */
export function parseProfile(value: unknown): ParseResult {
  const parsed = profileSchema.safeParse(value);
  if (parsed.success) {
    const problems = crossCheck(parsed.data);
    return problems.length > 0 ? { ok: false, problems } : { ok: true, profile: withDefaults(parsed.data) };
  }
  // One sentence a field is enough: the first rule that it breaks.
  const problems = parsed.error.issues
    .flatMap((issue) => fromIssue(issue, value))
    .filter(({ field }, index, all) => all.findIndex((other) => other.field === field) === index);
  // What depends on several fields is told in the same go, as far as the rest of the profile has the shape for it.
  const mended = profileSchema.safeParse(mend(value, problems));
  const isNew = ({ field }: ProfileProblem) =>
    !problems.some((known) => field.startsWith(known.field) || known.field.startsWith(field));
  if (mended.success) problems.push(...crossCheck(mended.data).filter(isNew));
  return { ok: false, problems };
}

function withDefaults(parsed: Parsed): Profile {
  const kubeadmLayout = usesKubeadmLayout(parsed);
  return {
    ...parsed,
    addressing: parsed.addressing ?? (parsed.hosts.every((each) => each.dnsNames.length > 0) ? 'dns' : 'ip'),
    etcd: {
      ...parsed.etcd,
      dataDir: parsed.etcd.dataDir ?? (kubeadmLayout ? '/var/lib/etcd' : `/var/lib/etcd/${parsed.name}`),
    },
    // kubeadm has one etcd CA; two of our own keep a client certificate from being let in on the peer port.
    ca: {
      ...parsed.ca,
      peers: parsed.ca.peers ?? (parsed.ca.source === 'self-signed' && !kubeadmLayout ? 'separate' : 'same'),
    },
    certificates: {
      ...parsed.certificates,
      directory: parsed.certificates.directory ?? (kubeadmLayout ? '/etc/kubernetes/pki' : '/etc/etcd/ssl'),
    },
  };
}

/** kubeadm's file layout: /etc/kubernetes/pki with etcd/server.crt and so on. */
export function usesKubeadmLayout(profile: Pick<Parsed, 'topology' | 'runtime' | 'certificates'>): boolean {
  return (
    profile.topology === 'stacked' ||
    profile.runtime === 'static-pod' ||
    profile.certificates.directory === '/etc/kubernetes/pki'
  );
}

function fromIssue(issue: z.core.$ZodIssue, value: unknown): ProfileProblem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const problem = (where: (string | number)[], expected: string) => ({
    path: where,
    field: fieldOf(where),
    value: at(value, where),
    expected,
  });
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => problem([...path, key], 'no such field; the README lists the fields of a profile'));
  // zod's own words for a wrong type (no message of ours) say less than what the field is.
  const expected =
    issue.code === 'invalid_type' && issue.message.startsWith('Invalid') ? wordFor(issue.expected) : issue.message;
  return [problem(path, expected)];
}

const wordFor = (type: string): string =>
  ({
    object: 'fields, indented below it',
    array: 'a list',
    record: 'fields, indented below it',
    boolean: 'true or false',
    string: 'text',
    number: 'a number',
  })[type] ?? type;

/** A path as people write it. */
export const fieldOf = (path: readonly (string | number)[]): string =>
  path.reduce<string>(
    (field, key) => (typeof key === 'number' ? `${field}[${key}]` : field === '' ? key : `${field}.${key}`),
    '',
  ) || '(the whole file)';

const at = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[key] : undefined,
    value,
  );

/** The value without what is wrong; required fields get stand-ins that clash with nothing (RFC 5737 addresses). */
function mend(value: unknown, problems: readonly ProfileProblem[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path, field } of problems) {
    const parent = at(copy, path.slice(0, -1));
    const key = path.at(-1);
    if (typeof parent !== 'object' || parent === null || key === undefined) continue;
    const standIn =
      { schemaVersion: SCHEMA_VERSION, name: 'name' }[field] ??
      (/^hosts\[\d+\]\.name$/.test(field)
        ? `host-${path[1]}`
        : /^hosts\[\d+\]\.address$/.test(field)
          ? `192.0.2.${path[1]}`
          : undefined);
    if (standIn === undefined) Reflect.deleteProperty(parent, key);
    else Reflect.set(parent, key, standIn);
  }
  return copy;
}
