/** Opens SSH connections to all hosts of a profile at once; the only place from which ssh2 is loaded, and only then. */
import { setMaxListeners } from 'node:events';
import type { Client } from 'ssh2';
import { asWizardError, WizardError } from '../errors.ts';
import type { ProfileHost } from '../profile/schema.ts';
import { DIRECT, openConnection, type Route, type Session } from './connection.ts';
import { dialThrough } from './dial.ts';
import { HostKeys } from './host-keys.ts';
import { Identities } from './identities.ts';
import { Prompter } from './prompter.ts';
import { SshTransport } from './ssh.ts';
import { endpointOf, parseHop, resolveTarget, type SshTarget, type TargetOptions } from './ssh-target.ts';
import type { ConnectQuestions, Transport } from './transport.ts';

export interface ConnectOptions extends TargetOptions {
  questions: ConnectQuestions;
  /** Unknown host keys are accepted and recorded without asking; changed ones never are. */
  acceptNewHostKeys: boolean;
  /** HOME, USER, SSH_AUTH_SOCK, PATH. */
  environment: NodeJS.ProcessEnv;
  /** The wizard's own known_hosts file; the person's files are only read. */
  ownKnownHosts: string;
  /** From the environment or a file: tried once a host. */
  sudoPassword?: string;
  signal?: AbortSignal;
  onState?: (host: string, state: 'connecting' | 'connected' | 'failed', detail: string) => void;
  /** Milliseconds that a host may take to answer; default 15 000. */
  readyMs?: number;
  /** Milliseconds between signs of life; default 10 000. */
  keepaliveMs?: number;
}

/** What is needed of a host to reach it. */
export type ConnectHost = Pick<ProfileHost, 'name' | 'address' | 'ssh'>;

/**
 * Connects to all hosts in parallel, one connection a host, one shared connection to each bastion.
 * Never rejects for a host's sake: its error is its entry. Close each transport when done.
 */
export async function openTransports(
  hosts: readonly ConnectHost[],
  options: ConnectOptions,
): Promise<Map<string, Transport | WizardError>> {
  const connector = await Connector.start(options);
  const opened = hosts.map(
    async (host): Promise<[string, Transport | WizardError]> => [
      host.name,
      await connector.open(host).catch(asWizardError),
    ],
  );
  return new Map(await Promise.all(opened));
}

/** Connects to one host. @throws WizardError */
export async function openTransport(host: ConnectHost, options: ConnectOptions): Promise<Transport> {
  const connector = await Connector.start(options);
  return connector.open(host);
}

interface Connected {
  client: Client;
  /** Gives back the bastion's connection. */
  release: () => Promise<void>;
}

interface Bastion {
  connected: Promise<Connected>;
  users: number;
  release: () => Promise<void>;
}

class Connector {
  readonly #session: Session;
  readonly #options: ConnectOptions;
  readonly #bastions = new Map<string, Bastion>();

  private constructor(session: Session, options: ConnectOptions) {
    this.#session = session;
    this.#options = options;
  }

  static async start(options: ConnectOptions): Promise<Connector> {
    // One signal for all hosts: Node must not warn of a leak.
    if (options.signal) setMaxListeners(0, options.signal);
    const { default: ssh2 } = await import('ssh2');
    const prompter = new Prompter(options.questions, options.signal);
    const session: Session = {
      ssh2,
      prompter,
      hostKeys: new HostKeys(options.ownKnownHosts, prompter, options.acceptNewHostKeys),
      identities: new Identities(ssh2, prompter),
      signal: options.signal,
      readyMs: options.readyMs ?? 15_000,
      keepaliveMs: options.keepaliveMs ?? 10_000,
    };
    return new Connector(session, options);
  }

