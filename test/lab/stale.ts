/** What a lab leaves on this machine, found by its name, and its removal: after a test and after one that crashed. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, unmountUnder } from '../setup/cache.ts';
import { groups, killGroup, removeGroup } from './cgroup.ts';
import { deleteNamespace, namespaces } from './network.ts';

/** Everything that belongs to a lab is named `ewl` + number of the lab + what it is. */
const PREFIX = 'ewl';
const RUN = join(cacheFolder, 'run');

/** When a process began: with its id it tells one process from a later one of the same id. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** Takes a free lab name for this process. @returns the name and the folder that belongs to it */
export async function claimName(): Promise<{ id: string; folder: string }> {
  await mkdir(RUN, { recursive: true });
  // The owner is written before the name is taken, so that nobody ever sees a lab without one.
  const claim = await mkdtemp(join(cacheFolder, 'claim-'));
  await writeFile(join(claim, 'owner'), `${process.pid} ${await startOf(process.pid)}`);
  for (let number = 1; ; number += 1) {
    const id = `${PREFIX}${number}`;
    const folder = join(RUN, id);
    try {
      await rename(claim, folder);
      return { id, folder };
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** Removes every lab whose process is gone. */
export async function removeStale(): Promise<void> {
  for (const id of await readdir(RUN).catch(() => [])) {
    const [pid, began] = (await readFile(join(RUN, id, 'owner'), 'utf8').catch(() => '')).split(' ');
    if (began === undefined || (await startOf(Number(pid))) !== began) await removeLab(id);
  }
}

/** Removes whatever exists of a lab: processes, control groups, namespaces, mounts, files. */
export async function removeLab(id: string): Promise<void> {
  const mine = (name: string): boolean => name === id || name.startsWith(`${id}-`);
  for (const group of (await groups(id)).filter(mine)) {
    await killGroup(group);
    await removeGroup(group);
  }
  for (const name of (await namespaces(id)).filter(mine)) await deleteNamespace(name);
  await unmountUnder(join(RUN, id));
  await rm(join('/etc/netns', id), { recursive: true, force: true });
  if (existsSync(join(RUN, id))) await rm(join(RUN, id), { recursive: true, force: true });
}
