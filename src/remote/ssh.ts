/** Transport over one SSH connection. */
import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { WizardError } from '../errors.ts';
import type { Privilege } from '../facts.ts';
import { ChannelRefused, type RunOptions, runOnChannel } from './channel.ts';
import { dialThrough } from './dial.ts';
import {
  type Account,
  CHECK_PASSWORD,
  commandLine,
  isWrongPassword,
  PASSWORD_NOT_WANTED,
  PASSWORD_RIGHT,
  PROBE,
  passwordMissing,
  privilegeFrom,
  sudoRefusal,
  sudoRefused,
} from './privilege.ts';
import type { Prompter } from './prompter.ts';
import { Slots } from './slots.ts';
import { interruptedError, lostError } from './ssh-errors.ts';
import { endpointOf, type SshTarget, sshCommand } from './ssh-target.ts';
import { DialError, type ExecOptions, type ExecResult, type Transport } from './transport.ts';

/** sshd's default MaxSessions is 10; two are left to others. */
const MAX_SESSIONS = 8;
/** Dials in the making; open ones count against no limit of sshd's. */
const MAX_DIALS = 8;
const DEFAULT_TIMEOUT_MS = 60_000;
const DIAL_TIMEOUT_MS = 5_000;
const PASSWORD_TRIES = 3;

export interface SshTransportOptions {
  prompter: Prompter;
  /** From a flag's file or the environment: tried once, never asked again. */
  sudoPassword: string | undefined;
  /** Ends what the connection itself needs, such as the one to a bastion. */
  onClose: () => Promise<void>;
}

export class SshTransport implements Transport {
  readonly kind = 'ssh';
  readonly host: string;
  readonly label: string;
  privilege: Privilege | undefined;
  readonly #client: Client;
  readonly #target: SshTarget;
  readonly #options: SshTransportOptions;
  readonly #sessions = new Slots(MAX_SESSIONS);
  readonly #dials = new Slots(MAX_DIALS);
  #probing: Promise<Privilege> | undefined;
  #sudoPassword: Promise<string> | undefined;
  #lostBecause: string | undefined;
  #closed = false;
  readonly #account: Account;

  constructor(client: Client, target: SshTarget, options: SshTransportOptions) {
    this.#client = client;
    this.#target = target;
    this.#options = options;
    this.host = target.host;
    this.#account = { host: target.host, user: target.user, byHand: sshCommand(target, 'sudo', 'true') };
    this.label = `${target.user}@${endpointOf(target)}`;
    client.on('error', (error: Error) => {
      this.#lostBecause = error.message;
    });
    client.once('close', () => {
      this.#closed = true;
      void options.onClose();
    });
  }

  async exec(script: string, options: ExecOptions = {}): Promise<ExecResult> {
    const { args = [], input } = options;
    shareable(options.signal);
    if (!options.privileged) return this.#run(commandLine(script, args), input, options);
    const privilege = await this.#privilegeInForce(options);
    if (privilege === 'sudo-password') {
      const password = await this.#checkedPassword(options);
      // It may have turned out that sudo wants none.
      if (this.privilege === 'sudo-password') {
        const result = await this.#run(commandLine(script, args, privilege), withPassword(password, input), options);
        return this.#unlessRefused(result);
      }
    }
    const result = await this.#run(commandLine(script, args, this.privilege ?? privilege), input, options);
    return privilege === 'root' ? result : this.#unlessRefused(result);
  }

