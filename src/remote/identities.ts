/** Keys to log in with: read from files once for all hosts, decrypted only when a host would take them, or held by the agent. */
import { readFile } from 'node:fs/promises';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { quote } from '../quote.ts';
import type { Prompter } from './prompter.ts';
import type { SshTarget } from './ssh-target.ts';

export type Ssh2 = typeof import('ssh2');

export interface Identity {
  /** For messages: the file's path or «agent key COMMENT». */
  label: string;
  /** May ask for a passphrase where the file does not show its public half. */
  publicKey(): Promise<ParsedKey | undefined>;
  /** May ask for a passphrase. @throws Error */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

type KeyFile =
  | { state: 'private'; key: ParsedKey }
  | { state: 'encrypted'; key: ParsedKey | undefined; data: Buffer }
  | { state: 'public'; key: ParsedKey }
  | { state: 'missing' | 'broken'; why: string };

const AGENT_PATIENCE_MS = 5_000;
const PASSPHRASE_TRIES = 3;

export class Identities {
  readonly #ssh2: Ssh2;
  readonly #prompter: Prompter;
  readonly #files = new Map<string, Promise<KeyFile>>();
  readonly #unlocked = new Map<string, Promise<ParsedKey | undefined>>();

  constructor(ssh2: Ssh2, prompter: Prompter) {
    this.#ssh2 = ssh2;
    this.#prompter = prompter;
  }

  /**
   * What to try, in order: files named, default files, then what else the agent holds (sshd gives up after MaxAuthTries).
   * A key that is both a file and in the agent is signed by the agent, which needs no passphrase.
   * @param notes gets what could not be used and why
   * @throws WizardError `authentication` when the profile names a key that cannot be used
   */
  async of(target: SshTarget, notes: string[]): Promise<Identity[]> {
    const agent = target.agent === undefined ? undefined : this.#ssh2.createAgent(target.agent);
    const held = agent === undefined ? [] : await this.#heldBy(agent, target.agent ?? '', notes);
    const identities: Identity[] = [];
    const used = new Set<string>();
    for (const { path, from } of target.identityFiles) {
      const file = await this.#file(path);
      if ('why' in file) {
        if (from === 'profile') throw unusable(target, path, file.why);
        if (from === 'config' || file.state === 'broken') notes.push(`${path}: ${file.why}`);
        continue;
      }
      const fingerprint = file.key?.getPublicSSH().toString('base64');
      if (fingerprint !== undefined && used.has(fingerprint)) continue;
      if (fingerprint !== undefined) used.add(fingerprint);
      const inAgent = held.find((key) => key.getPublicSSH().toString('base64') === fingerprint);
      if (agent && inAgent) identities.push(agentIdentity(agent, inAgent, path));
      else if (file.state === 'public')
        notes.push(`${path}: a public key, and the agent does not hold its private half`);
      else identities.push(this.#fileIdentity(path, file));
    }
    if (agent && !target.identitiesOnly) {
      for (const key of held) {
        if (!used.has(key.getPublicSSH().toString('base64')))
          identities.push(agentIdentity(agent, key, `agent key ${cleanLine(key.comment || key.type)}`));
      }
    }
    return identities;
  }

  #fileIdentity(path: string, file: Extract<KeyFile, { state: 'private' | 'encrypted' }>): Identity {
    const open = async () => (file.state === 'private' ? file.key : await this.#unlock(path, file.data));
    return {
      label: path,
      publicKey: async () => file.key ?? (await open()),
      sign: async (data, hash) => {
        const key = await open();
        if (key === undefined) throw new Error(`${path} stays locked`);
        const signature: Buffer | Error = key.sign(data, hash);
        if (signature instanceof Error) throw signature;
        return signature;
      },
    };
  }

  #file(path: string): Promise<KeyFile> {
    const file = this.#files.get(path) ?? this.#read(path);
    this.#files.set(path, file);
    return file;
  }

  async #read(path: string): Promise<KeyFile> {
    let data: Buffer;
    try {
      data = await readFile(path);
    } catch (thrown) {
      const cause = thrown as NodeJS.ErrnoException;
      const shown = await this.#publicHalf(path);
      // The private half may live in the agent alone (a hardware key).
      if (shown) return { state: 'public', key: shown };
      return cause.code === 'ENOENT'
        ? { state: 'missing', why: 'no such file' }
        : { state: 'broken', why: cause.message };
    }
    const key = this.#parse(data);
    if (!(key instanceof Error)) return { state: key.isPrivateKey() ? 'private' : 'public', key };
    if (/encrypted|passphrase/i.test(key.message)) {
      return { state: 'encrypted', key: this.#shownIn(data) ?? (await this.#publicHalf(path)), data };
    }
    return { state: 'broken', why: `not a key that can be used here (${cleanLine(key.message)})` };
  }

