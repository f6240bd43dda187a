/** A real etcd cluster on loopback with mutual TLS, for tests: certificates from the project's own authority. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/embedded/ports.ts';
import type { Member } from '../../src/etcd/members.ts';
import type { TlsCredentials } from '../../src/health/types.ts';
import { createCa, SelfSignedAuthority } from '../../src/pki/index.ts';
import type { IssuedLeaf, LeafSpec } from '../../src/pki/types.ts';

export interface Authority {
  caPem: string;
  /** Certificate and key; `daysAgo` shifts the moment of issue into the past. */
  issue(spec: Partial<LeafSpec> & { role: LeafSpec['role'] }, daysAgo?: number): Promise<IssuedLeaf>;
}

export async function makeAuthority(commonName = 'test-ca'): Promise<Authority> {
  const ca = await createCa({
    commonName,
    keyAlgorithm: 'ecdsa-p256',
    validityDays: 3650,
    now: Date.now() - 900 * 86_400_000,
  });
  return {
    caPem: ca.certificatePem,
    issue: async (spec, daysAgo = 0) => {
      const authority = new SelfSignedAuthority({ client: ca, peer: ca, now: () => Date.now() - daysAgo * 86_400_000 });
      const [leaf] = await authority.issue([
        {
          id: 'leaf',
          anchor: 'client',
          commonName: 'test',
          dnsNames: [],
          ipAddresses: [],
          keyAlgorithm: 'ecdsa-p256',
          validityDays: 100,
          ...spec,
        },
      ]);
      if (leaf === undefined) throw new Error('nothing was issued');
      return leaf;
    },
  };
}

export const credentialsOf = (caPem: string, leaf: IssuedLeaf): TlsCredentials => ({
  caPem,
  certPem: leaf.certificatePem,
  keyPem: leaf.keyPem,
});

export class TestCluster {
  readonly members: Member[];
  readonly authority: Authority;
  readonly credentials: TlsCredentials;
  readonly folder: string;
  readonly #binary: string;
  readonly #running = new Map<string, ChildProcess>();
  readonly #extra: readonly string[];

  private constructor(parts: {
    members: Member[];
    authority: Authority;
    credentials: TlsCredentials;
    folder: string;
    binary: string;
    extra: readonly string[];
  }) {
    this.members = parts.members;
    this.authority = parts.authority;
    this.credentials = parts.credentials;
    this.folder = parts.folder;
    this.#binary = parts.binary;
    this.#extra = parts.extra;
  }

  /** Makes certificates and folders; nothing runs yet. */
  static async create(binary: string, count = 3, extra: readonly string[] = []): Promise<TestCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'etcd-wizard-health-'));
    const authority = await makeAuthority();
    const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
    const server = await authority.issue({ role: 'server', commonName: 'member', ...names });
    const client = await authority.issue({ role: 'client', commonName: 'root' });
    await Promise.all(
      Object.entries({
        'ca.pem': authority.caPem,
        'server.pem': server.certificatePem,
        'server-key.pem': server.keyPem,
        'client.pem': client.certificatePem,
        'client-key.pem': client.keyPem,
      }).map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o600 })),
    );
    const ports = await freePorts(count * 2);
    const members = Array.from({ length: count }, (_, index): Member => {
      const [clientPort = 0, peerPort = 0] = ports.slice(index * 2);
      return {
        name: `m${index + 1}`,
        address: '127.0.0.1',
        clientPort,
        peerPort,
        clientUrl: `https://127.0.0.1:${clientPort}`,
        peerUrl: `https://127.0.0.1:${peerPort}`,
      };
    });
    return new TestCluster({
      members,
      authority,
      credentials: credentialsOf(authority.caPem, client),
      folder,
      binary,
      extra,
    });
  }

  get endpoints() {
    return this.members.map(({ name, clientUrl }) => ({ name, url: clientUrl }));
  }

  member(name: string): Member {
    const found = this.members.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  }

  /** Starts members and returns at once. */
  start(...names: string[]): void {
    for (const name of names) {
      const { clientUrl, peerUrl } = this.member(name);
      const tls = (prefix: string, trust: string) => [
        `--${prefix}cert-file=server.pem`,
        `--${prefix}key-file=server-key.pem`,
        `--${prefix}client-cert-auth`,
        `--${trust}=ca.pem`,
      ];
      const args = [
        `--name=${name}`,
        `--data-dir=${name}.etcd`,
        `--listen-client-urls=${clientUrl}`,
        `--advertise-client-urls=${clientUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=${this.members.map((each) => `${each.name}=${each.peerUrl}`).join(',')}`,
        '--logger=zap',
        '--log-level=error',
        ...tls('', 'trusted-ca-file'),
        ...tls('peer-', 'peer-trusted-ca-file'),
        ...this.#extra,
      ];
      this.#running.set(name, spawn(this.#binary, args, { cwd: this.folder, stdio: 'ignore' }));
    }
  }

  async stop(...names: string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const child = this.#running.get(name);
        this.#running.delete(name);
        if (child === undefined || child.exitCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
  }

  async remove(): Promise<void> {
    await this.stop(...this.#running.keys());
    await rm(this.folder, { recursive: true, force: true });
  }
}
