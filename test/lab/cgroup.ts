/**
 * A control group per host. Without one, every container's systemd would share the caller's group and stop each other's
 * services. Works with cgroup v1, hybrid and v2.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../setup/process.ts';

const MOUNT = '/sys/fs/cgroup';

/** The group's folder in every hierarchy; cpuset is left out, since a new v1 group has no processors until it is given some. */
async function folders(name: string): Promise<string[]> {
  if (existsSync(join(MOUNT, 'cgroup.procs'))) return [join(MOUNT, name)];
  const hierarchies = await readdir(MOUNT);
  return hierarchies
    .filter((each) => each !== 'cpuset' && existsSync(join(MOUNT, each, 'cgroup.procs')))
    .map((each) => join(MOUNT, each, name));
}

/** Makes the group. @returns the `cgroup.procs` files that a process joins by writing its id to each */
export async function createGroup(name: string): Promise<string[]> {
  const made = await folders(name);
  for (const folder of made) await mkdir(folder, { recursive: true });
  return made.map((folder) => join(folder, 'cgroup.procs'));
}

async function processes(folder: string): Promise<number[]> {
  const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  const own = text.split('\n').filter(Boolean).map(Number);
  const inner = await Promise.all((await subgroups(folder)).map(processes));
  return [...own, ...inner.flat()];
}

async function subgroups(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

/** Every process of the group and its subgroups. */
async function members(name: string): Promise<number[]> {
  return [...new Set((await Promise.all((await folders(name)).map(processes))).flat())].filter((pid) => pid > 0);
}

/** Kills everything in the group at once, as a power cut does, and waits until it is gone. */
export async function killGroup(name: string): Promise<void> {
  await waitFor(`processes of ${name} gone`, async () => {
    const pids = await members(name);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    return pids.length === 0;
  });
}

/** Removes the emptied group. */
export async function removeGroup(name: string): Promise<void> {
  for (const folder of await folders(name)) if (existsSync(folder)) await removeFolder(folder);
}

async function removeFolder(folder: string): Promise<void> {
  for (const each of await subgroups(folder)) await removeFolder(each);
  await rmdir(folder);
}

/** Names of groups with the prefix. */
export async function groups(prefix: string): Promise<string[]> {
  const names = await Promise.all((await folders('')).map((each) => readdir(each).catch(() => [])));
  return [...new Set(names.flat())].filter((name) => name.startsWith(prefix));
}
