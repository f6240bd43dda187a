/** Debian packages without installing them and without root: apt with lists, cache and sources of its own. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from './process.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
export type Release = 'bookworm' | 'trixie';

/**
 * The Debian mirror that this machine's own apt uses, so that a local mirror serves the tests too.
 * @throws Error where apt knows none
 */
export async function debianMirror(): Promise<string> {
  const uris = await must('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    'Origin: Debian',
  ]);
  const mirror = uris.split('\n').find((uri) => uri !== '' && !uri.includes('security'));
  if (mirror === undefined) throw new Error('apt knows no Debian mirror: run «apt-get update» on a Debian machine');
  return mirror.replace(/\/$/, '');
}

/** Downloads packages of a release (not what they depend on) and unpacks them into `folder`. */
export async function unpackPackages(release: Release, packages: readonly string[], folder: string): Promise<void> {
  const state = join(folder, '.apt');
  for (const part of ['lists/partial', 'cache/archives/partial', 'debs'])
    await mkdir(join(state, part), { recursive: true });
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  await writeFile(join(state, 'sources.list'), `deb ${signed}${await debianMirror()} ${release} main\n`);
  await writeFile(join(state, 'status'), '');
  const options = [
    `Dir::Etc::SourceList=${state}/sources.list`,
    'Dir::Etc::SourceParts=-',
    `Dir::State::Lists=${state}/lists`,
    `Dir::State::status=${state}/status`,
    `Dir::Cache=${state}/cache`,
    // Translations and the like are of no use here.
    'Acquire::Languages=none',
    // As root, apt would drop to a user who cannot enter a private cache folder.
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
  ].flatMap((option) => ['-o', option]);
  await must('apt-get', [...options, '-qq', 'update'], { timeoutMs: 180_000 });
  await must('apt-get', [...options, '-qq', 'download', ...packages], { cwd: join(state, 'debs'), timeoutMs: 180_000 });
  for (const deb of await readdir(join(state, 'debs'))) await must('dpkg', ['-x', join(state, 'debs', deb), folder]);
}
