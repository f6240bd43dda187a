/** Certificates whose time is nearly or quite over: issued again by the cluster's own CA, as if long ago. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectCertificate } from '../../src/pki/index.ts';
import { must } from '../setup/process.ts';
import type { Host } from './host.ts';

const DAY_MS = 86_400_000;

export interface Age {
  /** Days that they are good for, and how many of them are over. */
  days: number;
  past: number;
}

/** `openssl ca` and not the project's own issuing, which refuses dates before its CA's. */
const CONFIG = `[ca]
default_ca = c
[c]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = p
unique_subject = no
[p]
commonName = supplied
`;

const openSslTime = (epoch: number): string => new Date(epoch).toISOString().replace(/[-:T]|\.\d+/g, '');

/** @returns a certificate for the same key with the same names and usages, of the given age */
async function aged(pem: string, keyPem: string, ca: string, state: string, { days, past }: Age): Promise<string> {
  const { commonName, dnsNames, ipAddresses, extendedKeyUsage = [] } = inspectCertificate(pem);
  const folder = join(state, '..', 'aged');
  await mkdir(folder, { recursive: true });
  const write = (name: string, content: string): Promise<void> => writeFile(join(folder, name), content);
  const names = [...dnsNames.map((name) => `DNS:${name}`), ...ipAddresses.map((address) => `IP:${address}`)].join(',');
  const extensions = `[e]\nextendedKeyUsage = ${extendedKeyUsage.join(',')}\nauthorityKeyIdentifier = keyid\n`;
  await write('config', CONFIG + extensions + (names === '' ? '' : `subjectAltName = ${names}\n`));
  await write('index', '');
  await write('key', keyPem);
  const run = (...args: string[]): Promise<string> => must('openssl', args, { cwd: folder });
  await run('req', '-new', '-key', 'key', '-subj', `/CN=${commonName}`, '-out', 'csr');
  const begin = Date.now() - past * DAY_MS;
  const dates = ['-startdate', openSslTime(begin), '-enddate', openSslTime(begin + days * DAY_MS)];
  const authority = ['-cert', join(state, `${ca}.pem`), '-keyfile', join(state, `${ca}-key.pem`)];
  const args = ['-batch', '-notext', '-config', 'config', '-extensions', 'e', '-in', 'csr', '-out', 'cert'];
  await run('ca', ...args, ...dates, ...authority);
  return await readFile(join(folder, 'cert'), 'utf8');
}

/** @param state the cluster's state folder on the controller */
export async function ageHost(host: Host, state: string, age: Age): Promise<void> {
  for (const role of ['server', 'peer', 'client']) {
    const path = `/etc/etcd/ssl/${role}`;
    const [pem, key] = [await host.read(`${path}.pem`), await host.read(`${path}-key.pem`)];
    const input = await aged(pem, key, role === 'peer' ? 'peer-ca' : 'ca', state, age);
    // Into the file, not over it: mode and owner stay.
    await host.sh('cat >"$1"', { args: [`${path}.pem`], input });
  }
}

/** The same for a client bundle on the controller: one file, key first. */
export async function ageClient(name: string, state: string, age: Age): Promise<void> {
  const path = join(state, 'clients', `${name}.pem`);
  const bundle = await readFile(path, 'utf8');
  const begin = bundle.indexOf('-----BEGIN CERTIFICATE');
  const key = bundle.slice(0, begin);
  await writeFile(path, key + (await aged(bundle.slice(begin), key, 'ca', state, age)));
}
