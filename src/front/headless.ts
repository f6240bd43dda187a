/** Nobody is there to ask: events as NDJSON, questions answered by flags or refused with the flag that would answer them. */
import type { RunEvent } from '../apply/events.ts';
import { clean } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { planJson } from '../plan/render.ts';
import type { Interaction } from './interaction.ts';

/** What flags, files and the environment gave; `--accept-new-host-keys` is settled before anybody is asked. */
export interface HeadlessAnswers {
  flags: { yes: boolean };
  secrets: { sudoPassword?: string; sshPassword?: string; caPassphrase?: string };
}

type SecretKind = Parameters<Interaction['secret']>[0]['kind'];

/** Per kind of secret: what was given, and how to give it. */
const SECRETS: Record<
  SecretKind,
  { given(secrets: HeadlessAnswers['secrets']): string | undefined; what: string; flags: string[] }
> = {
  'sudo-password': {
    given: ({ sudoPassword }) => sudoPassword,
    what: 'The sudo password',
    flags: ['--sudo-password-file FILE'],
  },
  'ssh-password': {
    given: ({ sshPassword }) => sshPassword,
    what: 'The SSH password',
    flags: ['--ssh-password-file FILE', 'ssh-copy-id, so that no password is needed'],
  },
  'keyboard-interactive': {
    given: ({ sshPassword }) => sshPassword,
    what: 'An answer for the SSH server',
    flags: ['--ssh-password-file FILE', 'ssh-copy-id, so that none is needed'],
  },
  'key-passphrase': {
    given: () => undefined,
    what: 'The passphrase of an SSH key',
    flags: ['ssh-add, so that the agent holds the key'],
  },
  'ca-passphrase': {
    given: ({ caPassphrase }) => caPassphrase,
    what: 'The passphrase of the CA’s key',
    flags: ['--ca-passphrase-file FILE'],
  },
  'p12-password': { given: () => undefined, what: 'A password for the .p12 file', flags: ['--p12-password-file FILE'] },
};

/** Answers from flags; what they do not answer is a `no-terminal` error (exit 64) that names the flag. */
export function headlessInteraction(answers: HeadlessAnswers): Interaction {
  return {
    acceptPlan() {
      if (answers.flags.yes) return Promise.resolve(true);
      return Promise.reject(unanswered('The plan has to be agreed to.', ['--yes']));
    },
    acceptHostKey({ host, address, type, fingerprint }) {
      const error = unanswered(
        `The SSH host key of ${host} (${address}) is not known yet.`,
        ['--accept-new-host-keys'],
        `It shows a ${type} key, ${fingerprint}.`,
      );
      return Promise.reject(error);
    },
    secret({ kind, prompt, retry }) {
      const { given, what, flags } = SECRETS[kind];
      const value = given(answers.secrets);
      if (value !== undefined && !retry) return Promise.resolve(value);
      if (value !== undefined)
        return Promise.reject(
          new WizardError(kind === 'sudo-password' ? 'privilege' : 'authentication', `${what} was refused.`, {
            why: `Asked for: ${prompt}.`,
            next: ['Correct what the file or the environment holds, then run the same command again.'],
          }),
        );
      return Promise.reject(unanswered(`${what} is needed.`, flags, `Asked for: ${prompt}.`));
    },
  };
}

const unanswered = (what: string, flags: string[], why?: string): WizardError =>
  new WizardError('no-terminal', what, {
    why,
    next: ['There is no terminal to ask on. Run it in one, or give the answer:', ...flags],
  });

/** An event as it is printed: every string cleaned, a plan in the shape of `plan --json`. */
export function eventJson(event: RunEvent): Record<string, unknown> {
  const shown = event.type === 'plan' ? { ...event, plan: planJson(event.plan) } : event;
  return JSON.parse(jsonLine(shown)) as Record<string, unknown>;
}

/** JSON on one line, hostile characters in strings made visible. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? clean(inner) : inner));
}
