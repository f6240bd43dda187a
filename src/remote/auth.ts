/** Logging in: keys, then password, then keyboard-interactive, as far as the host offers them; keeps a list of what was tried. */
import type { AnyAuthMethod, AuthenticationType, BaseAgent, KeyboardInteractiveAuthMethod, ParsedKey } from 'ssh2';
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { quoteAll } from '../quote.ts';
import type { Identity, Ssh2 } from './identities.ts';
import type { Prompter } from './prompter.ts';
import { endpointOf, type SshTarget, sshCommand } from './ssh-target.ts';

const TRIES = 3;

/** Runs something that waits for a person: the clock for the host's answer stands still meanwhile. */
export type Unhurried = <T>(task: () => Promise<T>) => Promise<T>;

export class Login {
  /** In words, for the error: «~/.ssh/id_ed25519: refused». */
  readonly tried: string[] = [];
  readonly #ssh2: Ssh2;
  readonly #target: SshTarget;
  readonly #prompter: Prompter;
  readonly #unhurried: Unhurried;
  readonly #identities: Identity[];
  #triedNone = false;
  #password: string | undefined;
  #passwordTries = 0;
  #keyboardTries = 0;
  #methods: readonly string[] = [];
  /** The host took a key and yet did not let us in: it wants more (AuthenticationMethods), or refused the signature. */
  #signed = false;

  constructor(
    ssh2: Ssh2,
    target: SshTarget,
    identities: readonly Identity[],
    prompter: Prompter,
    unhurried: Unhurried,
  ) {
    this.#ssh2 = ssh2;
    this.#target = target;
    this.#identities = [...identities];
    this.#prompter = prompter;
    this.#unhurried = unhurried;
  }

