/** `profile list/show/validate/path/delete/import/export`: functions of what they are given, returning exit codes. */
import { resolve } from 'node:path';
import { clean, cleanLine } from '../clean.ts';
import { EXIT, WizardError } from '../errors.ts';
import { type CheckedProfile, checkProfile, problemLine, shownValue } from '../profile/read.ts';
import type { Profile } from '../profile/schema.ts';
import { type LoadedProfile, ProfileStore } from '../profile/store.ts';
import { readIfThere, writeAtomic } from '../state/files.ts';
import type { CommandIo } from './io.ts';

/** What these commands need of a {@link CommandIo}. */
export type ProfileIo = Pick<
  CommandIo,
  'out' | 'err' | 'flags' | 'paths' | 'interactive' | 'stdin' | 'stderr' | 'signal' | 'environment'
>;

const storeOf = (io: ProfileIo): ProfileStore => new ProfileStore(io.paths.config);

/** Saved profiles, one a line: name, hosts, topology, or what is wrong with it. @returns 0 */
export async function list(io: ProfileIo): Promise<number> {
  const profiles = await storeOf(io).list();
  if (io.flags.json) io.out(JSON.stringify({ profiles }));
  else if (profiles.length === 0) io.err('No profile is saved yet. Make one: etcd-wizard new');
  const width = Math.max(0, ...profiles.map(({ name }) => name.length));
  if (!io.flags.json)
    for (const { name, hosts, topology, problem } of profiles)
      io.out(
        `${name.padEnd(width)}  ${problem === undefined ? `${hosts} ${hosts === 1 ? 'host' : 'hosts'}, ${topology}` : `cannot be used: ${cleanLine(problem)}`}`,
      );
  return EXIT.ok;
}

/** The profile as written; with --json with every default filled in. @returns 0 */
export async function show(io: ProfileIo, reference: string): Promise<number> {
  const { profile, text } = await storeOf(io).load(reference);
  io.out(io.flags.json ? JSON.stringify(profile) : clean(text).trimEnd());
  return EXIT.ok;
}

/** Names everything that is wrong. @returns 0 or 65 */
export async function validate(io: ProfileIo, reference: string): Promise<number> {
  const store = storeOf(io);
  const { path, stored } = store.resolve(reference);
  const text = await store.text(reference);
  const checked = checkOrTell(io, text, path);
  if (checked === undefined) return EXIT.badInput;
  if (checked.ok && stored) await store.load(reference);
  if (io.flags.json) {
    const problems = checked.ok
      ? []
      : checked.problems.map(({ field, value, expected, line }) => ({
          field,
          value: value === undefined ? null : shownValue(field, value),
          expected,
          line,
        }));
    io.out(JSON.stringify({ valid: checked.ok, path, problems }));
  } else if (checked.ok)
    io.out(`${cleanLine(path)} is a valid profile: ${checked.read.profile.name}, ${countOf(checked.read.profile)}.`);
  else for (const problem of checked.problems) io.out(problemLine(problem));
  return checked.ok ? EXIT.ok : EXIT.badInput;
}

/** What is not even YAML has no fields to name: with --json it is told in the same shape. @throws WizardError without --json */
function checkOrTell(io: ProfileIo, text: string, path: string): CheckedProfile | undefined {
  try {
    return checkProfile(text, path);
  } catch (thrown) {
    if (!io.flags.json || !(thrown instanceof WizardError)) throw thrown;
    io.out(JSON.stringify({ valid: false, path, problems: [], ...thrown.toJSON() }));
    return undefined;
  }
}

/** Where it lies. @returns 0 */
export async function path(io: ProfileIo, reference: string): Promise<number> {
  const store = storeOf(io);
  await store.text(reference);
  const found = store.resolve(reference).path;
  io.out(io.flags.json ? JSON.stringify({ path: found }) : found);
  return EXIT.ok;
}

/** Forgets a saved profile after asking; hosts, certificates and the CA stay. @returns 0, also when declined */
export async function remove(io: ProfileIo, name: string): Promise<number> {
  const store = storeOf(io);
  if (!(await store.has(name))) await store.load(name);
  io.err(`This deletes the saved profile ${name}. The hosts, the cluster and its certificates stay as they are.`);
  if (!(await agreed(io, `Delete the profile ${name}?`))) return declined(io);
  const deleted = await store.delete(name);
  io.out(io.flags.json ? JSON.stringify({ deleted }) : `Deleted ${deleted}`);
  return EXIT.ok;
}

