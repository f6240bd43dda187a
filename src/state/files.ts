/** Writing so that an interruption leaves the old file or the new one, never half of one. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WizardError } from '../errors.ts';

/**
 * Writes a file atomically: temporary dot file beside it, fsync, rename, fsync of the folder.
 * @throws WizardError `state` when the disk is full or the folder cannot be written
 */
export async function writeAtomic(path: string, content: string | Buffer, mode: number): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      // The mode given to open() is narrowed by the umask; a public file shall stay readable.
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    const parent = await open(folder, 'r');
    await parent.sync().finally(() => parent.close());
  } catch (cause) {
    // What could not be written may not be removable either; the first error is the one that counts.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new WizardError('state', `Could not write ${path}.`, {
      why: (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? 'The disk is full.' : (cause as Error).message,
      next: ['Make room or correct the folder’s rights, then run the same command again.'],
      cause,
    });
  }
}

/** @returns the file's text, or undefined when it is not there. @throws WizardError `state` when it cannot be read */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new WizardError('state', `Could not read ${path}.`, {
      why: (cause as Error).message,
      next: [`Look at its rights: ls -l ${path}`],
      cause,
    });
  }
}

/** @returns the parsed JSON file, undefined when it is not there. @throws WizardError `state` when it is damaged */
export async function readJson<T>(path: string, isValid: (value: unknown) => value is T): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isValid(value)) return value;
  } catch {
    // Damaged either way: told below, in one sentence.
  }
  throw new WizardError('state', `${path} is damaged.`, {
    why: 'It is not what etcd-wizard writes; it may have been cut off by a full disk or edited by hand.',
    next: [
      'Put it back from a backup, or move it aside: what the hosts know is read from them again.',
      `mv ${path} ${path}.damaged`,
    ],
  });
}