  async open(host: ConnectHost): Promise<SshTransport> {
    const state = this.#options.onState ?? (() => undefined);
    try {
      const target = await resolveTarget(host.name, host.address, host.ssh, this.#options);
      state(host.name, 'connecting', `${target.user}@${target.hostname}`);
      const { client, release } = await this.#connect(target, await this.#bastionsOf(target));
      state(host.name, 'connected', `${target.user}@${target.hostname}`);
      return new SshTransport(client, target, {
        prompter: this.#session.prompter,
        sudoPassword: this.#options.sudoPassword,
        onClose: release,
      });
    } catch (thrown) {
      const error = asWizardError(thrown);
      state(host.name, 'failed', error.message);
      throw error;
    }
  }

  /** Bastions on the way, the one nearest to us first. @throws WizardError `bad-input` for a circle */
  async #bastionsOf(target: SshTarget): Promise<SshTarget[]> {
    const chain: SshTarget[] = [];
    let behind = target;
    let jump = [...target.jump];
    for (let hop = jump.pop(); hop !== undefined; hop = jump.pop()) {
      const named = parseHop(hop);
      const bastion = await resolveTarget(hop, named.host, named, this.#options);
      // `Host *` with a ProxyJump matches the bastion too: it is not sent through itself.
      if (isSame(bastion, behind)) break;
      if (isSame(bastion, target) || chain.some((each) => isSame(each, bastion))) throw circle(target, hop);
      chain.unshift(bastion);
      behind = bastion;
      // Only the first of a chain is reached as its own configuration says, as with ssh -J.
      if (jump.length === 0) jump = [...bastion.jump];
    }
    return chain;
  }

  async #connect(target: SshTarget, chain: readonly SshTarget[]): Promise<Connected> {
    const last = chain.at(-1);
    if (last === undefined) {
      return { client: await openConnection(target, this.#session, DIRECT), release: async () => undefined };
    }
    const bastion = this.#share(last, chain.slice(0, -1));
    const release = onceOnly(bastion.release);
    try {
      const { client } = await bastion.connected.catch((thrown: unknown) => {
        throw behindBastion(target, last.host, asWizardError(thrown));
      });
      const route: Route = {
        bastion: last.host,
        dial: (hostname, port, timeoutMs, signal) => dialThrough(client, hostname, port, timeoutMs, signal),
      };
      return { client: await openConnection(target, this.#session, route), release };
    } catch (thrown) {
      await release();
      throw thrown;
    }
  }

  /** One connection for all that lies behind a bastion; it ends with the last user. */
  #share(target: SshTarget, chain: readonly SshTarget[]): Bastion {
    const key = [...chain, target].map((each) => `${each.user}@${endpointOf(each)}`).join(',');
    const known = this.#bastions.get(key);
    if (known) {
      known.users++;
      return known;
    }
    const connected = this.#connect(target, chain);
    const bastion: Bastion = {
      connected,
      users: 1,
      release: async () => {
        if (--bastion.users > 0) return;
        this.#bastions.delete(key);
        const opened = await connected.catch(() => undefined); // its failure was told by whoever waited for it
        opened?.client.end();
        await opened?.release();
      },
    };
    this.#bastions.set(key, bastion);
    return bastion;
  }
}

const isSame = (one: SshTarget, other: SshTarget): boolean =>
  one.hostname === other.hostname && one.port === other.port && one.user === other.user;

function circle(target: SshTarget, hop: string): WizardError {
  return new WizardError('bad-input', `The bastions of ${target.host} lead in a circle.`, {
    host: target.host,
    why: `${hop} comes twice on the way.`,
    next: ['Correct ProxyJump in ~/.ssh/config, or ssh.jump in the profile.'],
  });
}

/** The bastion's failure, told for a host behind it. */
function behindBastion(target: SshTarget, bastion: string, error: WizardError): WizardError {
  const { step, why, next } = error;
  return new WizardError(error.code, `${target.host} is behind ${bastion}: ${error.message}`, {
    host: target.host,
    step,
    why,
    next: [...next],
    cause: error,
  });
}

function onceOnly(task: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= task();
    return done;
  };
}
