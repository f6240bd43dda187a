/** Where an etcd comes from: what is there, what was fetched, the distribution without root, the release archive with its sum. */
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FindOptions, findEtcd } from '../../src/embedded/find.ts';
import { findEtcd as testEtcd } from '../setup/etcd.ts';
import { must } from '../setup/process.ts';

const binaries = await testEtcd('3.5');

describe.skipIf(binaries === undefined || process.platform !== 'linux')('finding etcd', () => {
  let folder: string;
  let notes: string[];
  let base: FindOptions;
  const etcd = binaries?.etcd ?? '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-wizard-find-'));
    notes = [];
    base = {
      cacheDir: join(folder, 'cache'),
      emit: (event) => void (event.type === 'note' && notes.push(event.text)),
      signal: new AbortController().signal,
      environment: { PATH: '' },
      folders: [],
      sources: [],
    };
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fake = async (name: string, script: string) => {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'etcd'), script);
    await chmod(join(folder, name, 'etcd'), 0o755);
    return join(folder, name);
  };

  it('takes the first one on PATH that runs and is new enough', async () => {
    const broken = await fake('broken', '\x7fELF of another processor');
    const old = await fake('old', '#!/bin/sh\necho "etcd Version: 3.3.25"\n');
    const other = await fake('other', '#!/bin/sh\necho "something else"\n');
    const good = join(folder, 'good');
    await mkdir(good);
    await symlink(etcd, join(good, 'etcd'));
    const found = await findEtcd({ ...base, environment: { PATH: [broken, old, other, 'relative', good].join(':') } });
    expect(found).toMatchObject({
      path: join(good, 'etcd'),
      source: 'installed',
      version: expect.stringMatching(/^3\.5\./),
    });
  });

  it('looks where daemons lie even when PATH does not name it', async () => {
    await mkdir(join(folder, 'sbin'));
    await symlink(etcd, join(folder, 'sbin/etcd'));
    expect(await findEtcd({ ...base, folders: [join(folder, 'sbin')] })).toMatchObject({ source: 'installed' });
  });

  it('finds what was fetched before, never a half of it', async () => {
    const store = join(folder, 'cache/etcd');
    for (const name of ['.distribution-1.part', 'distribution-3.5.16-x64']) {
      await mkdir(join(store, name), { recursive: true });
      await copyFile(etcd, join(store, name, 'etcd'));
    }
    expect(await findEtcd(base)).toMatchObject({ path: join(store, 'distribution-3.5.16-x64/etcd'), source: 'cache' });
    await rm(join(store, 'distribution-3.5.16-x64'), { recursive: true });
    await expect(findEtcd(base)).rejects.toMatchObject({ code: 'install' });
  });

  it('says what to install when there is none', async () => {
    await expect(findEtcd(base)).rejects.toMatchObject({
      code: 'install',
      next: [
        expect.stringContaining('Put etcd 3.4 or newer on the PATH'),
        expect.stringContaining('apt-get install etcd-server'),
      ],
    });
  });

  it('takes it from the distribution, installs nothing, and has it the next time', async () => {
    const options: FindOptions = { ...base, sources: ['distribution'] };
    const found = await findEtcd(options);
    expect(found.source).toBe('distribution');
    expect(await must(found.path, ['--version'])).toContain(`etcd Version: ${found.version}`);
    expect(await readdir(join(folder, 'cache/etcd'))).toEqual([`distribution-${found.version}-${arch()}`]);
    expect(await findEtcd(options)).toEqual({ ...found, source: 'cache' });
  });

  describe('from the release archive', () => {
    let server: Server;
    let files: Map<string, Buffer>;
    const goArch = arch() === 'arm64' ? 'arm64' : 'amd64';
    const name = `etcd-v3.5.16-linux-${goArch}`;
    let options: FindOptions;

    beforeEach(async () => {
      await fake(name, '#!/bin/sh\necho "etcd Version: 3.5.16"\n');
      await must('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', folder, name]);
      const archive = await readFile(join(folder, 'a.tar.gz'));
      const sum = createHash('sha256').update(archive).digest('hex');
      files = new Map([
        [
          '/v3.5.16/SHA256SUMS',
          Buffer.from(`${'0'.repeat(64)}  etcd-v3.5.16-darwin-amd64.zip\n${sum}  ${name}.tar.gz\n`),
        ],
        [`/v3.5.16/${name}.tar.gz`, archive],
      ]);
      server = createServer((request, response) => {
        const file = files.get(request.url ?? '');
        response.writeHead(file ? 200 : 404).end(file);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      options = {
        ...base,
        sources: ['archive'],
        release: { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, version: '3.5.16' },
      };
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    it('unpacks it when the sum is right', async () => {
      expect(await findEtcd(options)).toMatchObject({ source: 'archive', version: expect.stringMatching(/^3\.5\./) });
      expect(notes).toEqual([`Fetching ${name}.tar.gz from etcd’s releases.`]);
    });

    it.each([
      [
        'another sum',
        () => files.set(`/v3.5.16/${name}.tar.gz`, Buffer.from('not the archive')),
        /does not have the sum/,
      ],
      ['no sum for this archive', () => files.set('/v3.5.16/SHA256SUMS', Buffer.from('')), /does not name/],
      ['no archive', () => files.delete(`/v3.5.16/${name}.tar.gz`), /answers 404/],
      ['nobody there', () => server.close(), /could not be downloaded/],
    ])('refuses %s, and leaves nothing behind', async (_, spoil, why) => {
      spoil();
      await expect(findEtcd(options)).rejects.toMatchObject({ code: 'install', why: expect.stringMatching(why) });
      expect(await readdir(join(folder, 'cache/etcd'))).toEqual([]);
    });

    it('an interruption is one, and leaves nothing behind', async () => {
      const controller = new AbortController();
      controller.abort();
      await expect(findEtcd({ ...options, signal: controller.signal })).rejects.toMatchObject({ code: 'interrupted' });
      expect(await readdir(join(folder, 'cache/etcd'))).toEqual([]);
    });
  });
});
