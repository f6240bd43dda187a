/** The app (`etcd-wizard`) and the wizard (`new`): what the screens can have done, wired to what does it. */

import type { StartAt } from '../../components/services.ts';
import { asWizardError, EXIT, WizardError } from '../errors.ts';
import { openApp } from '../front/ink/app.ts';
import { wantsInk } from '../front/run.ts';
import { wrap } from '../terminal/width.ts';
import type { CommandIo } from './io.ts';
import { appServices } from './services.ts';

/** Opens the app. Without a terminal that can draw it: the plain wizard, or a word about what to type. @returns 0; 130 when a signal ended it */
export async function app(io: CommandIo): Promise<number> {
  if (await wantsInk(io)) {
    return openWith(io, { start: 'home' });
  }
  if (io.interactive) return newCluster(io);
  throw new WizardError('no-terminal', 'The app needs a terminal.', {
    why: 'Standard input or output is not one.',
    next: [
      'Name a command instead, for example:',
      'etcd-wizard try --once',
      'etcd-wizard replay PROFILE --yes',
      'etcd-wizard --help',
    ],
  });
}

/** The wizard from its first question. @returns 0, also when it was left; 130 when a signal ended it */
export async function newCluster(io: CommandIo): Promise<number> {
  if (await wantsInk(io)) {
    return openWith(io, { start: 'new' });
  }
  const { newOnLines } = await import('./new.ts');
  return newOnLines(io);
}

/**
 * Opens the app at a screen; what it leaves for the terminal is printed when it has gone.
 * @returns 0, or 130 when a signal ended it. @throws what kept `try` from coming up
 */
export async function openWith(io: CommandIo, start: StartAt): Promise<number> {
  const services = appServices(io);
  const { told, failed } = await openApp(services, io, start);
  const stopping = services.stopping();
  if (stopping) io.err('Stopping the members on this machine…');
  await services.settled();
  if (stopping) io.err('Stopped and cleaned up.');
  if (told.length > 0) {
    const { errorLines } = await import('../front/text.ts');
    for (const each of told) {
      // Commands stand as they are, to be copied; sentences are broken between words.
      const lines = typeof each === 'string' ? [each] : errorLines(asWizardError(each.error));
      for (const line of lines.flatMap((text) =>
        text.startsWith(' ') ? [text] : wrap(text, (io.stdout.columns ?? 80) - 1),
      ))
        io.out(line);
    }
  }
  if (failed !== undefined) throw failed.error;
  return io.signal.aborted ? EXIT.interrupted : EXIT.ok;
}
