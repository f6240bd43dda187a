/** `certs export`. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EXIT, WizardError } from '../errors.ts';
import { openProfile } from '../profile/store.ts';
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
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files: [file: string, content: string | Buffer, mode: number][] = [
    ['ca.pem', bundle.caPem, 0o644],
    [`${client.commonName}.pem`, bundle.certPem, 0o644],
    [`${client.commonName}-key.pem`, bundle.keyPem, 0o600],
  ];
  if (!options.force) {
    for (const [file, content] of files) {
      const before = await readIfThere(join(folder, file));
      if (before !== undefined && before !== content)
        throw new WizardError('bad-input', `${join(folder, file)} is there already and is another one.`, {
          next: ['Choose another folder, or replace it with --force.'],
        });
    }
  }
  if (options.p12) {
    const { exportP12 } = await import('../pki/index.ts');
    const passphrase = options.p12PasswordFile ? await readSecretFile(options.p12PasswordFile) : await askPassword(io);
    files.push([
      `${client.commonName}.p12`,
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
    io.err(
      `Try it: etcdctl --endpoints ${profile.hosts.map((host) => `https://${host.address}:${host.clientPort ?? profile.etcd.clientPort}`).join(',')} --cacert ${join(folder, 'ca.pem')} --cert ${join(folder, `${client.commonName}.pem`)} --key ${join(folder, `${client.commonName}-key.pem`)} endpoint health`,
    );
  }
  return EXIT.ok;
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
