/**
 * Saved profiles: `$XDG_CONFIG_HOME/etcd-wizard/profiles/NAME.yaml`, file 0600, folder 0700. The only file that imports conf.
 * conf reads and replaces the file (atomically); which text is written is decided here, so that comments survive.
 */
// First of all, so that it is evaluated before conf: see there.
import './signals.ts';
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import Conf from 'conf';
import { cleanLine } from '../clean.ts';
import { asWizardError, WizardError } from '../errors.ts';
import { quote } from '../quote.ts';
import { PROFILE_NAME } from './names.ts';
import { MAX_PROFILE_BYTES, type ReadProfile, readProfile } from './read.ts';
import { rewriteProfile, writeProfile } from './rewrite.ts';
import type { ProfileFile } from './schema.ts';
import { dropNewListeners } from './signals.ts';

// Imports are evaluated in one go: nobody else can have begun to listen in between.
dropNewListeners();

export interface LoadedProfile extends ReadProfile {
  path: string;
  /** False for a profile given by path: it is never rewritten. */
  stored: boolean;
}

export interface ProfileSummary {
  name: string;
  path: string;
  hosts: number;
  topology: string;
  /** Set when the file is there but cannot be used: what is wrong, on one line. */
  problem?: string;
}

/** A path contains «/» or ends in .yaml or .yml; everything else is the name of a saved profile. */
export const isPath = (reference: string): boolean => reference.includes('/') || /\.ya?ml$/i.test(reference);

/** A profile by saved name or path. @throws like {@link ProfileStore.load} */
export function openProfile(io: { paths: { config: string } }, reference: string): Promise<LoadedProfile> {
  return new ProfileStore(io.paths.config).load(reference);
}

export class ProfileStore {
  readonly folder: string;

  /** @param config the program's configuration folder, as `controllerPaths` gives it */
  constructor(config: string) {
    this.folder = join(config, 'profiles');
  }

  /** Where a saved profile lies, or would. @throws WizardError `usage` for what cannot be a name */
  path(name: string): string {
    if (!PROFILE_NAME.test(name)) {
      throw new WizardError('usage', `«${cleanLine(name).slice(0, 80)}» is neither a saved profile nor a path.`, {
        why: 'A saved profile’s name has lower-case letters, digits and «-»; a path contains «/» or ends in .yaml.',
        next: ['See what is saved:', 'etcd-wizard profile list'],
      });
    }
    return join(this.folder, `${name}.yaml`);
  }

  /** Where a name or a path leads. */
  resolve(reference: string): { path: string; stored: boolean } {
    return isPath(reference)
      ? { path: resolve(reference), stored: false }
      : { path: this.path(reference), stored: true };
  }

  /** Saved profiles by name, unusable ones included. */
  async list(): Promise<ProfileSummary[]> {
    const names = (await this.names()).sort();
    return Promise.all(
      names.map(async (name): Promise<ProfileSummary> => {
        try {
          const { profile, path } = await this.load(name);
          return { name, path, hosts: profile.hosts.length, topology: profile.topology };
        } catch (thrown) {
          const { message, why } = asWizardError(thrown);
          return {
            name,
            path: this.path(name),
            hosts: 0,
            topology: '',
            problem: `${message} ${why?.split('\n')[0] ?? ''}`.trim(),
          };
        }
      }),
    );
  }

