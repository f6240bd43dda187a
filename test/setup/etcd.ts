/**
 * etcd binaries for tests, without installing (and so without starting) Debian's package: bookworm has 3.4, trixie 3.5,
 * and trixie's run on bookworm.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Release, unpackPackages } from './apt.ts';
import { once } from './cache.ts';

export interface EtcdBinaries {
  etcd: string;
  etcdctl: string;
}
export type EtcdVersion = '3.4' | '3.5';

const RELEASES: Record<EtcdVersion, Release> = { '3.4': 'bookworm', '3.5': 'trixie' };

/**
 * Paths of etcd and etcdctl; the first call downloads them (some seconds), later ones find them in the cache.
 * @throws Error where apt or a mirror is missing
 */
export async function etcdBinaries(version: EtcdVersion): Promise<EtcdBinaries> {
  const packages = ['etcd-server', 'etcd-client'];
  const folder = await once(`etcd-${version}`, { release: RELEASES[version], packages }, async (part) => {
    await unpackPackages(RELEASES[version], packages, part);
    await rm(join(part, '.apt'), { recursive: true });
  });
  return { etcd: join(folder, 'usr/bin/etcd'), etcdctl: join(folder, 'usr/bin/etcdctl') };
}

/** For `describe.skipIf`: undefined where this machine cannot have them (not Debian, no network). */
export async function findEtcd(version: EtcdVersion): Promise<EtcdBinaries | undefined> {
  return await etcdBinaries(version).catch(() => undefined);
}