  async dial(
    address: string,
    port: number,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Duplex> {
    shareable(options.signal);
    await this.#dials.enter(options.signal).catch(() => {
      throw new DialError('closed', 'interrupted');
    });
    try {
      return await dialThrough(this.#client, address, port, options.timeoutMs ?? DIAL_TIMEOUT_MS, options.signal);
    } finally {
      this.#dials.leave();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      // A peer that is gone does not answer the goodbye; behind a bastion that is gone not even destroy() is noticed.
      const timer = setTimeout(() => {
        this.#client.destroy();
        done();
      }, 1_000);
      this.#client.once('close', done);
      this.#client.end();
    });
    await this.#options.onClose();
  }

  /** Waits for a channel, and with fewer at once where the host allows fewer. */
  async #run(command: string, input: Buffer | undefined, options: ExecOptions): Promise<ExecResult> {
    const lost = () => lostError(this.#target, options.label, this.#lostBecause);
    const interrupted = () => interruptedError(this.host, options.label);
    const run: RunOptions = {
      input,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      signal: options.signal,
      onOutput: options.onOutput,
      host: this.host,
      step: options.label,
      lost,
      interrupted,
    };
    for (let refusals = 0; ; ) {
      if (options.signal?.aborted) throw interrupted();
      await this.#sessions.enter(options.signal).catch(() => {
        throw interrupted();
      });
      try {
        if (this.#closed) throw lost();
        return await runOnChannel(this.#client, command, run);
      } catch (thrown) {
        if (!(thrown instanceof ChannelRefused)) throw thrown;
        const others = this.#sessions.taken - 1;
        this.#sessions.narrow(others);
        // Alone and refused: a session just ended may still be counted, else the host opens none at all.
        if (others === 0 && ++refusals > 5) throw noSession(this.host, options.label, thrown);
      } finally {
        this.#sessions.leave();
      }
      await new Promise((resolve) => setTimeout(resolve, 20 * (refusals + 1)));
    }
  }

  #privilegeInForce(options: ExecOptions): Promise<Privilege> {
    // «none» from the facts does not say why: the probe does, or finds a way that the facts did not try.
    if (this.privilege !== undefined && this.privilege !== 'none') return Promise.resolve(this.privilege);
    const probe = async () => {
      const { stdout } = await this.#run(commandLine(PROBE, []), undefined, {
        label: 'finding out how to become root',
        signal: options.signal,
      });
      this.privilege = privilegeFrom(stdout.toString('utf8'), this.#account);
      return this.privilege;
    };
    this.#probing ??= probe().catch((error: Error) => {
      this.#probing = undefined;
      throw error;
    });
    return this.#probing;
  }

  /** The password, tried once without any payload: sudo reads on after a wrong one and would take the payload for more tries. */
  #checkedPassword(options: ExecOptions): Promise<string> {
    const { prompter, sudoPassword } = this.#options;
    // A password that was given is tried on all hosts at once; a person is asked for one host after the other.
    const find = () => this.#findPassword(options);
    this.#sudoPassword ??= (sudoPassword === undefined ? prompter.oneByOne(this.#target.user, find) : find()).catch(
      (error: Error) => {
        this.#sudoPassword = undefined;
        throw error;
      },
    );
    return this.#sudoPassword;
  }

  async #findPassword(options: ExecOptions): Promise<string> {
    const { user } = this.#target;
    const given = this.#options.sudoPassword;
    let wrong: string | undefined;
    for (let tries = 1; ; tries++) {
      const question = {
        id: `sudo-password:${user}@${endpointOf(this.#target)}`,
        kind: 'sudo-password' as const,
        prompt: `sudo password of ${user} on ${this.host}`,
      };
      const password = given ?? (await this.#options.prompter.secret(question, wrong, user));
      if (password === undefined)
        throw wrong === undefined ? passwordMissing(this.#account) : sudoRefused(this.#account, 'incorrect password');
      const check = commandLine(CHECK_PASSWORD, [], 'sudo-password');
      const { code, stderr } = await this.#run(check, withPassword(password, undefined), {
        label: 'trying the sudo password',
        signal: options.signal,
      });
      if (code === PASSWORD_NOT_WANTED) this.privilege = 'sudo';
      if (code === PASSWORD_RIGHT) this.#options.prompter.worked(user, this.host, password);
      if (code === PASSWORD_NOT_WANTED || code === PASSWORD_RIGHT) return password;
      const said = stderr.toString('utf8');
      if (!isWrongPassword(said) || given !== undefined || tries >= PASSWORD_TRIES)
        throw sudoRefused(this.#account, sudoRefusal(said) ?? said);
      wrong = password;
    }
  }

  #unlessRefused(result: ExecResult): ExecResult {
    const said =
      result.code === 1 && result.stdout.length === 0 ? sudoRefusal(result.stderr.toString('utf8')) : undefined;
    if (said !== undefined) throw sudoRefused(this.#account, said);
    return result;
  }
}

/** One signal ends a whole run: Node must not warn of a leak for its many listeners. */
function shareable(signal: AbortSignal | undefined): void {
  if (signal) setMaxListeners(0, signal);
}

/** One line for sudo, then the payload. */
function withPassword(password: string, input: Buffer | undefined): Buffer {
  if (/[\n\r\0]/.test(password))
    throw new WizardError('privilege', 'A sudo password of more than one line cannot be used.');
  return Buffer.concat([Buffer.from(`${password}\n`), input ?? Buffer.alloc(0)]);
}

function noSession(host: string, step: string | undefined, cause: Error): WizardError {
  return new WizardError('connect', `${host} lets you log in but opens no session.`, {
    host,
    step,
    why: 'Its sshd refuses every channel (MaxSessions 0?).',
    next: [`On ${host}: sudo sshd -T | grep -i maxsessions`],
    cause,
  });
}
