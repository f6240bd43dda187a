/** How root's rights are had on a host: finding out, and the command lines for each way. */

import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import type { Privilege } from '../facts.ts';
import { quote, quoteAll } from '../quote.ts';

/** `sh -c SCRIPT sh ARGS…` as one command line, with root's rights if asked for. */
export function commandLine(script: string, args: readonly string[], privilege?: Privilege): string {
  const command = ['sh', '-c', script, 'sh', ...args];
  switch (privilege) {
    case 'sudo':
      return `exec ${quoteAll(['sudo', '-n', '--', ...command])}`;
    case 'doas':
      return `exec ${quoteAll(['doas', '-n', ...command])}`;
    case 'sudo-password':
      return `exec ${quoteAll([...SUDO_WITH_PASSWORD, ...command])}`;
    default:
      return `exec ${quoteAll(command)}`;
  }
}

/**
 * sudo that takes exactly one line of standard input, the password, and leaves the rest to the command.
 * -k makes it ask although another session may have left a ticket: else the password line would land in the payload.
 * It keeps no ticket either, so timestamp_timeout and ticket types (a ticket belongs to the parent process) do not matter.
 */
const SUDO_WITH_PASSWORD = ['env', 'LC_ALL=C', 'sudo', '-k', '-S', '-p', '', '--'];

const MARK = 'etcd-wizard-privilege:';

/**
 * Prints the privilege that is to be had without a password, else what was said against it, on one marked line (a login
 * script may print before it). `sh -c :` and not `true`: a sudoers file may allow one command and not the other.
 */
export const PROBE = `answer() { printf '${MARK} %s %s\\n' "$1" "$(printf %s "$2" | tr '\\n' ' ')"; exit 0; }
[ "$(id -u)" = 0 ] && answer root
LC_ALL=C; export LC_ALL
how=none
if command -v doas >/dev/null 2>&1; then
  how=doas-password
  said=$(doas -n sh -c : 2>&1 </dev/null) && free=doas
fi
if command -v sudo >/dev/null 2>&1; then
  how=sudo-password
  said=$(sudo -n -- sh -c : 2>&1 </dev/null) && free=sudo
fi
answer "\${free:-$how}" "$said"`;

/** Whose rights are spoken of, for messages. */
export interface Account {
  host: string;
  user: string;
  /** The command that tries sudo by hand: `ssh -t -p 22 pi@10.0.11.1 sudo true`. */
  byHand: string;
}

/** Reads what {@link PROBE} printed. @throws WizardError `privilege` when no way leads to root */
export function privilegeFrom(output: string, account: Account): Privilege {
  const { host, user } = account;
  const found = output.match(new RegExp(`^${MARK} (\\S+) ?(.*)$`, 'm'));
  const first = found?.[1];
  const said = cleanLine((found?.[2] ?? '').trim());
  if (first === 'root' || first === 'sudo' || first === 'doas') return first;
  if (first === 'sudo-password') {
    if (/a password is required|^$/.test(said) || /interactive authentication is required/i.test(said))
      return 'sudo-password';
    throw sudoRefused(account, said);
  }
  if (first === undefined) {
    throw new WizardError('privilege', `It cannot be found out how ${user} becomes root on ${host}.`, {
      host,
      why: `The host answered: ${cleanLine(output.trim().slice(0, 200)) || 'nothing'}.`,
      next: ['Try it by hand:', account.byHand],
    });
  }
  if (first === 'doas-password') {
    throw new WizardError('privilege', `doas on ${host} does not make ${user} root without a password.`, {
      host,
      why: `doas takes a password from a terminal only${said === '' ? '' : ` (${said})`}.`,
      next: [`Add to /etc/doas.conf on ${host}, as root:`, `permit nopass ${user} as root`],
    });
  }
  throw new WizardError('privilege', `${user} cannot become root on ${host}.`, {
    host,
    why: 'Neither sudo nor doas is installed there.',
    next: [
      `Log in as root (ssh: { user: root } in the profile), or on ${host}, as root:`,
      `apt-get install sudo && adduser ${user} sudo`,
    ],
  });
}

/** Exit statuses of {@link CHECK_PASSWORD}, chosen so that none is sudo's own. */
export const PASSWORD_RIGHT = 42;
export const PASSWORD_NOT_WANTED = 43;

/** Fed with the password line alone: if it still finds that line, sudo has not taken it and must not be sent it again. */
export const CHECK_PASSWORD = `IFS= read -r line && exit ${PASSWORD_NOT_WANTED}; exit ${PASSWORD_RIGHT}`;

/** Whether sudo said that the password was wrong (against: the account may not use sudo at all). */
export function isWrongPassword(said: string): boolean {
  return /try again|incorrect password|no password was provided|authentication failure/i.test(said);
}

/** sudo's own refusal in what a command printed, if it is one: sudo ends with 1 and begins its line with its name. */
export function sudoRefusal(stderr: string): string | undefined {
  return /^(?:sudo|sudo-rs|doas): (?=.*(?:password|not in the sudoers|not allowed|a terminal is required|must have a tty|authenticat|Operation not permitted|not permitted)).*$/im.exec(
    stderr,
  )?.[0];
}

/** Why sudo will not, with the remedy. */
export function sudoRefused({ host, user, byHand }: Account, said: string): WizardError {
  const text = cleanLine(said.trim());
  const make = (why: string, next: string[]) =>
    new WizardError('privilege', `sudo on ${host} does not make ${user} root.`, { host, why, next });
  if (/not in the sudoers|not allowed|may not run|I'm sorry/i.test(text)) {
    return make(`${user} may not use sudo there (${text}).`, [
      `On ${host}, as root:`,
      `adduser ${user} sudo`,
      'or log in as another user: ssh: { user: … } in the profile',
    ]);
  }
  if (/must have a tty|terminal is required/i.test(text)) {
    return make(`Its sudoers file asks for a terminal (${text}).`, [
      `On ${host}, in a file of /etc/sudoers.d/ (visudo -f):`,
      `Defaults:${user} !requiretty`,
    ]);
  }
  if (isWrongPassword(text)) {
    return make('The sudo password is wrong.', [
      'Run it again with the right one; try it by hand:',
      byHand,
      `or allow sudo without one, on ${host} (visudo -f /etc/sudoers.d/${user}):`,
      `${user} ALL=(ALL) NOPASSWD: ALL`,
    ]);
  }
  return make(text === '' ? 'It gave no reason.' : text, ['Try it by hand:', byHand]);
}

export function passwordMissing({ host, user }: Account): WizardError {
  return new WizardError(
    'privilege',
    `sudo on ${host} wants the password of ${user}, and nobody is there to give it.`,
    {
      host,
      next: [
        'Set ETCD_WIZARD_SUDO_PASSWORD, run it in a terminal, or allow sudo without a password, as root:',
        `echo ${quote(`${user} ALL=(ALL) NOPASSWD: ALL`)} > ${quote(`/etc/sudoers.d/${user}`)}`,
      ],
    },
  );
}
