/** Finds an etcd for this machine: installed, fetched before, from the distribution without root, or from the release archive. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Emit } from '../apply/events.ts';
import { WizardError } from '../errors.ts';
import { childEnvironment } from '../remote/local.ts';
import { fetchArchive, RELEASES, type ReleaseSource } from './archive.ts';
import { unpackDebian } from './debian.ts';

export interface FoundEtcd {
  path: string;
  /** Such as 3.5.16. */
  version: string;
  source: 'installed' | 'cache' | 'distribution' | 'archive';
}

export interface FindOptions {
  /** The wizard's cache folder; etcd is kept in `etcd/` below it. */
  cacheDir: string;
  emit: Emit;
  signal: AbortSignal;
  /** Read for PATH; by default this process's. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Folders looked into beside PATH; a daemon's folder is often not in a user's PATH. */
  folders?: readonly string[];
  /** Tried in this order when no etcd is there. */
  sources?: readonly ('distribution' | 'archive')[];
  release?: ReleaseSource;
}

const FOLDERS = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/usr/lib/etcd', '/opt/etcd'];
/** The JSON gateway speaks /v3/ from here on. */
const OLDEST = [3, 4] as const;

/** @throws WizardError `install` with what was tried and what to install; `interrupted` */
export async function findEtcd(options: FindOptions): Promise<FoundEtcd> {
  const { cacheDir, emit, signal } = options;
  const path = (options.environment ?? process.env).PATH ?? '';
  const folders = [...path.split(delimiter).filter(isAbsolute), ...(options.folders ?? FOLDERS)];
  const installed = await firstThatRuns([...new Set(folders)].map((folder) => join(folder, 'etcd')));
  if (installed) return { ...installed, source: 'installed' };

  const store = join(cacheDir, 'etcd');
  const kept = await readdir(store).catch(() => []);
  const cached = await firstThatRuns(
    kept.filter((name) => !name.startsWith('.')).map((name) => join(store, name, 'etcd')),
  );
  if (cached) return { ...cached, source: 'cache' };

  const tried: string[] = [];
  for (const source of options.sources ?? ['distribution', 'archive']) {
    try {
      return { ...(await fetchInto(store, source, options)), source };
    } catch (thrown) {
      if (signal.aborted)
        throw new WizardError('interrupted', 'Interrupted while etcd was fetched.', {
          step: 'find etcd',
          cause: thrown,
        });
      if (!(thrown instanceof WizardError)) throw thrown;
      tried.push(`${thrown.message} ${thrown.why ?? ''}`.trim());
      emit({ type: 'note', text: thrown.message });
    }
  }
  throw new WizardError('install', 'No etcd was found for this machine, and none could be fetched.', {
    step: 'find etcd',
    why: tried.join(' '),
    next: [
      'Put etcd 3.4 or newer on the PATH, then run the same command again. On Debian, Ubuntu and Raspberry Pi OS:',
      'sudo apt-get install etcd-server && sudo systemctl disable --now etcd',
    ],
  });
}

/** Into a hidden folder beside the final one, looked at, then renamed: a half-fetched etcd never counts. */
async function fetchInto(
  store: string,
  source: 'distribution' | 'archive',
  options: FindOptions,
): Promise<{ path: string; version: string }> {
  await mkdir(store, { recursive: true, mode: 0o700 });
  const part = join(store, `.${source}-${process.pid}.part`);
  await rm(part, { recursive: true, force: true });
  await mkdir(part);
  try {
    const binary =
      source === 'distribution'
        ? await unpackDebian(part, options)
        : await fetchArchive(part, { ...options, release: options.release ?? RELEASES });
    const version = await versionOf(binary);
    if (version === undefined)
      throw new WizardError('install', 'The etcd that was fetched does not run on this machine.', {
        why: `It may be made for another processor than this one (${arch()}).`,
      });
    const folder = join(store, `${source}-${version}-${arch()}`);
    await rm(folder, { recursive: true, force: true });
    const finished = join(part, 'finished');
    await mkdir(finished);
    await rename(binary, join(finished, 'etcd'));
    await rename(finished, folder);
    return { path: join(folder, 'etcd'), version };
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function firstThatRuns(candidates: readonly string[]): Promise<{ path: string; version: string } | undefined> {
  for (const path of candidates) {
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    const version = executable ? await versionOf(path) : undefined;
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

/** The version that a binary reports; undefined when it does not run here, is no etcd or is too old. */
function versionOf(path: string): Promise<string | undefined> {
  // On processors that it is not released for etcd does not even tell its version without this.
  const env = { ...childEnvironment(), ETCD_UNSUPPORTED_ARCH: process.arch };
  return new Promise((resolve) => {
    execFile(path, ['--version'], { env, timeout: 10_000, maxBuffer: 1 << 16 }, (error, stdout) => {
      const [, version, major, minor] = /^etcd Version: ((\d+)\.(\d+)\.\d+)/m.exec(stdout) ?? [];
      const oldEnough = Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
      resolve(error === null && oldEnough ? version : undefined);
    });
  });
}
