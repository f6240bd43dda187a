/**
 * known_hosts as sshd(8), «SSH_KNOWN_HOSTS FILE FORMAT», describes it: plain, hashed, [host]:port, wildcards, negation,
 * @revoked. Pure; reading and writing files is {@link file://./host-keys.ts}'s work.
 */
import { createHash, createHmac } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';

export interface KnownHostEntry {
  /** `@cert-authority` lines are parsed and then ignored: ssh2 knows no host certificates, so such a host is unknown. */
  marker: 'revoked' | 'cert-authority' | undefined;
  /** Comma-separated patterns, or one hashed name. */
  names: string;
  type: string;
  key: Buffer;
  file: string;
  /** Counted from 1. */
  line: number;
}

export type HostKeyVerdict =
  | { state: 'known' }
  | { state: 'unknown' }
  | { state: 'changed'; entry: KnownHostEntry }
  | { state: 'revoked'; entry: KnownHostEntry };

/** Lines that are no entries (comments, SSH 1 keys, damaged ones) are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHostEntry[] {
  return text.split('\n').flatMap((raw, index): KnownHostEntry[] => {
    const fields = raw.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') ? fields.shift()?.slice(1) : undefined;
    const [names, type, encoded] = fields;
    if (!names || names.startsWith('#') || !type || !encoded) return [];
    if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return [];
    const key = Buffer.from(encoded, 'base64');
    return keyTypeOf(key) === type ? [{ marker, names, type, key, file, line: index + 1 }] : [];
  });
}

/** The name under which a host is on file: `[host]:port` off port 22, lower case. */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Whether the names field of an entry (patterns with `*`, `?` and `!`, or a hash) covers the name. */
export function coversName(names: string, name: string): boolean {
  if (names.startsWith('|')) return matchesHash(names, name);
  let covered = false;
  for (const pattern of names.toLowerCase().split(',')) {
    if (pattern.startsWith('!')) {
      if (matchesWildcard(pattern.slice(1), name)) return false;
    } else if (matchesWildcard(pattern, name)) covered = true;
  }
  return covered;
}

/** `|1|base64 salt|base64 HMAC-SHA1(salt, name)`. */
function matchesHash(names: string, name: string): boolean {
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || !salt || !hash) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** ssh's patterns: `*` any characters, `?` one; everything else is literal. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/**
 * What the files say of a key that a host offers.
 * A host that is on file with other keys only has changed, even when the offered type is new: its known types were
 * asked for first, so it does not have them any more (OpenSSH would ask; a tool that runs unattended must stop).
 */
export function judgeHostKey(
  entries: readonly KnownHostEntry[],
  host: string,
  port: number,
  key: Buffer,
): HostKeyVerdict {
  const mine = entries.filter((entry) => coversName(entry.names, knownHostsName(host, port)));
  const same = (entry: KnownHostEntry) => entry.key.equals(key);
  const revoked = mine.find((entry) => entry.marker === 'revoked' && same(entry));
  if (revoked) return { state: 'revoked', entry: revoked };
  const plain = mine.filter((entry) => entry.marker === undefined);
  if (plain.some(same)) return { state: 'known' };
  const type = keyTypeOf(key);
  const other = plain.find((entry) => entry.type === type) ?? plain.find((entry) => entry.type in ALGORITHMS);
  if (other) return { state: 'changed', entry: other };
  // Like OpenSSH: off port 22 a key on file without the port is as good, a different one means nothing.
  if (port !== 22) {
    const bare = judgeHostKey(entries, host, 22, key);
    if (bare.state === 'known' || bare.state === 'revoked') return bare;
  }
  return { state: 'unknown' };
}

/** Signature algorithms by key type, as far as ssh2 has them, in order of preference. */
const ALGORITHMS: Record<string, ServerHostKeyAlgorithm[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  // Not «ssh-rsa», which signs with SHA-1: OpenSSH refuses it too.
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Algorithms to offer, the types on file first: else a host known by its RSA key would seem unknown. */
export function hostKeyAlgorithms(
  entries: readonly KnownHostEntry[],
  host: string,
  port: number,
): ServerHostKeyAlgorithm[] {
  const names = [knownHostsName(host, port), knownHostsName(host, 22)];
  const onFile = names.flatMap((name) =>
    entries.filter((entry) => entry.marker === undefined && coversName(entry.names, name)).map((entry) => entry.type),
  );
  const types = [...onFile.filter((type) => type in ALGORITHMS), ...Object.keys(ALGORITHMS)];
  return [...new Set(types.flatMap((type) => ALGORITHMS[type] ?? []))];
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type of a public key blob: its first string (RFC 4253, 6.6). */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length <= 64 && key.length >= 4 + length ? key.toString('latin1', 4, 4 + length) : '';
}
