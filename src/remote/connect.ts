/** Opens SSH connections to all hosts of a profile at once; the only place from which ssh2 is loaded, and only then. */
import type { Client } from 'ssh2';
import { asWizardError, WizardError } from '../errors.ts';
import type { ProfileHost } from '../profile/schema.ts';
import { DIRECT, openConnection, type Route, type Session } from './connection.ts';
import { dialThrough } from './dial.ts';
import { HostKeys } from './host-keys.ts';
import { Identities } from './identities.ts';
import { Prompter } from './prompter.ts';
import { SshTransport } from './ssh.ts';
import { parseHop, resolveTarget, type SshTarget, type TargetOptions } from './ssh-target.ts';
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

/** More bastions in a row than this is a configuration that refers to itself. */
const MAX_HOPS = 8;

interface Bastion {
  client: Promise<Client>;
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
    const { default: ssh2 } = await import('ssh2');
    const prompter = new Prompter(options.questions);
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
      const { client, release } = await this.#connect(target, target.jump, 0);
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

  async #connect(
    target: SshTarget,
    jump: readonly string[],
    depth: number,
  ): Promise<{ client: Client; release: () => Promise<void> }> {
    const last = jump.at(-1);
    if (last === undefined)
      return { client: await openConnection(target, this.#session, DIRECT), release: async () => undefined };
    if (depth >= MAX_HOPS)
      throw new WizardError('bad-input', `The bastions of ${target.host} lead in a circle.`, {
        host: target.host,
        next: ['Correct ProxyJump in ~/.ssh/config.'],
      });
    const bastion = await this.#hop(last, jump.slice(0, -1), target, depth);
    if (bastion === undefined) return this.#connect(target, [], depth);
    const release = onceOnly(bastion.release);
    try {
      const client = await bastion.client.catch((thrown: unknown) => {
        throw behindBastion(target, last, asWizardError(thrown));
      });
      const route: Route = {
        bastion: last,
        dial: (hostname, port, timeoutMs, signal) => dialThrough(client, hostname, port, timeoutMs, signal),
      };
      return { client: await openConnection(target, this.#session, route), release };
    } catch (thrown) {
      await release();
      throw thrown;
    }
  }

  /** The shared connection to a bastion; undefined when it is the very host that is being connected to (`Host *` with ProxyJump). */
  async #hop(hop: string, before: readonly string[], behind: SshTarget, depth: number): Promise<Bastion | undefined> {
    const named = parseHop(hop);
    const target = await resolveTarget(
      `${hop} (the bastion of ${behind.host})`,
      named.host,
      { ...named },
      this.#options,
    );
    if (target.hostname === behind.hostname && target.port === behind.port && target.user === behind.user)
      return undefined;
    target.host = hop;
    // Only the first of a chain is reached as its own configuration says, as with ssh -J.
    const jump = before.length > 0 ? before : target.jump;
    const key = [...jump, `${target.user}@${target.hostname}:${target.port}`].join(',');
    const known = this.#bastions.get(key);
    if (known) {
      known.users++;
      return known;
    }
    const connecting = this.#connect(target, jump, depth + 1);
    const client = connecting.then((each) => each.client);
    const bastion: Bastion = {
      client,
      users: 1,
      release: async () => {
        if (--bastion.users > 0) return;
        this.#bastions.delete(key);
        const opened = await connecting.catch(() => undefined); // its failure was told by whoever waited for it
        opened?.client.end();
        await opened?.release();
      },
    };
    this.#bastions.set(key, bastion);
    return bastion;
  }
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