  #parse(data: Buffer, passphrase?: string): ParsedKey | Error {
    const parsed: ParsedKey | Error | ParsedKey[] = this.#ssh2.utils.parseKey(data, passphrase);
    return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key inside')) : parsed;
  }

  async #publicHalf(path: string): Promise<ParsedKey | undefined> {
    const data = await readFile(`${path}.pub`).catch(() => undefined); // optional beside the private key
    const key = data === undefined ? undefined : this.#parse(data);
    return key instanceof Error ? undefined : key;
  }

  /** OpenSSH's own format keeps the public key in clear text before the encrypted part (PROTOCOL.key). */
  #shownIn(data: Buffer): ParsedKey | undefined {
    const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(data.toString('latin1'))?.[1];
    if (body === undefined) return undefined;
    const blob = Buffer.from(body, 'base64');
    let at = 'openssh-key-v1\0'.length;
    const next = (): Buffer => {
      const start = at + 4;
      at = start + blob.readUInt32BE(at);
      return blob.subarray(start, at);
    };
    try {
      next(); // cipher
      next(); // key derivation
      next(); // its options
      at += 4; // number of keys
      const key = this.#parse(Buffer.from(`${typeOf(blob, at)} ${next().toString('base64')}`));
      return key instanceof Error ? undefined : key;
    } catch (cause) {
      if (cause instanceof RangeError) return undefined; // cut short: reported when it is decrypted
      throw cause;
    }
  }

  /** Asks at most three times, once for all hosts. */
  #unlock(path: string, data: Buffer): Promise<ParsedKey | undefined> {
    const ask = async (): Promise<ParsedKey | undefined> => {
      let wrong: string | undefined;
      for (let tries = 0; tries < PASSPHRASE_TRIES; tries++) {
        const question = {
          id: `key-passphrase:${path}`,
          kind: 'key-passphrase' as const,
          prompt: `Passphrase of ${path}`,
        };
        const passphrase = await this.#prompter.secret(question, wrong);
        if (passphrase === undefined) return undefined;
        const key = this.#parse(data, passphrase);
        if (!(key instanceof Error)) return key;
        wrong = passphrase;
      }
      return undefined;
    };
    const unlocked = this.#unlocked.get(path) ?? ask();
    this.#unlocked.set(path, unlocked);
    return unlocked;
  }

  async #heldBy(agent: BaseAgent, socket: string, notes: string[]): Promise<ParsedKey[]> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const keys = await new Promise<readonly unknown[]>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error('it does not answer')), AGENT_PATIENCE_MS);
        agent.getIdentities((error, found) => (error ? reject(error) : resolve(found ?? [])));
      });
      return keys.flatMap((key) => {
        const parsed = this.#ssh2.utils.parseKey(key as Buffer);
        return parsed instanceof Error ? [] : [parsed];
      });
    } catch (error) {
      notes.push(`SSH agent ${socket}: ${cleanLine((error as Error).message)}`);
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}

function agentIdentity(agent: BaseAgent, key: ParsedKey, label: string): Identity {
  return {
    label,
    publicKey: async () => key,
    sign: (data, hash) =>
      new Promise((resolve, reject) => {
        const options = hash === undefined ? {} : { hash: hash as 'sha1' | 'sha256' | 'sha512' };
        agent.sign(key, data, options, (error, signature) => {
          if (error || !signature) reject(error ?? new Error('the agent gave no signature'));
          else resolve(signature);
        });
      }),
  };
}

/** Type name inside the key blob that begins at an offset. */
const typeOf = (blob: Buffer, at: number): string =>
  blob.toString('latin1', at + 8, at + 8 + blob.readUInt32BE(at + 4));

function unusable(target: SshTarget, path: string, why: string): WizardError {
  return new WizardError('authentication', `The key file ${path} of ${target.host} cannot be used.`, {
    host: target.host,
    step: 'reading the SSH key',
    why,
    next: [
      'Correct ssh.identityFile in the profile, or make the file a private key that you may read:',
      `ls -l ${quote(path)}`,
    ],
  });
}
