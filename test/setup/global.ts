/** Before the first test: etcd's binaries, so that no test's time limit pays for the download. Later runs find them in the cache. */
import { findEtcd } from './etcd.ts';

export async function setup(): Promise<void> {
  for (const version of ['3.4', '3.5'] as const) {
    if ((await findEtcd(version)) === undefined)
      console.error(`etcd ${version} could not be fetched with apt: tests that start it are skipped`);
  }
}
