/**
 * What the controller keeps of one cluster, in `$XDG_STATE_HOME/etcd-wizard/CLUSTER/` (0700):
 * CA certificates and keys, public certificates of members, client bundles, the journal.
 */
import { appendFile, chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { WizardError } from '../errors.ts';
import type { TlsCredentials } from '../health/types.ts';
import type { Anchor, IssuedLeaf } from '../pki/types.ts';
import type { ControllerState, Resolved } from '../plan/types.ts';
import { readIfThere, readJson, writeAtomic } from './files.ts';

const CA_FILES: Record<Anchor, { certificate: string; key: string }> = {
  client: { certificate: 'ca.pem', key: 'ca-key.pem' },
  peer: { certificate: 'peer-ca.pem', key: 'peer-ca-key.pem' },
};

type Issued = ControllerState['issued'];
/** Decided or learnt once; absent fields are not known yet. */
interface ClusterRecord {
  resolved?: Partial<Resolved>;
  bootstrappedAt?: number;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isIssued = (value: unknown): value is Issued =>
  isObject(value) &&
  Object.values(value).every(
    (entry) => isObject(entry) && typeof entry.certificatePem === 'string' && typeof entry.keySha256 === 'string',
  );
const isRecord = (value: unknown): value is ClusterRecord =>
  isObject(value) &&
  (value.resolved === undefined || isObject(value.resolved)) &&
  (value.bootstrappedAt === undefined || typeof value.bootstrappedAt === 'number');

/** The state folder of one cluster. Every write is atomic; keys are 0600. */
export class ClusterState {
  readonly folder: string;
  #saving: Promise<void> = Promise.resolve();

  constructor(stateFolder: string, cluster: string) {
    this.folder = join(stateFolder, cluster);
  }

  /** Everything that planning needs; no secret in it. @throws WizardError `state` for damaged files */
  async read(): Promise<ControllerState> {
    const [record, issued, client, peer, clients] = await Promise.all([
      readJson(this.#path('cluster.json'), isRecord),
      this.issued(),
      this.#ca('client'),
      this.#ca('peer'),
      this.#clients(),
    ]);
    return {
      ...(record?.resolved && { resolved: record.resolved }),
      ...(record?.bootstrappedAt !== undefined && { bootstrappedAt: record.bootstrappedAt }),
      ca: { ...(client && { client }), ...(peer && { peer }) },
      issued,
      clients,
    };
  }

  /** What was recorded of certificates on hosts. @throws WizardError `state` when the file is damaged */
  async issued(): Promise<Issued> {
    return (await readJson(this.#path('issued.json'), isIssued)) ?? {};
  }

  /** The CA's key as stored, possibly encrypted. */
  async caKey(anchor: Anchor): Promise<string | undefined> {
    return readIfThere(this.#path(CA_FILES[anchor].key));
  }

  /** Where that key lies, for messages. */
  caKeyPath(anchor: Anchor): string {
    return this.#path(CA_FILES[anchor].key);
  }

  /** The key first: a certificate without its key would look like a CA that somebody else holds. */
  async saveCa(anchor: Anchor, ca: { certificatePem: string; keyPem: string }): Promise<void> {
    await this.#prepare();
    await writeAtomic(this.#path(CA_FILES[anchor].key), ca.keyPem, 0o600);
    await writeAtomic(this.#path(CA_FILES[anchor].certificate), ca.certificatePem, 0o644);
  }

  async saveResolved(resolved: Resolved): Promise<void> {
    await this.#update((record) => ({ ...record, resolved }));
  }

  async markBootstrapped(at: number): Promise<void> {
    await this.#update((record) => ({ ...record, bootstrappedAt: record.bootstrappedAt ?? at }));
  }

  /** Records certificates that now lie on hosts, with the sum of the key file beside each. */
  async saveIssued(entries: Issued): Promise<void> {
    // Hosts finish in parallel; each must find what the one before it wrote.
    const save = this.#saving.then(async () => {
      await this.#prepare();
      const before = (await readJson(this.#path('issued.json'), isIssued)) ?? {};
      await writeAtomic(this.#path('issued.json'), `${JSON.stringify({ ...before, ...entries }, null, 2)}\n`, 0o600);
    });
    this.#saving = save.catch(() => undefined);
    return save;
  }

  /**
   * A client bundle of the controller's own: the only leaf keys that lie here. One file for key and certificate,
   * so that the pair is switched as a pair.
   */
  async saveClient(leaf: IssuedLeaf): Promise<void> {
    await this.#prepare();
    await writeAtomic(
      this.#clientFile(leaf.spec.commonName),
      `${leaf.keyPem.trim()}\n${leaf.certificatePem.trim()}\n`,
      0o600,
    );
  }

  /** @returns the bundle in memory, or undefined when that client has none or the CA's certificate is not here. */
  async client(name: string): Promise<Required<TlsCredentials> | undefined> {
    const [bundle, caPem] = await Promise.all([
      readIfThere(this.#clientFile(name)),
      readIfThere(this.#path(CA_FILES.client.certificate)),
    ]);
    if (bundle === undefined || caPem === undefined) return undefined;
    const path = this.#path(CA_FILES.client.certificate);
    if (!/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.test(caPem)) {
      throw new WizardError('state', `${path} is damaged.`, {
        why: 'It holds no whole certificate; it may have been cut off by a full disk.',
        next: ['Put it back from a backup. It is no secret and lies on every host too: /etc/etcd/ssl/ca.pem'],
      });
    }
    const blocks = bundle.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? [];
    const keyPem = blocks.find((block) => block.includes('PRIVATE KEY'));
    const certificates = blocks.filter((block) => block.includes('BEGIN CERTIFICATE'));
    return keyPem === undefined || certificates.length === 0
      ? undefined
      : { caPem, certPem: `${certificates.join('\n')}\n`, keyPem: `${keyPem}\n` };
  }

  /** Appends one line to the journal. What is written must hold no secret; events never do. */
  async journal(entry: Record<string, unknown>): Promise<void> {
    await this.#prepare();
    await appendFile(this.#path('journal.ndjson'), `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  async #prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const { mode } = await stat(this.folder);
    if ((mode & 0o077) !== 0) await chmod(this.folder, 0o700);
  }

  async #update(change: (record: ClusterRecord) => ClusterRecord): Promise<void> {
    await this.#prepare();
    const before = (await readJson(this.#path('cluster.json'), isRecord)) ?? {};
    const after = `${JSON.stringify(change(before), null, 2)}\n`;
    if (after !== `${JSON.stringify(before, null, 2)}\n`) await writeAtomic(this.#path('cluster.json'), after, 0o600);
  }

  async #ca(anchor: Anchor): Promise<{ certificatePem: string; hasKey: boolean } | undefined> {
    const [certificatePem, key] = await Promise.all([
      readIfThere(this.#path(CA_FILES[anchor].certificate)),
      this.caKey(anchor),
    ]);
    return certificatePem === undefined ? undefined : { certificatePem, hasKey: key !== undefined };
  }

  async #clients(): Promise<Record<string, string>> {
    let files: string[];
    try {
      files = await readdir(this.#path('clients'));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw new WizardError('state', `Could not read ${this.#path('clients')}.`, {
        why: (cause as Error).message,
        cause,
      });
    }
    const entries = await Promise.all(
      files
        .filter((file) => /^[A-Za-z0-9][A-Za-z0-9._:@-]*\.pem$/.test(file))
        .map(async (file) => {
          const name = file.slice(0, -'.pem'.length);
          const bundle = await this.client(name);
          return bundle ? [[name, bundle.certPem] as const] : [];
        }),
    );
    return Object.fromEntries(entries.flat());
  }

  /** Client names are checked by the profile's schema: no slash, no leading dot. */
  #clientFile(name: string): string {
    return join(this.#path('clients'), `${name}.pem`);
  }
}
