/** `certs export`. */
import { join, resolve } from 'node:path';
import { EXIT, WizardError } from '../errors.ts';
import { membersOf } from '../etcd/members.ts';
import { openProfile } from '../profile/store.ts';
import { quoteAll } from '../quote.ts';
import { ClusterState } from '../state/cluster.ts';
import { readIfThere, writeAtomic } from '../state/files.ts';
import { readSecretFile } from '../state/secret-file.ts';
import type { CommandIo } from './io.ts';

interface ExportOptions {
  client: string;
  out: string;
  p12?: boolean;
  p12PasswordFile?: string;
  force?: boolean;
}

/** Writes `ca.pem`, `NAME.pem`, `NAME-key.pem` (0600) and, when wanted, `NAME.p12` (0600). @returns 0 */
export async function exportClient(io: CommandIo, name: string, options: ExportOptions): Promise<number> {
  const { profile } = await openProfile(io, name);
  const client = profile.certificates.clients.find(({ commonName }) => commonName === options.client);
  if (!client) {
    throw new WizardError('bad-input', `${profile.name} has no client «${options.client}».`, {
      why: `Its clients are: ${profile.certificates.clients.map(({ commonName }) => commonName).join(', ') || 'none'}.`,
      next: ['Add it under certificates.clients in the profile and run:', `etcd-wizard replay ${name}`],
    });
  }
  const bundle = await new ClusterState(io.paths.state, profile.name).client(client.commonName);
  if (!bundle) {
    throw new WizardError('state', `The certificate of «${client.commonName}» is not on this machine.`, {
      why: 'It is made by a replay, on the machine that runs it.',
      next: [`etcd-wizard replay ${name}`],
    });
  }
  const folder = resolve(options.out);
  const files: [file: string, content: string | Buffer, mode: number][] = [
    ['ca.pem', bundle.caPem, 0o644],
    [`${client.commonName}.pem`, bundle.certPem, 0o644],
    [`${client.commonName}-key.pem`, bundle.keyPem, 0o600],
  ];
  const wantsP12 = options.p12 === true || options.p12PasswordFile !== undefined;
  const p12File = `${client.commonName}.p12`;
  if (options.force !== true) await refuseOthers(folder, files, wantsP12 ? [p12File] : []);
  if (wantsP12) {
    const { exportP12 } = await import('../pki/index.ts');
    const passphrase = options.p12PasswordFile ? await readSecretFile(options.p12PasswordFile) : await askPassword(io);
    files.push([
      p12File,
      exportP12({
        certificatePem: bundle.certPem,
        keyPem: bundle.keyPem,
        caPem: bundle.caPem,
        name: client.commonName,
        passphrase,
      }),
      0o600,
    ]);
  }
  for (const [file, content, mode] of files) await writeAtomic(join(folder, file), content, mode);
  if (io.flags.json)
    io.out(JSON.stringify({ client: client.commonName, files: files.map(([file]) => join(folder, file)) }));
  else {
    for (const [file] of files) io.out(join(folder, file));
    const endpoints = membersOf(profile).map(({ clientUrl }) => clientUrl);
    const [caFile, certFile, keyFile] = files.map(([file]) => join(folder, file)) as [string, string, string];
    const command = ['etcdctl', '--endpoints', endpoints.join(','), '--cacert', caFile, '--cert', certFile];
    io.err(`Try it:\n${quoteAll([...command, '--key', keyFile, 'endpoint', 'health'])}`);
  }
  return EXIT.ok;
}

/** What is there already and is not the same; a .p12 is never the same twice, so any counts. */
async function refuseOthers(
  folder: string,
  files: readonly [file: string, content: string | Buffer, mode: number][],
  always: readonly string[],
): Promise<void> {
  const wanted = [...files.map(([file, content]) => ({ file, content })), ...always.map((file) => ({ file }))];
  for (const each of wanted) {
    const path = join(folder, each.file);
    const before = await readIfThere(path);
    if (before === undefined || ('content' in each && before === each.content)) continue;
    throw new WizardError('bad-input', `${path} is there already and is another one.`, {
      next: ['Choose another folder, or replace it with --force.'],
    });
  }
}

async function askPassword(io: CommandIo): Promise<string> {
  const { interactionOf } = await import('../front/run.ts');
  const password = await (await interactionOf(io)).secret({
    id: 'p12',
    kind: 'p12-password',
    prompt: 'A password for the .p12 file',
    retry: false,
  });
  if (!password)
    throw new WizardError('no-terminal', 'The .p12 file needs a password.', {
      next: ['Give it with --p12-password-file FILE.'],
    });
  return password;
}
