/** The app (`etcd-wizard`) and the wizard (`new`): what the screens can have done, wired to what does it. */

import type { StartAt } from '../../components/services.ts';
import { EXIT, WizardError } from '../errors.ts';
import { openApp } from '../front/ink/app.ts';
import { wantsInk } from '../front/run.ts';
import type { CommandIo } from './io.ts';
import { appServices } from './services.ts';

/** Opens the app. Without a terminal that can draw it: the plain wizard, or a word about what to type. @returns 0 */
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

/** The wizard from its first question. @returns 0, also when it was left */
export async function newCluster(io: CommandIo): Promise<number> {
  if (await wantsInk(io)) {
    return openWith(io, { start: 'new' });
  }
  const { newOnLines } = await import('./new.ts');
  return newOnLines(io);
}

/** Opens the app at a screen; what it leaves for the terminal is printed when it has gone. @returns 0 */
export async function openWith(io: CommandIo, start: StartAt): Promise<number> {
  const services = appServices(io);
  const lines = await openApp(services, io, start);
  await services.settled();
  for (const line of lines) io.out(line);
  return EXIT.ok;
}
