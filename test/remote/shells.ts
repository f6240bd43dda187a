/** Shells and tool sets that hosts come with; scripts are run for real under each that this machine has. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Shell {
  name: string;
  /** Puts the shell (and its tools) in front of PATH; the result undoes it. */
  use(): () => void;
}

/** A folder to be put in front of PATH. */
export function prependPath(folder: string, alone = false): () => void {
  const before = process.env.PATH;
  process.env.PATH = alone ? folder : `${folder}:${before}`;
  return () => {
    process.env.PATH = before;
  };
}

export const temporary = (below = tmpdir()): string => mkdtempSync(join(below, 'etcd-wizard-test-'));

function which(name: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name]).toString().trim();
  } catch {
    return undefined;
  }
}

/** A folder of one program named sh; removed when it is no longer used. */
function withBin(fill: (folder: string) => void, alone = false): () => () => void {
  return () => {
    const folder = temporary();
    mkdirSync(folder, { recursive: true });
    fill(folder);
    const undo = prependPath(folder, alone);
    return () => {
      undo();
      rmSync(folder, { recursive: true });
    };
  };
}

export function shells(): Shell[] {
  const dash = which('dash');
  const bash = which('bash');
  const busybox = which('busybox');
  const found: Shell[] = [];
  if (dash) found.push({ name: 'dash, GNU tools', use: withBin((folder) => symlinkSync(dash, join(folder, 'sh'))) });
  if (bash) {
    // Without --norc bash reads .bashrc here: a socket as input looks to it like sshd.
    const wrapper = `#!${bash}\nexec ${bash} --posix --norc "$@"\n`;
    found.push({
      name: 'bash --posix',
      use: withBin((folder) => writeFileSync(join(folder, 'sh'), wrapper, { mode: 0o755 })),
    });
  }
  if (busybox) {
    // Alone on PATH: a GNU tool that slips in would hide what busybox cannot do.
    const applets = execFileSync(busybox, ['--list']).toString().trim().split('\n');
    const fill = (folder: string) => applets.forEach((applet) => void symlinkSync(busybox, join(folder, applet)));
    found.push({ name: 'busybox', use: withBin(fill, true) });
  }
  return found;
}
