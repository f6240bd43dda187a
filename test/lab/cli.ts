/** The built command as the lab runs it: a copy, so that a build going on meanwhile does not take files away from under it. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../setup/cache.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const DAY_MS = 86_400_000;

/** Path of `cli.js` in the copy. The start-up file names its chunks by their content, so its sum stands for all of them. */
export const CLI = copy();

function copy(): string {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      const text = readFileSync(join(root, 'dist/cli.js'), 'utf8');
      // The build writes this line last.
      if (text.startsWith('#!')) return place(createHash('sha256').update(text).digest('hex').slice(0, 12));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    // Without a build the harness still works; whoever runs the command is told that it is missing.
    if (performance.now() > deadline) return join(root, 'dist/cli.js');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function place(key: string): string {
  const folder = join(cacheFolder, `cli-${key}`);
  if (!existsSync(folder)) {
    mkdirSync(cacheFolder, { recursive: true });
    const part = mkdtempSync(`${folder}.`);
    cpSync(join(root, 'dist'), join(part, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(part, 'package.json'));
    try {
      renameSync(part, folder);
    } catch (error) {
      // Another process was quicker; its copy is the same.
      rmSync(part, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
    for (const name of readdirSync(cacheFolder)) {
      const old = join(cacheFolder, name);
      if (name.startsWith('cli-') && old !== folder && Date.now() - statSync(old).mtimeMs > DAY_MS)
        rmSync(old, { recursive: true, force: true });
    }
  }
  return join(folder, 'dist/cli.js');
}
