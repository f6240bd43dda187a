/** `new` on lines: the questions, the profile saved, and the replay when the person agrees. */
import type { HostProbe } from '../../components/services.ts';
import { cleanLine } from '../clean.ts';
import { EXIT } from '../errors.ts';
import { prompterOf } from '../front/plain/prompter.ts';
import { plainWizard } from '../front/plain/wizard.ts';
import { interactionOf } from '../front/run.ts';
import { profileFromAnswers } from '../profile/from-answers.ts';
import type { CommandIo } from './io.ts';
import { replay } from './replay.ts';
import { appServices } from './services.ts';

/** @returns 0, also when it was left; the replay's failures are thrown */
export async function newOnLines(io: CommandIo): Promise<number> {
  const services = appServices(io);
  const prompter = prompterOf(io);
  const interaction = await interactionOf(io);
  const answers = await plainWizard(prompter, {
    context: { takenNames: (await services.profiles()).map(({ name }) => name) },
    draft: await services.draft(),
    keep: (draft) => services.keepDraft(draft),
    probe: async (host) => probeLines(host.name, await services.probe(host, interaction, io.signal)),
  });
  if (answers === undefined) return EXIT.ok;
  const profile = profileFromAnswers(answers);
  prompter.say('', `Saved as ${cleanLine(await services.save(profile))}`);
  await services.keepDraft(undefined);
  return replay(io, profile.name, { takeOver: [] });
}

function probeLines(name: string, probe: HostProbe): string[] {
  if (probe.state === 'ok')
    return [`  ● ${name}: ${probe.summary}`, ...probe.warnings.map((warning) => `  ▲ ${name}: ${warning}`)];
  return [
    `  ✗ ${name}: ${cleanLine(probe.what)}`,
    ...(probe.why ? [`    ${cleanLine(probe.why)}`] : []),
    ...probe.next.map((line) => `    ${cleanLine(line)}`),
  ];
}
