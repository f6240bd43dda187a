/** The folder of one `try`: made for the run, removed with it; what a crashed run left behind is removed by the next. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Names whose run a folder is: pid and, against reused pids, the moment at which that process started. */
const OWNER_FILE = '.etcd-wizard-run';
const PREFIX = 'run-';

export interface RunFolder {
  path: string;
  remove(): Promise<void>;
}

/** @param cacheDir the wizard's cache folder; runs lie in `try/` below it, readable by this user only */
export async function makeRunFolder(cacheDir: string): Promise<RunFolder> {
  const parent = join(cacheDir, 'try');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const path = await mkdtemp(join(parent, PREFIX));
  await writeFile(join(path, OWNER_FILE), `${process.pid} ${(await startOf(process.pid)) ?? '-'}\n`, { mode: 0o600 });
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/**
 * Removes the folders of runs whose process is gone: only ours, recognised by name, owner and the file within.
 * @returns the removed folders
 */
export async function removeStaleFolders(cacheDir: string): Promise<string[]> {
  const parent = join(cacheDir, 'try');
  const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const removed: string[] = [];
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const path = join(parent, name);
    if (!(await isStale(path))) continue;
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    removed.push(path);
  }
  return removed;
}

async function isStale(path: string): Promise<boolean> {
  const stat = await lstat(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) return false;
  const owner = await readFile(join(path, OWNER_FILE), 'utf8').catch(() => undefined);
  const [, pid, started] = /^(\d+) (\S+)\n$/.exec(owner ?? '') ?? [];
  if (pid === undefined) return false;
  return !isAlive(Number(pid)) || (started !== '-' && (await startOf(Number(pid))) !== started);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat (proc(5)): start time in clock ticks after boot; undefined where there is no /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the command's name in parentheses and may hold blanks.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
