/** A bundle as one tar stream: the manifest that the put script reads, checksums, files. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { pack } from 'tar-stream';
import { WizardError } from '../errors.ts';
import type { FileBundle, RemoteFile } from './transport.ts';

interface FileSet {
  folder: string;
  files: readonly RemoteFile[];
  version?: { name: string; mode: number; owner?: string; group?: string };
}

/** The folder in whose file system the stream is unpacked: that of the first target. */
export function anchorOf(bundle: FileBundle): string {
  return setsOf(bundle)[0]?.folder ?? bundle.folders[0]?.path ?? bundle.backupFolder ?? '/';
}

/**
 * @throws WizardError `bad-input` for a path that is relative, not normal or not printable. tar and the manifest would
 * carry some of these; no file of etcd needs them, and each would be a special case on every host.
 */
export async function bundleStream(bundle: FileBundle): Promise<Buffer> {
  const sets = setsOf(bundle);
  const lines: string[][] = [];
  const entries: { name: string; content: Buffer }[] = [];

  if (bundle.backupFolder !== undefined) lines.push(['backup', folderPath(bundle.backupFolder)]);
  for (const folder of bundle.folders) lines.push(['folder', ...ownership(folder), folderPath(folder.path)]);
  sets.forEach(({ folder, files, version }, index) => {
    const staging = `s${index}`;
    lines.push(['set', staging, version ? 'version' : 'files', folderPath(folder)]);
    if (version) lines.push(['version', versionName(version.name), ...ownership(version)]);
    let last = '';
    // Files of one mode and owner follow one another: one chown and one chmod for all of them.
    for (const file of files.toSorted((a, b) => (ownership(a).join() < ownership(b).join() ? -1 : 1))) {
      const own = ownership(file);
      if (own.join() !== last) lines.push(['own', ...own]);
      last = own.join();
      const name = fileName(file.path);
      lines.push(['file', name]);
      entries.push({ name: `${staging}/${name}`, content: file.content });
    }
  });
  lines.push(['end']);
  if (bundle.after !== undefined) entries.unshift({ name: 'after', content: Buffer.from(bundle.after) });
  entries.unshift({ name: 'manifest', content: Buffer.from(lines.map((fields) => `${fields.join('\t')}\n`).join('')) });
  const sums = entries
    .map(({ name, content }) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
    .join('');
  // Before what it sums up: a stream that ends early between two entries is found out by it.
  entries.unshift({ name: 'sums', content: Buffer.from(sums) });
  return tar(entries);
}

async function tar(entries: readonly { name: string; content: Buffer }[]): Promise<Buffer> {
  const stream = pack();
  for (const { name, content } of entries)
    stream.entry({ name, mode: 0o600, uid: 0, gid: 0, mtime: new Date(0) }, content);
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Versions first: what refers to certificates comes after them. */
function setsOf(bundle: FileBundle): FileSet[] {
  const versions = bundle.versioned.map(({ folder, files, version, ...own }) => ({
    folder,
    files,
    version: { name: version, ...own },
  }));
  for (const { folder, files } of versions) {
    for (const { path } of files) {
      if (posix.dirname(path) !== folder) throw new WizardError('bad-input', `${path} does not lie in ${folder}`);
    }
  }
  const byFolder = new Map<string, RemoteFile[]>();
  for (const file of bundle.files) {
    const folder = posix.dirname(file.path);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), file]);
  }
  return [...versions, ...[...byFolder].map(([folder, files]) => ({ folder, files }))];
}

function ownership({ mode, owner = '-', group = '-' }: { mode: number; owner?: string; group?: string }): string[] {
  for (const name of [owner, group]) {
    if (!/^(-|[A-Za-z0-9_][A-Za-z0-9_.-]*\$?)$/.test(name))
      throw new WizardError('bad-input', `${JSON.stringify(name)} is no name of an account`);
  }
  // chown "etcd:" means etcd's login group; "-" alone means: leave it.
  return [mode.toString(8).padStart(4, '0'), owner, owner === '-' || group !== '-' ? group : ''].map(
    (field) => field || owner,
  );
}

function folderPath(path: string): string {
  const bad =
    !path.startsWith('/') ||
    posix.normalize(path) !== path ||
    (path !== '/' && path.endsWith('/')) ||
    /[\p{Cc}\\]/u.test(path);
  if (bad)
    throw new WizardError(
      'bad-input',
      `${JSON.stringify(path)} is not an absolute, normal path that can be used on a host`,
    );
  return path;
}

/** Plain ASCII of at most 80 characters: longer or other names need tar extensions that busybox does not read. */
function fileName(path: string): string {
  const name = posix.basename(folderPath(path));
  if (
    !/^[\x20-\x7e]{1,80}$/.test(name) ||
    name.startsWith('.etcd-wizard.') ||
    name === '.current' ||
    name === '.versions'
  ) {
    throw new WizardError('bad-input', `${JSON.stringify(path)} cannot be a file's name on a host`, {
      why: 'Names of at most 80 printable ASCII characters can.',
    });
  }
  return name;
}

function versionName(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new WizardError('bad-input', `${JSON.stringify(name)} cannot be a version's name`);
  return name;
}
