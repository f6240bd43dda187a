/** A run's questions on plain lines: host keys, secrets, the plan. */
import { cleanLine } from '../../clean.ts';
import type { Interaction } from '../interaction.ts';
import { type Prompter, prompterOf } from './prompter.ts';

/** What the flags answer is not asked here at all. */
export function plainInteraction(io: Parameters<typeof prompterOf>[0]): Interaction {
  return interactionWith(prompterOf(io));
}

/** Hosts are reached in parallel, a person answers one question after the other. */
function interactionWith(prompter: Prompter): Interaction {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const next = last.then(ask, ask);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    acceptPlan(_plan, changed) {
      return inTurn(() =>
        prompter.confirm(
          changed ? 'The hosts changed meanwhile. Do what the plan says now?' : 'Do what the plan says?',
          false,
        ),
      );
    },
    acceptHostKey: ({ host, address, type, fingerprint }) =>
      inTurn(() => {
        prompter.say(
          '',
          `${cleanLine(host)} (${cleanLine(address)}) is not known yet. It shows this ${cleanLine(type)} key:`,
          cleanLine(fingerprint),
          'Compare it on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
        );
        return prompter.confirm('Is it the right one?', false);
      }),
    secret(question) {
      return inTurn(async () => {
        if (question.retry) prompter.say('That was not accepted; once more.');
        const typed = await prompter.secret(question.prompt.replace(/:?\s*$/, ':'));
        return typed === '' && !question.mayBeEmpty ? undefined : typed;
      });
    },
  };
}
