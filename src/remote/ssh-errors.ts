/** What went wrong on the way to a host, in words, with the next command to type. */
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { quoteAll } from '../quote.ts';
import { endpointOf, type SshTarget, sshCommand } from './ssh-target.ts';
import { DialError } from './transport.ts';

/** How far a connection had come. */
export type ConnectStage = 'dialling' | 'greeting' | 'handshake' | 'login';

/** An error of the socket, of ssh2 or of a bastion's dial, told to a person. */
export function connectError(
  target: SshTarget,
  stage: ConnectStage,
  thrown: Error & { code?: unknown },
  bastion?: string,
): WizardError {
  const { why, next } = explain(target, stage, thrown, bastion);
  return new WizardError(
    'connect',
    `Cannot connect to ${target.host} (${target.user}@${endpointOf(target)}${bastion === undefined ? '' : ` through ${bastion}`}).`,
    {
      host: target.host,
      step: 'connecting',
      why,
      next: [...next, 'See what ssh itself says:', sshCommand(target)],
      cause: thrown,
    },
  );
}

function explain(
  target: SshTarget,
  stage: ConnectStage,
  thrown: Error & { code?: unknown },
  bastion: string | undefined,
): { why: string; next: string[] } {
  const where = endpointOf(target);
  const message = cleanLine(thrown.message);
  const startSshd = [
    `Start sshd on the host (Debian: «sudo systemctl enable --now ssh»), or correct address and port ${target.port}.`,
  ];
  const reason = thrown instanceof DialError ? thrown.reason : thrown.code;
  switch (reason) {
    case 'ECONNREFUSED':
    case 'refused':
      return { why: `${where} refuses: the host is up, but nothing listens on that port.`, next: startSshd };
    case 'ETIMEDOUT':
    case 'timeout':
      if (stage === 'greeting')
        return {
          why: `${where} takes the connection but says nothing: no SSH server, or one that hangs.`,
          next: startSshd,
        };
      if (stage !== 'dialling')
        return {
          why: `${where} stopped answering during the ${stage}.`,
          next: ['Look at the host’s load and its sshd: journalctl -u ssh'],
        };
      return {
        why: `${where} does not answer: the host is off, the address is wrong, or a firewall drops the packets.`,
        next: [`ping ${quoteAll([target.hostname])}`],
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EHOSTDOWN':
    case 'unreachable':
      return { why: `There is no route to ${where} (${message}).`, next: [`ping ${quoteAll([target.hostname])}`] };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
    case 'unresolved':
      return {
        why: `The name ${target.hostname} has no address${bastion === undefined ? ' here' : ` on ${bastion}`}.`,
        next: [
          'Correct the name, or give the address in the profile: ssh: { host: ADDRESS }',
          `getent hosts ${quoteAll([target.hostname])}`,
        ],
      };
    case 'prohibited':
      return {
        why: `${bastion} does not forward connections (AllowTcpForwarding or PermitOpen in its sshd_config).`,
        next: [`Allow it on ${bastion}: AllowTcpForwarding yes`],
      };
  }
  if (
    /identification string|before handshake|Invalid packet|Bad packet length|header/i.test(message) &&
    stage !== 'login'
  ) {
    if (/before handshake/i.test(message))
      return {
        why: `${where} closed the connection before greeting: it is no SSH server, or its sshd turns connections away (MaxStartups, hosts.deny, fail2ban).`,
        next: startSshd,
      };
    return { why: `What answers at ${where} is not an SSH server (${message}).`, next: startSshd };
  }
  if (/no matching/i.test(message))
    return {
      why: `The host’s sshd and etcd-wizard have no algorithm in common (${message}).`,
      next: ['Update the host’s SSH server.'],
    };
  if (/Keepalive timeout|ECONNRESET|EPIPE|closed|No response/i.test(message)) {
    return {
      why: `${where} closed the connection during the ${stage} (${message}).`,
      next: ['Look at its sshd: journalctl -u ssh'],
    };
  }
  return { why: `${message} (during the ${stage}).`, next: [] };
}

/** The connection was there and broke. */
export function lostError(target: SshTarget, step: string | undefined, detail: string | undefined): WizardError {
  return new WizardError('connect', `The connection to ${target.host} (${endpointOf(target)}) was lost.`, {
    host: target.host,
    step,
    why: `${lossInWords(detail)}. What was running there may have been finished or not.`,
    next: ['See whether the host can be reached:', sshCommand(target)],
  });
}

function lossInWords(detail: string | undefined): string {
  if (detail === undefined) return 'The host closed it';
  // ssh2's words for three signs of life in a row without an answer.
  return /keepalive/i.test(detail) ? 'The host has stopped answering' : cleanLine(detail);
}

export function interruptedError(host: string, step: string | undefined): WizardError {
  return new WizardError('interrupted', 'Interrupted.', { host, step });
}
