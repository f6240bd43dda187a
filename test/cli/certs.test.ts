/** `certs export`: what is written, with which modes, what is refused, and that openssl opens it. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCa, SelfSignedAuthority } from '../../src/pki/index.ts';
import { ClusterState } from '../../src/state/cluster.ts';
import { leafSpec, openssl } from '../pki/support.ts';
import { Home } from './command.ts';

const home = new Home();
const at = (name: string) => join(home.path, name);
const CLIENT = 'ann.b:c@d';

const exported = (out: string, ...more: string[]) =>
  home.run(['certs', 'export', './lab.yaml', '--client', CLIENT, '--out', out, ...more]);

beforeAll(async () => {
  const host = '{ name: pi1, address: "fd00::11", clientPort: 12379 }';
  const clients = `certificates: { clients: [{ commonName: root }, { commonName: "${CLIENT}" }] }`;
  await writeFile(at('lab.yaml'), `schemaVersion: 1\nname: lab\nhosts:\n  - ${host}\n${clients}\n`);
  await writeFile(at('password'), 'p12 "word" ü\n', { mode: 0o600 });
  const state = new ClusterState(at('.local/state/etcd-wizard'), 'lab');
  const ca = await createCa({ commonName: 'lab CA', keyAlgorithm: 'ecdsa-p256', validityDays: 10, now: Date.now() });
  await state.saveCa('client', ca);
  const authority = new SelfSignedAuthority({ client: ca, peer: ca, now: Date.now });
  const spec = {
    id: `controller/${CLIENT}`,
    role: 'client' as const,
    commonName: CLIENT,
    dnsNames: [],
    ipAddresses: [],
  };
  const [leaf] = await authority.issue([leafSpec({ ...spec, validityDays: 5 })]);
  if (leaf === undefined) throw new Error('no certificate');
  await state.saveClient(leaf);
});

describe('certs export', () => {
  it('writes three files, the key for its owner alone, and the command that tries them', async () => {
    const result = await exported('a folder/new');
    expect(result.code, result.stderr).toBe(0);
    const folder = at('a folder/new');
    expect((await readdir(folder)).sort()).toEqual([`${CLIENT}-key.pem`, `${CLIENT}.pem`, 'ca.pem'].sort());
    const mode = async (file: string) => (await stat(join(folder, file))).mode & 0o777;
    expect(await mode(`${CLIENT}-key.pem`)).toBe(0o600);
    expect(await mode('ca.pem')).toBe(0o644);
    expect(
      openssl(['verify', '-x509_strict', '-CAfile', join(folder, 'ca.pem'), join(folder, `${CLIENT}.pem`)]).code,
    ).toBe(0);
    // To be pasted as it stands: quoted, and an IPv6 address in brackets.
    expect(result.stderr).toContain(`'https://[fd00::11]:12379'`);
    expect(result.stderr).toContain(`'${join(folder, 'ca.pem')}'`);
  });

  it('again into the same folder changes nothing; over other files it stops unless told', async () => {
    expect((await exported('same')).code).toBe(0);
    const before = await stat(at(`same/${CLIENT}.pem`));
    expect((await exported('same')).code).toBe(0);
    await writeFile(at('same/ca.pem'), 'of another cluster\n');
    const refused = await exported('same');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain(at('same/ca.pem'));
    expect(refused.stderr).toContain('--force');
    expect(await readFile(at('same/ca.pem'), 'utf8')).toBe('of another cluster\n');
    expect((await exported('same', '--force')).code).toBe(0);
    expect(await readFile(at('same/ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
    expect((await stat(at(`same/${CLIENT}.pem`))).size).toBe(before.size);
  });

  it('--p12 with its password from a file opens with openssl, and is not written over', async () => {
    const result = await exported('p12', '--p12-password-file', 'password');
    expect(result.code, result.stderr).toBe(0);
    const file = at(`p12/${CLIENT}.p12`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const open = openssl(['pkcs12', '-in', file, '-nodes', '-passin', 'env:P'], '', { P: 'p12 "word" ü' });
    expect(open.code, open.said).toBe(0);
    expect(open.said).toContain('BEGIN PRIVATE KEY');
    expect(open.said.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(openssl(['pkcs12', '-in', file, '-nodes', '-passin', 'pass:wrong']).code).not.toBe(0);
    expect((await exported('p12', '--p12-password-file', 'password')).code).toBe(65);
    expect((await exported('p12', '--p12-password-file', 'password', '--force')).code).toBe(0);
  });

  it('--p12 with nobody to ask for the password writes nothing', async () => {
    const result = await exported('unasked', '--p12');
    expect(result.code).toBe(64);
    expect(result.stderr).toContain('--p12-password-file');
    await expect(readdir(at('unasked'))).rejects.toThrow();
  });

  it('a folder that cannot be made, a client without a bundle, a client that is none', async () => {
    await writeFile(at('file'), '');
    const blocked = await exported('file/x');
    expect(blocked.code).toBe(1);
    expect(blocked.stderr).toContain(at('file/x'));
    expect(blocked.stderr).toContain('Next:');
    const root = await home.run(['certs', 'export', './lab.yaml', '--client', 'root', '--out', 'x']);
    expect(root.code).toBe(1);
    expect(root.stderr).toContain('etcd-wizard replay ./lab.yaml');
    const nobody = await home.run(['certs', 'export', './lab.yaml', '--client', '../../etc/passwd', '--out', 'x']);
    expect(nobody.code).toBe(65);
    await mkdir(at('x'), { recursive: true });
    expect(await readdir(at('x'))).toEqual([]);
  });
});