  /** Names of what is saved, usable or not. */
  async names(): Promise<string[]> {
    try {
      const files = await readdir(this.folder);
      return files
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => basename(file, '.yaml'))
        .filter((name) => PROFILE_NAME.test(name));
    } catch (cause) {
      if (isCode(cause, 'ENOENT')) return [];
      throw unreadable(this.folder, cause);
    }
  }

  async has(name: string): Promise<boolean> {
    return (await this.names()).includes(name);
  }

  /**
   * @param reference a saved name or a path
   * @throws WizardError `no-such-profile`, `bad-profile` (every problem), `state` when the file cannot be read
   */
  async load(reference: string): Promise<LoadedProfile> {
    const { path, stored } = this.resolve(reference);
    if (!stored) return { ...readProfile(await this.text(reference), path), path, stored };
    await this.#assertReadable(path, reference);
    // conf leaves an existing file's rights as they are.
    await this.#tighten(path);
    const found: { read?: ReadProfile } = {};
    const deserialize = (text: string) => {
      found.read = readProfile(text, path);
      return found.read.file;
    };
    // Reading `store` has conf read the file and hand its text to `deserialize`.
    void this.#conf(reference, { deserialize }).store;
    const { read } = found;
    if (read === undefined) throw noSuch(reference, path);
    if (read.profile.name !== reference) {
      throw new WizardError('bad-profile', `${path} holds a profile of another name.`, {
        why: `name is «${read.profile.name}»; the file’s name says «${reference}». A run under the wrong name would take another cluster’s state.`,
        next: ['Rename the file, or save it anew under its own name:', `etcd-wizard profile import ${quote(path)}`],
      });
    }
    return { ...read, path, stored };
  }

  /** What stands there, whether it is right or not. @throws WizardError `no-such-profile`, `bad-profile` for no file or a huge one */
  async text(reference: string): Promise<string> {
    const { path } = this.resolve(reference);
    await this.#assertReadable(path, reference);
    return readText(path);
  }

  /**
   * Checks and saves; comments of what stands there are kept.
   * @param options.replace a profile of that name may be there; default: it stops
   * @returns the path
   * @throws WizardError `bad-profile` with every problem, `bad-input` when the name is taken
   */
  async save(file: ProfileFile, options: { replace?: boolean } = {}): Promise<string> {
    const fresh = writeProfile(file);
    const { profile } = readProfile(fresh, `The profile «${cleanLine(String(file.name)).slice(0, 63)}»`);
    const present = await this.#present(profile.name, options.replace === true);
    return this.#write(profile.name, present === undefined ? fresh : rewriteProfile(present, file));
  }

  /** Saves a profile's own text with its comments, under `name` where that is another. @throws like {@link save} */
  async saveText(text: string, source: string, name?: string): Promise<string> {
    const { file, profile } = readProfile(text, source);
    const target = name ?? profile.name;
    const path = this.path(target);
    await this.#present(target, false);
    const renamed = target === profile.name ? text : rewriteProfile(text, { ...file, name: target });
    readProfile(renamed, path);
    return this.#write(target, renamed);
  }

  /**
   * Records what was decided once (token, versions, sums) in a stored profile; one given by path is left alone.
   * @returns whether anything was written
   */
  async record(loaded: LoadedProfile, change: (file: ProfileFile) => ProfileFile): Promise<boolean> {
    if (!loaded.stored) return false;
    const { file, text, profile } = await this.load(loaded.profile.name);
    const changed = change(structuredClone(file));
    if (isDeepStrictEqual(changed, file)) return false;
    const rewritten = rewriteProfile(text, changed);
    readProfile(rewritten, loaded.path);
    await this.#write(profile.name, rewritten);
    return true;
  }

  /** Forgets a saved profile. @throws WizardError `no-such-profile` */
  async delete(name: string): Promise<string> {
    const path = this.path(name);
    await this.#assertReadable(path, name);
    await rm(path);
    return path;
  }

  async #present(name: string, replace: boolean): Promise<string | undefined> {
    if (!(await this.has(name))) return undefined;
    if (replace) return readText(this.path(name));
    throw new WizardError('bad-input', `There is already a saved profile named ${name}.`, {
      why: 'It is left as it is: what a profile records of its cluster cannot be had again.',
      next: ['Save under another name, or look at the one that is there:', `etcd-wizard profile show ${name}`],
    });
  }

  async #write(name: string, text: string): Promise<string> {
    const path = this.path(name);
    try {
      // conf would make the folder with the umask's rights.
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await chmod(this.folder, 0o700);
      const { file } = readProfile(text, path);
      this.#conf(name, { deserialize: (present) => readLenient(present), serialize: () => text }).store =
        file as Record<string, unknown>;
    } catch (cause) {
      if (cause instanceof WizardError) throw cause;
      throw new WizardError('state', `Could not save ${path}.`, {
        why: isCode(cause, 'ENOSPC') ? 'The disk is full.' : (cause as Error).message,
        next: ['Make room or correct the folder’s rights, then run the same command again.'],
        cause,
      });
    }
    return path;
  }

  #conf(
    name: string,
    { deserialize, serialize }: { deserialize(text: string): object; serialize?(): string },
  ): Conf<Record<string, unknown>> {
    this.path(name);
    return new Conf<Record<string, unknown>>({
      projectName: 'etcd-wizard',
      projectSuffix: '',
      cwd: this.folder,
      configName: name,
      fileExtension: 'yaml',
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
      deserialize: (text) => deserialize(text) as Record<string, unknown>,
      ...(serialize && { serialize }),
    });
  }

  async #assertReadable(path: string, reference: string): Promise<void> {
    try {
      const found = await stat(path);
      if (!found.isFile())
        throw new WizardError('bad-profile', `${cleanLine(path)} is not a file.`, {
          next: ['etcd-wizard profile list'],
        });
      if (found.size > MAX_PROFILE_BYTES)
        throw new WizardError('bad-profile', `${cleanLine(path)} is too big for a profile.`, {
          why: `It has ${found.size} bytes; at most ${MAX_PROFILE_BYTES} are read.`,
          next: ['Give the path of a profile.'],
        });
    } catch (cause) {
      if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) throw noSuch(reference, path);
      throw cause instanceof WizardError ? cause : unreadable(path, cause);
    }
  }

  async #tighten(path: string): Promise<void> {
    for (const [target, mode] of [
      [this.folder, 0o700],
      [path, 0o600],
    ] as const) {
      const found = await stat(target);
      if ((found.mode & 0o077) !== 0 && found.uid === process.getuid?.()) await chmod(target, mode);
    }
  }
}

const isCode = (cause: unknown, code: string): boolean => (cause as NodeJS.ErrnoException | undefined)?.code === code;

/** conf reads what stands there before it replaces it; that it may be damaged must not keep a good text from being saved. */
const readLenient = (_text: string): object => ({});

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const unreadable = (path: string, cause: unknown): WizardError =>
  new WizardError('state', `Could not read ${cleanLine(path)}.`, {
    why: (cause as Error).message,
    next: ['Look at its rights:', `ls -ld ${quote(cleanLine(path))}`],
    cause,
  });

const noSuch = (reference: string, path: string): WizardError =>
  new WizardError(
    'no-such-profile',
    isPath(reference)
      ? `There is no file ${cleanLine(path)}.`
      : `There is no saved profile named ${cleanLine(reference)}.`,
    {
      why: isPath(reference)
        ? undefined
        : 'A saved profile is given by its name, a file by a path with «/» or ending in .yaml.',
      next: ['See what is saved, or make one:', 'etcd-wizard profile list', 'etcd-wizard new'],
    },
  );