/** Checks a file, shows what it would reach, asks, saves it with its comments. @returns 0, also when declined */
export async function importFile(io: ProfileIo, file: string, options: { name?: string } = {}): Promise<number> {
  const store = storeOf(io);
  const loaded = await store.load(/^\.{0,2}\//.test(file) ? file : `./${file}`);
  const name = options.name ?? loaded.profile.name;
  store.path(name);
  for (const line of reachOf(loaded)) io.err(line);
  if (!(await agreed(io, `Save it as ${name}?`))) return declined(io);
  const saved = await store.saveText(loaded.text, loaded.path, name);
  if (io.flags.json) io.out(JSON.stringify({ name, path: saved }));
  else {
    io.out(`Saved ${saved}`);
    io.err(`See what it would change: etcd-wizard plan ${name}`);
  }
  return EXIT.ok;
}

/** Writes the profile's text to a file (0600) or to standard output. @returns 0 */
export async function exportFile(io: ProfileIo, reference: string, file?: string): Promise<number> {
  const { text } = await storeOf(io).load(reference);
  if (file === undefined) {
    io.out(io.flags.json ? JSON.stringify({ text }) : clean(text).trimEnd());
    return EXIT.ok;
  }
  const target = resolve(file);
  const present = await readIfThere(target);
  if (present !== undefined && present !== text && !(await agreed(io, `Replace ${cleanLine(target)}?`)))
    return declined(io);
  if (present !== text) await writeAtomic(target, text, 0o600);
  io.out(io.flags.json ? JSON.stringify({ path: target }) : target);
  return EXIT.ok;
}

/** What a profile from somebody else would have this program reach and run. */
export function reachOf({ profile, path: source }: Pick<LoadedProfile, 'profile' | 'path'>): string[] {
  const { hosts, etcd, ca } = profile;
  const archives = etcd.archives.map(
    (each) =>
      `  etcd from  ${cleanLine(each.url ?? each.path ?? '')}${each.sha256 === undefined ? '  (no SHA-256 given)' : ''}`,
  );
  const flags = Object.entries(etcd.extraArgs).map(
    ([flag, value]) => `  etcd flag  --${cleanLine(flag)}=${cleanLine(String(value))}`,
  );
  return [
    `${cleanLine(source)} would reach:`,
    ...hosts.map((host) => {
      const way = `${host.ssh.user === undefined ? '' : `${host.ssh.user}@`}${host.ssh.host ?? host.address}${host.ssh.port === undefined ? '' : ` port ${host.ssh.port}`}`;
      const key = host.ssh.identityFile === undefined ? '' : `, key ${host.ssh.identityFile}`;
      return cleanLine(
        `  host       ${host.name}  ${host.address}  over ssh ${way}${host.ssh.jump === undefined ? '' : ` through ${host.ssh.jump}`}${key}`,
      );
    }),
    ...archives,
    ...(ca.vault ? [`  Vault      ${cleanLine(ca.vault.address)}`] : []),
    ...(ca.existing
      ? [
          cleanLine(
            `  CA files   ${[ca.existing.certFile, ca.existing.keyFile, ca.existing.chainFile].filter(Boolean).join(', ')}`,
          ),
        ]
      : []),
    ...flags,
  ];
}

const countOf = ({ hosts }: Profile): string => `${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`;

async function agreed(io: ProfileIo, question: string): Promise<boolean> {
  if (io.flags.yes) return true;
  if (!io.interactive) {
    throw new WizardError('no-terminal', `This needs an answer: ${question}`, {
      why: 'There is no terminal to ask on.',
      next: ['Look at what is said above; to agree, run the same command again with --yes.'],
    });
  }
  const { prompterOf } = await import('../front/plain/prompter.ts');
  const prompter = prompterOf(io);
  try {
    return await prompter.confirm(question, false);
  } finally {
    prompter.close();
  }
}

function declined(io: ProfileIo): number {
  if (io.flags.json) io.out(JSON.stringify({ declined: true }));
  else io.err('Nothing was changed.');
  return EXIT.ok;
}
