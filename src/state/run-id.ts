/**
 * Names of runs, by which a machine knows the locks of its own runs again. A run that was killed leaves its locks on the
 * hosts; only the machine it ran on can tell that it has ended, and only of its own runs: two machines may well share
 * user and host name (`pi@raspberrypi`), so a random number that lies in the state folder stands for the machine.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readIfThere, writeAtomic } from './files.ts';

export interface RunId {
  /** For locks: letters, digits, dots and hyphens. */
  id: string;
  /** The run of that id was one of this machine's and its process is gone. */
  hasEnded(id: string): boolean;
}

/**
 * @param stateFolder of the program, not of one cluster: cluster folders are copied to other machines
 * @param machine host name; a state folder may be shared by machines
 * @param isAlive whether a process runs; stubbed in tests
 * @throws WizardError `state` when the folder cannot be read or written
 */
export async function runId(
  stateFolder: string,
  machine: string,
  pid: number,
  isAlive: (pid: number) => boolean = processIsAlive,
): Promise<RunId> {
  const own = createHash('sha256')
    .update(`${await machineNumber(stateFolder)} ${machine}`)
    .digest('hex')
    .slice(0, 16);
  return {
    id: `${own}.${pid}.${randomBytes(6).toString('hex')}`,
    hasEnded(id) {
      const [theirs, process] = id.split('.');
      return theirs === own && process !== undefined && /^\d+$/.test(process) && !isAlive(Number(process));
    },
  };
}

async function machineNumber(stateFolder: string): Promise<string> {
  const path = join(stateFolder, 'machine-number');
  const known = await readIfThere(path);
  if (known !== undefined && known !== '') return known.trim();
  const made = randomUUID();
  // Of two runs that make it at once the later one wins; the other's locks then count as those of another machine.
  await writeAtomic(path, `${made}\n`, 0o600);
  return made;
}

function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
