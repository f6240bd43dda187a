import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IssuedLeaf } from '../../src/pki/types.ts';
import { ClusterState } from '../../src/state/cluster.ts';
import { writeAtomic } from '../../src/state/files.ts';
import { controllerPaths } from '../../src/state/paths.ts';
import { readSecretFile } from '../../src/state/secret-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'etcd-wizard-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PEM = (label: string, text: string) =>
  `-----BEGIN ${label}-----\n${Buffer.from(text).toString('base64')}\n-----END ${label}-----\n`;
const leaf = (commonName: string): IssuedLeaf => ({
  spec: {
    id: `client/${commonName}`,
    role: 'client',
    anchor: 'client',
    commonName,
    dnsNames: [],
    ipAddresses: [],
    keyAlgorithm: 'ecdsa-p256',
    validityDays: 1,
  },
  certificatePem: PEM('CERTIFICATE', `certificate of ${commonName}`),
  keyPem: PEM('PRIVATE KEY', `key of ${commonName}`),
});
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('state folder of a cluster', () => {
  it('reads an absent folder as nothing known, and makes nothing', async () => {
    expect(await new ClusterState(folder, 'homelab').read()).toEqual({ ca: {}, issued: {}, clients: {} });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps keys 0600 in a folder 0700, even where the folder was open before', async () => {
    const state = new ClusterState(folder, 'homelab');
    await state.saveCa('client', { certificatePem: PEM('CERTIFICATE', 'ca'), keyPem: PEM('PRIVATE KEY', 'ca') });
    chmodSync(state.folder, 0o755);
    await state.saveClient(leaf('root'));
    expect(mode(state.folder)).toBe('700');
    expect(mode(join(state.folder, 'ca-key.pem'))).toBe('600');
    expect(mode(join(state.folder, 'clients/root.pem'))).toBe('600');
  });

  it('a CA certificate that was cut off is told of by its path, not as a missing client', async () => {
    const state = new ClusterState(folder, 'homelab');
    await state.saveCa('client', { certificatePem: PEM('CERTIFICATE', 'ca'), keyPem: PEM('PRIVATE KEY', 'ca') });
    await state.saveClient(leaf('root'));
    writeFileSync(join(state.folder, 'ca.pem'), PEM('CERTIFICATE', 'ca').slice(0, 30));
    const damaged = { code: 'state', message: `${join(state.folder, 'ca.pem')} is damaged.` };
    await expect(state.client('root')).rejects.toMatchObject(damaged);
    await expect(state.read()).rejects.toMatchObject(damaged);
  });

  it('gives back what was stored', async () => {
    const state = new ClusterState(folder, 'homelab');
    await state.saveCa('client', { certificatePem: PEM('CERTIFICATE', 'ca'), keyPem: PEM('PRIVATE KEY', 'ca') });
    await state.saveClient(leaf('ops@home'));
    await state.saveResolved({ token: 't', versions: { pi1: '3.5.16' } });
    await state.saveIssued({ 'pi1/server': { certificatePem: 'a', keySha256: '1' } });
    await state.saveIssued({ 'pi2/server': { certificatePem: 'b', keySha256: '2' } });
    await state.markBootstrapped(7);
    await state.markBootstrapped(9);
    const read = await state.read();
    expect(read.ca.client).toEqual({ certificatePem: PEM('CERTIFICATE', 'ca'), hasKey: true });
    expect(read.resolved).toEqual({ token: 't', versions: { pi1: '3.5.16' } });
    expect(Object.keys(read.issued)).toEqual(['pi1/server', 'pi2/server']);
    expect(read.bootstrappedAt, 'the first proof stays').toBe(7);
    expect(read.clients['ops@home']).toBe(leaf('ops@home').certificatePem);
    expect(await state.client('ops@home')).toEqual({
      caPem: PEM('CERTIFICATE', 'ca'),
      certPem: leaf('ops@home').certificatePem,
      keyPem: leaf('ops@home').keyPem,
    });
  });

  it('a CA certificate without its key is told apart', async () => {
    const state = new ClusterState(folder, 'homelab');
    await state.saveCa('client', { certificatePem: 'c', keyPem: 'k' });
    rmSync(join(state.folder, 'ca-key.pem'));
    expect((await state.read()).ca.client?.hasKey).toBe(false);
  });

  it.each([
    ['half-written', '{"resolved": {"tok'],
    ['empty', ''],
    ['another shape', '[1, 2]'],
  ])('a %s file is named, with what to do', async (_, text) => {
    const state = new ClusterState(folder, 'homelab');
    await state.saveResolved({ token: 't', versions: {} });
    writeFileSync(join(state.folder, 'cluster.json'), text);
    await expect(state.read()).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('cluster.json is damaged'),
      next: expect.arrayContaining([expect.stringContaining('mv ')]),
    });
  });

  it('keeps every host’s certificates when hosts finish at the same moment', async () => {
    const state = new ClusterState(folder, 'homelab');
    const names = Array.from({ length: 20 }, (_, index) => `pi${index}/server`);
    await Promise.all(names.map((name) => state.saveIssued({ [name]: { certificatePem: name, keySha256: name } })));
    expect(Object.keys((await state.read()).issued).sort()).toEqual(names.sort());
  });

  it('writes nothing when nothing changed', async () => {
    const state = new ClusterState(folder, 'homelab');
    await state.saveResolved({ token: 't', versions: {} });
    const before = statSync(join(state.folder, 'cluster.json'));
    await state.saveResolved({ token: 't', versions: {} });
    expect(statSync(join(state.folder, 'cluster.json')).ino).toBe(before.ino);
  });
});

describe('atomic writes', () => {
  it('leave no temporary file and keep the old content when the write fails', async () => {
    const path = join(folder, 'file');
    await writeAtomic(path, 'old', 0o600);
    await expect(writeAtomic(join(path, 'below-a-file'), 'new', 0o600)).rejects.toMatchObject({ code: 'state' });
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('where things lie', () => {
  it.each([
    [{ HOME: '/home/pi' }, '/home/pi/.config/etcd-wizard', '/home/pi/.local/state/etcd-wizard'],
    [{ HOME: '/home/pi', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, '/c/etcd-wizard', '/s/etcd-wizard'],
    [
      { HOME: '/home/pi', XDG_CONFIG_HOME: 'relative', XDG_STATE_HOME: '' },
      '/home/pi/.config/etcd-wizard',
      '/home/pi/.local/state/etcd-wizard',
    ],
  ])('%j', (environment, config, state) => {
    expect(controllerPaths(environment)).toMatchObject({ config, state, knownHosts: `${state}/known_hosts` });
  });
});

describe('secret files', () => {
  it('give their first line', async () => {
    const path = join(folder, 'secret');
    writeFileSync(path, 'hunter 2\nmore\n', { mode: 0o600 });
    expect(await readSecretFile(path)).toBe('hunter 2');
  });

  it.each([
    ['readable by others', 'x\n', 0o644, /Other users/],
    ['empty', '', 0o600, /first line is empty/],
  ])('%s: refused', async (_, content, bits, why) => {
    const path = join(folder, 'secret');
    writeFileSync(path, content);
    chmodSync(path, bits);
    await expect(readSecretFile(path)).rejects.toMatchObject({ code: 'bad-input', why: expect.stringMatching(why) });
  });

  it('not there: refused with its name', async () => {
    await expect(readSecretFile(join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('nowhere'),
    });
  });
});
