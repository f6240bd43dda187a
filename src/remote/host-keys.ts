/** Decides whether a host is the one it claims to be, before any secret is sent to it. */
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { WizardError } from '../errors.ts';
import { quote } from '../quote.ts';
import {
  fingerprintOf,
  hostKeyAlgorithms,
  judgeHostKey,
  type KnownHostEntry,
  keyTypeOf,
  knownHostsName,
  parseKnownHosts,
} from './known-hosts.ts';
import type { Prompter } from './prompter.ts';
import { endpointOf, type SshTarget, sshCommand } from './ssh-target.ts';

export class HostKeys {
  readonly #own: string;
  readonly #prompter: Prompter;
  readonly #acceptNew: boolean;
  readonly #files = new Map<string, Promise<KnownHostEntry[]>>();
  /** Accepted in this run, so that a connection made again does not ask again. */
  readonly #accepted: KnownHostEntry[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @param own the wizard's own known_hosts, the only file that is written. */
  constructor(own: string, prompter: Prompter, acceptNew: boolean) {
    this.#own = own;
    this.#prompter = prompter;
    this.#acceptNew = acceptNew;
  }

  /** What to offer, the types on file first. */
  async algorithms(target: SshTarget): Promise<ServerHostKeyAlgorithm[]> {
    return hostKeyAlgorithms(await this.#entries(target), target.knownHostsHost, target.knownHostsPort);
  }

  /**
   * Checks the key that a host offers, asking the person if it is unknown.
   * @returns `new` when it was accepted just now and is to be recorded once the host has proved that it owns the key.
   * @throws WizardError `host-key-unknown`, `host-key-changed`, `host-key-revoked`
   */
  async verify(target: SshTarget, key: Buffer): Promise<'known' | 'new'> {
    const verdict = judgeHostKey(await this.#entries(target), target.knownHostsHost, target.knownHostsPort, key);
    if (verdict.state === 'known') return 'known';
    const offered = fingerprintOf(key);
    const type = keyTypeOf(key);
    if (verdict.state === 'changed') throw changed(target, type, offered, verdict.entry);
    if (verdict.state === 'revoked') throw revoked(target, type, offered, verdict.entry);
    const question = { host: target.host, address: endpointOf(target), type, fingerprint: offered };
    if (!this.#acceptNew && !(await this.#prompter.acceptHostKey(question))) throw unknown(target, type, offered);
    const names = knownHostsName(target.knownHostsHost, target.knownHostsPort);
    this.#accepted.push({ marker: undefined, names, type, key, file: this.#own, line: 0 });
    return 'new';
  }

  /** Writes an accepted key down; entries are one short append each, so that runs at the same time lose nothing. */
  record(target: SshTarget, key: Buffer): Promise<void> {
    const line = `${knownHostsName(target.knownHostsHost, target.knownHostsPort)} ${keyTypeOf(key)} ${key.toString('base64')}\n`;
    const write = async () => {
      await mkdir(dirname(this.#own), { recursive: true, mode: 0o700 });
      const file = await open(this.#own, 'a+', 0o600);
      try {
        await file.chmod(0o600);
        const { size } = await file.stat();
        const last = Buffer.alloc(1);
        if (size > 0) await file.read(last, 0, 1, size - 1);
        // A line cut short by a power failure must not swallow this one.
        await file.appendFile(size > 0 && last.toString() !== '\n' ? `\n${line}` : line);
        await file.sync();
      } finally {
        await file.close();
      }
    };
    this.#writing = this.#writing.then(write, write);
    return this.#writing.catch((cause: Error) => {
      throw new WizardError('state', `The host key of ${target.host} cannot be recorded.`, {
        host: target.host,
        why: `${this.#own}: ${cause.message}`,
        next: [`Make the file writable: ls -l ${quote(this.#own)}`],
        cause,
      });
    });
  }

  async #entries(target: SshTarget): Promise<KnownHostEntry[]> {
    const files = [...target.knownHostsFiles, this.#own];
    const read = files.map((path) => {
      const known = this.#files.get(path) ?? readEntries(path);
      this.#files.set(path, known);
      return known;
    });
    return [...(await Promise.all(read)).flat(), ...this.#accepted];
  }
}

/** A file that is not there holds nothing; one that cannot be read must not make a known host look unknown. */
async function readEntries(path: string): Promise<KnownHostEntry[]> {
  try {
    return parseKnownHosts(await readFile(path, 'utf8'), path);
  } catch (thrown) {
    const cause = thrown as NodeJS.ErrnoException;
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return [];
    throw new WizardError('state', `The known host keys in ${path} cannot be read.`, {
      why: cause.message,
      next: [`ls -l ${quote(path)}`],
      cause,
    });
  }
}

function changed(target: SshTarget, type: string, offered: string, entry: KnownHostEntry): WizardError {
  const name = knownHostsName(target.knownHostsHost, target.knownHostsPort);
  return new WizardError('host-key-changed', `The host key of ${target.host} (${endpointOf(target)}) has changed.`, {
    host: target.host,
    step: 'checking the host key',
    why: `It offers ${type} ${offered}, but ${entry.file}:${entry.line} has ${entry.type} ${fingerprintOf(entry.key)}. Either the host was installed anew, or somebody is in between. Nothing was sent to it.`,
    next: [
      'Compare with what the host itself says, at its own console:',
      ...askTheHost(type),
      'Only if it is the same, remove the old key and run this again:',
      `ssh-keygen -R ${quote(name)} -f ${quote(entry.file)}`,
    ],
  });
}

function revoked(target: SshTarget, type: string, offered: string, entry: KnownHostEntry): WizardError {
  return new WizardError('host-key-revoked', `The host key of ${target.host} (${endpointOf(target)}) is revoked.`, {
    host: target.host,
    step: 'checking the host key',
    why: `${entry.file}:${entry.line} revokes ${type} ${offered}. Whoever has this key may pose as the host. Nothing was sent to it.`,
    next: [
      'Make new host keys at the host’s own console, then run this again:',
      'sudo rm /etc/ssh/ssh_host_*_key*',
      'sudo ssh-keygen -A',
    ],
  });
}

function unknown(target: SshTarget, type: string, offered: string): WizardError {
  return new WizardError('host-key-unknown', `The host key of ${target.host} (${endpointOf(target)}) is unknown.`, {
    host: target.host,
    step: 'checking the host key',
    why: `It offers ${type} ${offered}; no known_hosts file has it, and nobody accepted it. Nothing was sent to it.`,
    next: [
      'Compare with what the host itself says:',
      ...askTheHost(type),
      'Accept it by connecting once, or run this again with --accept-new-host-keys:',
      sshCommand(target),
    ],
  });
}

const askTheHost = (type: string): string[] => {
  const name = type.startsWith('ecdsa') ? 'ecdsa' : type.replace(/^ssh-/, '').replace(/[^a-z0-9]/g, '');
  return [`ssh-keygen -lf /etc/ssh/ssh_host_${name}_key.pub`];
};
