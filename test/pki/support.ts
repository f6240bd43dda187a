/** Certificates of any shape for the tests, and openssl as the second opinion. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { keyIdentifier, spki } from '../../src/pki/keys.ts';
import { toPem } from '../../src/pki/pem.ts';
import {
  authorityKeyId,
  basicConstraints,
  buildCertificate,
  type Extension,
  keyUsage,
  nameDer,
  subjectKeyId,
} from '../../src/pki/structure.ts';
import type { LeafSpec } from '../../src/pki/types.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
export const DAY = 86_400_000;

export const leafSpec = (changes: Partial<LeafSpec> = {}): LeafSpec => ({
  id: 'pi1/server',
  role: 'server',
  host: 'pi1',
  anchor: 'client',
  commonName: 'pi1',
  dnsNames: ['pi1.home', 'localhost'],
  ipAddresses: ['10.0.11.1', '127.0.0.1', '::1'],
  keyAlgorithm: 'ecdsa-p256',
  validityDays: 365,
  ...changes,
});

/** A folder for this test file, removed afterwards; returns a function that writes a file there and gives its path. */
export function scratch(): (name: string, content: string | Buffer) => string {
  const folder = mkdtempSync(join(tmpdir(), 'pki-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
}

/** Everything that openssl said, standard output and error together, and its exit code. */
export function openssl(
  args: string[],
  input: string | Buffer = '',
  env: Record<string, string> = {},
): { code: number | null; said: string; out: Buffer } {
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, env: { ...process.env, ...env } });
  return { code: status, said: `${stdout.toString('latin1')}${stderr.toString('latin1')}`, out: stdout };
}

export interface Made {
  pem: string;
  key: KeyObject;
  publicKey: KeyObject;
  name: Buffer;
}

export interface Shape {
  name: string;
  issuer?: Made | undefined;
  /** Signed by this key instead of the issuer's. */
  signer?: KeyObject;
  /** The key pair of this one: an authority that was renewed. */
  sameKeyAs?: Made;
  notBefore?: number;
  notAfter?: number;
  extensions?: Extension[];
  /** Left out: no SKI and AKI. */
  keyIds?: boolean;
  serial?: Uint8Array;
}

/** A certificate exactly as told, right or wrong. */
export async function make({
  name,
  issuer,
  signer,
  sameKeyAs,
  notBefore = NOW - DAY,
  notAfter = NOW + DAY,
  extensions = [],
  keyIds = true,
  serial,
}: Shape): Promise<Made> {
  const { privateKey, publicKey } = sameKeyAs
    ? { privateKey: sameKeyAs.key, publicKey: sameKeyAs.publicKey }
    : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const subject = nameDer({ commonName: name });
  const identifiers = keyIds
    ? [
        subjectKeyId(keyIdentifier(spki(publicKey))),
        authorityKeyId(keyIdentifier(spki(issuer?.publicKey ?? publicKey))),
      ]
    : [];
  const der = await buildCertificate(
    {
      issuer: issuer?.name ?? subject,
      subject,
      notBefore,
      notAfter,
      publicKey: spki(publicKey),
      extensions: [...extensions, ...identifiers],
      ...(serial ? { serial } : {}),
    },
    signer ?? issuer?.key ?? privateKey,
  );
  return { pem: toPem('CERTIFICATE', der), key: privateKey, publicKey, name: subject };
}

export const authority = (pathLength?: number): Extension[] => [
  basicConstraints(true, pathLength),
  keyUsage('keyCertSign', 'cRLSign'),
];
