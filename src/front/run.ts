/** Chooses who reads a run's events and answers its questions: Ink, plain lines, or flags alone. */
import type { Emit, RunEvent } from '../apply/events.ts';
import { cleanLine } from '../clean.ts';
import type { CommandIo } from '../commands/io.ts';
import { asWizardError, EXIT, WizardError } from '../errors.ts';
import type { Interaction } from './interaction.ts';

/** What a run came to, for its front-end. */
export interface RunEnd {
  outcome: 'healthy' | 'nothing-to-do' | 'declined';
  /** Lines that stay in the terminal: what was done, what comes next. */
  summary: string[];
}

export type Start = (interaction: Interaction, emit: Emit, signal: AbortSignal) => Promise<RunEnd>;

type FinishedEvent = Extract<RunEvent, { type: 'finished' }>;

export interface RunTitle {
  title: string;
  hosts: string[];
}

/** Ink where a person sits before a capable terminal and has not asked for lines. */
export async function wantsInk(io: CommandIo): Promise<boolean> {
  if (io.flags.json || io.flags.plain || !io.interactive) return false;
  const { capabilities } = await import('../terminal/capabilities.ts');
  return capabilities(io.environment, io.stdin, io.stdout, { color: io.flags.color }).ink;
}

/**
 * Runs `start` under the front-end that fits. Every event is also written to the file that `--log-file` names.
 * @returns 0. @throws the run's error, after the front-end has gone
 */
export async function runInFront(io: CommandIo, title: RunTitle, start: Start): Promise<number> {
  // Loaded when it is asked for: it brings along how plans are written.
  const log = io.flags.logFile === undefined ? undefined : (await import('./log-file.ts')).openLogFile(io);
  const logged: Start = async (interaction, emit, signal) => {
    const began = performance.now();
    const finished = (outcome: FinishedEvent['outcome'], summary: string[]) =>
      log?.event({ type: 'finished', outcome, elapsedMs: Math.round(performance.now() - began), summary });
    try {
      const end = await start(
        interaction,
        (event) => {
          log?.event(event);
          emit(event);
        },
        signal,
      );
      finished(end.outcome, end.summary);
      return end;
    } catch (thrown) {
      const error = asWizardError(thrown);
      log?.error(error);
      finished(error.code === 'interrupted' ? 'interrupted' : 'failed', []);
      throw thrown;
    }
  };
  if (await wantsInk(io)) {
    const { runInInk } = await import('./ink/run.tsx');
    const person: Start = (interaction, emit, signal) => logged(withFlags(io, interaction), emit, signal);
    const end = await runInInk(io, title, person);
    for (const line of end.summary) io.out(cleanLine(line));
    return EXIT.ok;
  }
  const began = performance.now();
  const { readerOf } = await import('./reader.ts');
  const emit = readerOf(io);
  const finish = (outcome: FinishedEvent['outcome'], summary: string[]) =>
    emit({ type: 'finished', outcome, elapsedMs: Math.round(performance.now() - began), summary });
  try {
    const end = await logged(await interactionOf(io), emit, io.signal);
    finish(end.outcome, end.summary);
    return EXIT.ok;
  } catch (thrown) {
    finish(asWizardError(thrown).code === 'interrupted' ? 'interrupted' : 'failed', []);
    throw toldAbove(io, thrown);
  }
}

/**
 * The plan on standard output says what stands in the way, the error on standard error says it again: both for scripts
 * and logs that keep one of them. Before a person, who sees both, it is told once.
 */
export function toldAbove(io: Pick<CommandIo, 'flags' | 'stdout'>, thrown: unknown): unknown {
  if (io.flags.json || !io.stdout.isTTY || !(thrown instanceof WizardError) || thrown.code !== 'preflight')
    return thrown;
  return new WizardError('preflight', 'Nothing has been changed.', {
    why: 'What stands in the way is above, with what to do about it.',
    cause: thrown,
  });
}

/** Who answers outside Ink: a person before plain lines, or the flags. */
export async function interactionOf(io: CommandIo): Promise<Interaction> {
  if (io.interactive && !io.flags.json) {
    const { plainInteraction } = await import('./plain/interaction.ts');
    return withFlags(io, plainInteraction(io));
  }
  const { headlessInteraction } = await import('./headless.ts');
  return headlessInteraction(io);
}

/** What flags and files answer is not asked of the person; a secret that was refused once is. */
function withFlags(io: Pick<CommandIo, 'flags' | 'secrets'>, person: Interaction): Interaction {
  const { sudoPassword, sshPassword, caPassphrase } = io.secrets;
  const given: Partial<Record<Parameters<Interaction['secret']>[0]['kind'], string>> = {
    'sudo-password': sudoPassword,
    'ssh-password': sshPassword,
    'keyboard-interactive': sshPassword,
    'ca-passphrase': caPassphrase,
  };
  return {
    acceptPlan: (plan, changed) => (io.flags.yes ? Promise.resolve(true) : person.acceptPlan(plan, changed)),
    acceptHostKey: (key) => person.acceptHostKey(key),
    secret: (question) => {
      const known = given[question.kind];
      return known !== undefined && !question.retry ? Promise.resolve(known) : person.secret(question);
    },
  };
}
