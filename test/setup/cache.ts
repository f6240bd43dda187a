/** What tests build once and keep: file systems, packages, binaries; in a folder keyed by the recipe's content. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { must, sleep } from './process.ts';

export const cacheFolder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'etcd-wizard-test');

/**
 * Builds `NAME-KEY` in the cache unless it is there. A build that was interrupted left only a `.part`, which is thrown away;
 * several processes that ask at once build it once.
 * @param recipe whatever decides the content: another recipe gives another folder
 * @returns the folder
 */
export async function once(name: string, recipe: unknown, build: (folder: string) => Promise<void>): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder, `${name}-${key}`);
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder, { recursive: true });
  const release = await lock(`${folder}.lock`);
  try {
    if (existsSync(folder)) return folder;
    await unmountUnder(`${folder}.part`);
    await rm(`${folder}.part`, { recursive: true, force: true });
    await mkdir(`${folder}.part`);
    await build(`${folder}.part`);
    await rename(`${folder}.part`, folder);
    return folder;
  } finally {
    await release();
  }
}

/** Waits for its turn; a lock whose owner has died is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && !existsSync(`/proc/${owner}`) && process.platform === 'linux') await rm(path, { force: true });
    await sleep(200);
  }
}

/** Unmounts whatever is mounted at or below a folder, the innermost first: what an interrupted build or run left behind. */
export async function unmountUnder(folder: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.reverse())
    if (mount === folder || mount.startsWith(`${folder}/`)) await must('umount', ['-l', mount]);
}
