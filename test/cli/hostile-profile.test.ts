/** A profile is untrusted input: what could reach a shell, a path, ssh's options or a terminal is refused, everything at once. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Home } from './command.ts';

const home = new Home();

/** Written down apart from the program's own table: C0 but line feed, DEL, C1, zero-width, bidi. */
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

/** What is given to ssh, a shell, a file system or etcd by name: letters, digits and a few marks only. */
const NAMES = [
  'name',
  'topology',
  'runtime',
  'addressing',
  'hosts[0].name',
  'hosts[0].address',
  'hosts[0].dnsNames[0]',
  'hosts[0].ssh.host',
  'hosts[0].ssh.user',
  'hosts[0].ssh.jump',
  'hosts[0].metricsUrl',
  'etcd.install',
  'etcd.version',
  'etcd.dataDir',
  'etcd.metricsUrl',
  'etcd.token',
  'etcd.archives[0].arch',
  'etcd.archives[0].sha256',
  'ca.source',
  'ca.peers',
  'ca.fingerprint',
  'ca.vault.address',
  'ca.vault.auth',
  'ca.vault.mount',
  'ca.vault.authMount',
  'ca.vault.roles.server',
  'ca.vault.roles.peer',
  'ca.vault.roles.client',
  'certificates.keyAlgorithm',
  'certificates.directory',
  'certificates.extraSans[0]',
  'certificates.clients[0].commonName',
] as const;
/** Free text and paths of this machine: shell's marks mean nothing there, but they are shown. */
const TEXTS = [
  'hosts[0].zone',
  'hosts[0].ssh.identityFile',
  'etcd.archives[0].path',
  'etcd.extraArgs.heartbeat-interval',
  'ca.existing.certFile',
  'ca.existing.keyFile',
  'ca.existing.chainFile',
  'ca.vault.caFile',
  'ca.vault.namespace',
  'ca.vault.roleId',
  'ca.vault.username',
] as const;

/** A profile whose every named field holds the value. */
function filled(value: string): string {
  const ssh = { host: value, user: value, port: 22, identityFile: value, jump: value };
  const existing = { certFile: value, keyFile: value, chainFile: value };
  const roles = { server: value, peer: value, client: value };
  const mounts = { auth: value, authMount: value, mount: value };
  const vault = { address: value, caFile: value, namespace: value, roleId: value, username: value, ...mounts, roles };
  return JSON.stringify(
    {
      schemaVersion: 1,
      name: value,
      topology: value,
      runtime: value,
      addressing: value,
      hosts: [{ name: value, address: value, dnsNames: [value], zone: value, ssh, metricsUrl: value }],
      etcd: {
        install: value,
        version: value,
        archives: [{ arch: value, path: value, sha256: value }],
        dataDir: value,
        metricsUrl: value,
        token: value,
        extraArgs: { 'heartbeat-interval': value },
      },
      ca: { source: value, peers: value, fingerprint: value, existing, vault },
      certificates: {
        keyAlgorithm: value,
        directory: value,
        extraSans: [value],
        clients: [{ commonName: value }],
      },
      consumers: [value],
    },
    null,
    1,
  );
}

it.each<[name: string, value: string, fields: readonly string[]]>([
  ['an escape sequence', '\x1b]0;owned\x07\x1b[2Jx', [...NAMES, ...TEXTS]],
  ['a C1 control', 'x\u009b31m', [...NAMES, ...TEXTS]],
  ['a bidirectional override', 'x\u202etxt.exe', [...NAMES, ...TEXTS]],
  ['a zero-width space', 'x\u200by', [...NAMES, ...TEXTS]],
  ['a line break', 'x\nProxyCommand reboot', [...NAMES, ...TEXTS]],
  ['a zero byte', 'x\0y', [...NAMES, ...TEXTS]],
  ['an option of ssh', '-oProxyCommand=reboot', [...NAMES, 'hosts[0].ssh.identityFile']],
  ['a way out of the folder', '../../etc', NAMES],
  ['a command substitution', '$(reboot)', NAMES],
  ['backquotes', '`reboot`', NAMES],
  ['a closed quote', "x'; reboot; '", NAMES],
  ['a pipe', 'x|reboot', NAMES],
  ['a space', 'x reboot', NAMES],
  ['nothing', '', NAMES],
])('%s in every field: all of them refused at once, shown harmlessly', async (_name, value, fields) => {
  await writeFile(join(home.path, 'hostile.yaml'), filled(value));
  for (const json of [[], ['--json']]) {
    const result = await home.run(['replay', './hostile.yaml', '--yes', ...json]);
    expect(result.code).toBe(65);
    const said = json.length > 0 ? result.stdout : result.stderr;
    expect(RAW.exec(said)).toBeNull();
    const told = json.length > 0 ? (JSON.parse(said) as { error: { why: string } }).error.why : said;
    expect(RAW.exec(told)).toBeNull();
    expect(
      fields.filter((field) => !told.includes(`${field} `)),
      told,
    ).toEqual([]);
  }
});

it.each([
  'data-dir',
  'name',
  'listen-client-urls',
  'client-cert-auth',
  'trusted-ca-file',
  'auto-tls',
  'config-file',
  'initial-cluster-token',
  'auth-token',
  'x\x1b[31m',
  '--',
  'heartbeat-interval; reboot',
])('extraArgs may not hold %j', async (flag) => {
  const profile = { schemaVersion: 1, name: 'lab', hosts: [{ name: 'pi1', address: '127.0.0.9' }] };
  await writeFile(join(home.path, 'flag.yaml'), JSON.stringify({ ...profile, etcd: { extraArgs: { [flag]: 'x' } } }));
  const result = await home.run(['plan', './flag.yaml']);
  expect(result.code, result.stderr).toBe(65);
  expect(result.stderr).toContain('etcd.extraArgs');
  expect(RAW.exec(result.stderr)).toBeNull();
});