  /** The next thing to try; false: nothing is left. For ssh2's authHandler. */
  async next(methodsLeft: readonly AuthenticationType[] | null): Promise<AnyAuthMethod | false> {
    const username = this.#target.user;
    // «none» makes the host say what it accepts; ssh2 drops what it says after an agent's key.
    if (!this.#triedNone || this.#signed) {
      this.#triedNone = true;
      this.#signed = false;
      return { type: 'none', username };
    }
    if (methodsLeft) this.#methods = methodsLeft;
    const offers = (method: string) => this.#methods.includes(method);
    const identity = offers('publickey') ? this.#identities.shift() : undefined;
    if (identity) {
      this.tried.push(`key ${identity.label}`);
      return {
        type: 'agent',
        username,
        agent: oneKeyAgent(this.#ssh2, {
          label: identity.label,
          publicKey: () => this.#unhurried(() => identity.publicKey()),
          sign: async (data, hash) => {
            try {
              const signature = await this.#unhurried(() => identity.sign(data, hash));
              this.#signed = true;
              return signature;
            } catch (thrown) {
              this.tried.push(cleanLine((thrown as Error).message));
              throw thrown;
            }
          },
        }),
      };
    }
    if (offers('password') && this.#passwordTries < TRIES) {
      const password = await this.#askPassword();
      if (password !== undefined) {
        this.#passwordTries++;
        this.tried.push('password');
        return { type: 'password', username, password };
      }
      if (this.#passwordTries === 0) this.tried.push('password: none was given');
      this.#passwordTries = TRIES;
    }
    if (offers('keyboard-interactive') && this.#keyboardTries < TRIES && this.#passwordTries !== TRIES) {
      this.#keyboardTries++;
      this.tried.push('keyboard-interactive');
      return { type: 'keyboard-interactive', username, prompt: this.#answer };
    }
    return false;
  }

  /** Why nobody is let in, and what to do about it. */
  failure(notes: readonly string[], detail?: string): WizardError {
    const { host, user, port, hostname } = this.#target;
    const tooMany = detail !== undefined && /too many authentication/i.test(detail);
    const tried =
      this.tried.length > 0
        ? `Tried: ${this.tried.map((each) => each.trim()).join('; ')}.`
        : 'There was no key, agent or password to try.';
    const accepts = this.#methods.length > 0 ? ` The host accepts: ${cleanLine(this.#methods.join(', '))}.` : '';
    const unusable = notes.length > 0 ? ` Not usable: ${notes.join('; ')}.` : '';
    const file = this.#target.identityFiles[0]?.path;
    const keyArgs = file === undefined ? [] : ['-i', `${file}.pub`];
    return new WizardError('authentication', `${host} (${endpointOf(this.#target)}) does not let ${user} in.`, {
      host,
      step: 'logging in',
      why: `${tooMany ? 'The host gave up after too many keys (MaxAuthTries). ' : ''}${tried}${accepts}${unusable}`,
      next: [
        ...(tooMany
          ? ['Name the right key: ssh: { identityFile: … } in the profile, with «IdentitiesOnly yes» in ~/.ssh/config.']
          : []),
        'Put your public key on the host:',
        `ssh-copy-id ${quoteAll([...keyArgs, '-p', String(port), `${user}@${hostname}`])}`,
        'or see what ssh itself says:',
        sshCommand(this.#target),
      ],
    });
  }

  async #askPassword(): Promise<string | undefined> {
    const { user } = this.#target;
    const where = endpointOf(this.#target);
    const question = {
      id: `ssh-password:${user}@${where}`,
      kind: 'ssh-password' as const,
      prompt: `Password of ${user} on ${this.#target.host} (${where})`,
    };
    this.#password = await this.#unhurried(() => this.#prompter.secret(question, this.#password));
    return this.#password;
  }

  /** PAM's usual single «Password:» is the password; whatever else is asked (a one-time code) is never kept. */
  readonly #answer: KeyboardInteractiveAuthMethod['prompt'] = (_name, instructions, _language, prompts, finish) => {
    const reply = async (): Promise<string[]> => {
      const answers: string[] = [];
      for (const { prompt } of prompts) {
        const text = cleanLine(prompt.trim());
        if (/^(\([^)]*\) ?)?password( for [^:]*)?:?$/i.test(text)) answers.push((await this.#askPassword()) ?? '');
        else {
          const about = instructions.trim() === '' ? '' : ` (${cleanLine(instructions.trim())})`;
          const question = {
            id: `keyboard:${this.#target.user}@${endpointOf(this.#target)}:${text}`,
            kind: 'keyboard-interactive' as const,
            prompt: `${this.#target.host}: ${text}${about}`,
          };
          answers.push(
            (await this.#unhurried(() => this.#prompter.oneTimeSecret(question, this.#keyboardTries > 1))) ?? '',
          );
        }
      }
      // Nobody to ask: once is enough, or a lockout counts it three times.
      if (answers.every((answer) => answer === '')) this.#keyboardTries = TRIES;
      return answers;
    };
    reply().then(finish, () => finish([]));
  };
}

/** One key shown as an agent: so ssh2 offers the public half first, and a passphrase is asked for only if the host wants the key. */
function oneKeyAgent(ssh2: Ssh2, identity: Identity): BaseAgent {
  class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
    override getIdentities(callback: (error?: Error | null, keys?: ParsedKey[]) => void): void {
      identity.publicKey().then(
        (key) => callback(null, key ? [key] : []),
        (error: Error) => callback(error),
      );
    }
    override sign(
      _key: ParsedKey,
      data: Buffer,
      options: { hash?: string } | ((error?: Error | null, signature?: Buffer) => void),
      callback?: (error?: Error | null, signature?: Buffer) => void,
    ): void {
      const done = typeof options === 'function' ? options : callback;
      const hash = typeof options === 'function' ? undefined : options.hash;
      identity.sign(data, hash).then(
        (signature) => done?.(null, signature),
        (error: Error) => done?.(error),
      );
    }
  }
  return new OneKeyAgent() as BaseAgent;
}
