/** Questions that nobody was there to answer: told as what they are, all at once, with the flags that answer them. */
import { WizardError } from '../errors.ts';

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
