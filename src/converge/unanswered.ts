/** Hosts without an answer: questions that nobody was there for, told all at once, and hosts that were not reached. */
import { type ErrorCode, WizardError } from '../errors.ts';
import type { UnreachableHost } from '../plan/types.ts';

/** True for an error that an answer would have spared: it says nothing about the host. */
export const isUnanswered = ({ code }: WizardError): boolean => code === 'no-terminal';

/** Several hosts' questions as one error, each with what it was about. */
export function unanswered(errors: readonly WizardError[]): WizardError {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  return new WizardError('no-terminal', `${errors.length} questions need an answer.`, {
    why: errors.map(({ message, why }) => [message, why].filter(Boolean).join(' ')).join('\n'),
    next: [...new Set(errors.flatMap(({ next }) => next))],
  });
}

/** Of these the host is there: «could not be reached» would send a person looking in the wrong place. */
const THERE: readonly ErrorCode[] = [
  'privilege',
  'authentication',
  'host-key-unknown',
  'host-key-changed',
  'host-key-revoked',
];

/** A host's error as the plan takes it. */
export function unreachableHost(host: string, { code, message, why, next }: WizardError): UnreachableHost {
  if (THERE.includes(code)) return { host, what: message, reason: why ?? '', next: [...next] };
  return { host, reason: [message, why].filter(Boolean).join(' '), next: [...next] };
}
