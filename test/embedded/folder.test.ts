/** Folders of runs: private, removed with the run or by the next one, and never anybody else's. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRunFolder, removeStaleFolders } from '../../src/embedded/folder.ts';
import { freePorts } from '../../src/embedded/ports.ts';
import { tryProfile } from '../../src/embedded/profile.ts';
import { parseProfile } from '../../src/profile/schema.ts';

describe('the folder of a run', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'etcd-wizard-folder-'));
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  const left = async (name: string, owner?: string) => {
    const path = join(cache, 'try', name);
    await mkdir(path, { recursive: true });
    if (owner !== undefined) await writeFile(join(path, '.etcd-wizard-run'), owner);
    return path;
  };
  /** A process that has ended; its number is not soon given out again. */
  const gone = () => spawnSync('true').pid;

  it('is readable by its user only and stays while the run lives', async () => {
    const run = await makeRunFolder(cache);
    expect((await stat(run.path)).mode & 0o777).toBe(0o700);
    expect(await removeStaleFolders(cache)).toEqual([]);
    await run.remove();
    expect(existsSync(run.path)).toBe(false);
  });

  it('of a crashed run is removed by the next', async () => {
    const crashed = await left('run-crashed', `${gone()} 12345\n`);
    // The number lives again, but as another process.
    const reused = await left('run-reused', `${process.pid} 1\n`);
    expect((await removeStaleFolders(cache)).sort()).toEqual([crashed, reused].sort());
    expect(existsSync(crashed)).toBe(false);
  });

  it('is left alone when it is not surely ours', async () => {
    const nameless = await left('run-nameless');
    const garbled = await left('run-garbled', 'something else');
    const other = await left('data', `${gone()} 12345\n`);
    const outside = await mkdtemp(join(tmpdir(), 'etcd-wizard-outside-'));
    await writeFile(join(outside, '.etcd-wizard-run'), `${gone()} 12345\n`);
    await symlink(outside, join(cache, 'try/run-link'));
    expect(await removeStaleFolders(cache)).toEqual([]);
    for (const path of [nameless, garbled, other, outside]) expect(existsSync(path)).toBe(true);
    await rm(outside, { recursive: true });
  });

  it('is nothing to clean where there never was a run', async () => {
    expect(await removeStaleFolders(join(cache, 'nothing'))).toEqual([]);
  });
});

describe('the profile of try', () => {
  it.each([1, 3, 9])('of %i members is valid, on ports of its own', async (members) => {
    const parsed = parseProfile(await tryProfile(members));
    expect(parsed.ok).toBe(true);
    if (!parsed.ok) return;
    const ports = parsed.profile.hosts.flatMap((host) =>
      [host.clientPort, host.peerPort, new URL(host.metricsUrl ?? '').port].map(Number),
    );
    expect(new Set(ports).size).toBe(members * 3);
    expect(parsed.profile).toMatchObject({ name: 'try', addressing: 'ip', ca: { peers: 'separate' } });
  });
  it.each([0, 10, 1.5])('refuses %d members', async (members) => {
    await expect(tryProfile(members)).rejects.toMatchObject({ code: 'usage' });
  });
});

it('free ports differ and lie below the range of outgoing connections', async () => {
  const ports = await freePorts(30);
  expect(new Set(ports).size).toBe(30);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});
