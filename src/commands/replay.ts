/** `plan` and `replay`. */
import type { Emit } from '../apply/events.ts';
import type { ConvergeResult } from '../converge/converge.ts';
import { asWizardError, EXIT, WizardError } from '../errors.ts';
import type { Interaction } from '../front/interaction.ts';
import { openLogFile } from '../front/log-file.ts';
import { interactionOf, type RunEnd, runInFront, toldAbove } from '../front/run.ts';
import { planJson, planLines } from '../plan/render.ts';
import type { Profile } from '../profile/schema.ts';
import { openProfile } from '../profile/store.ts';
import { convergeOverSsh, withSecretFiles } from './converge.ts';
import type { CommandIo } from './io.ts';
import type { AccessOptions } from './program.ts';

/** Shows what a replay would do. @returns 0 nothing to do, 2 changes. @throws WizardError `preflight` when a replay could not go ahead */
export async function plan(
  given: CommandIo,
  name: string,
  options: AccessOptions & { diff?: boolean },
): Promise<number> {
  const io = await withSecretFiles(given, options);
  const profile = await openProfile(io, name);
  const interaction = await interactionOf(io);
  const log = openLogFile(io);
  let shown: Parameters<typeof planLines>[0] | undefined;
  const emit: Emit = (event) => {
    log?.event(event);
    if (event.type === 'plan') shown = event.plan;
    else if (event.type === 'note') io.err(event.text);
  };
  try {
    await convergeOverSsh(io, { profile, profileName: name, dryRun: true }, options, interaction, emit, io.signal);
  } catch (thrown) {
    log?.error(asWizardError(thrown));
    // In JSON the plan's findings say it already, and one document is promised.
    if (!(io.flags.json && shown && thrown instanceof WizardError && thrown.code === 'preflight'))
      throw toldAbove(io, thrown);
    return thrown.exitCode;
  } finally {
    // A plan that cannot go ahead is worth reading all the more.
    if (shown)
      io.out(
        io.flags.json ? JSON.stringify(planJson(shown)) : planLines(shown, { diff: options.diff ?? false }).join('\n'),
      );
  }
  return shown !== undefined && shown.actions.length > 0 ? EXIT.changes : EXIT.ok;
}

/** Converges the hosts. @returns 0; failures are thrown and carry their exit code */
export async function replay(
  given: CommandIo,
  name: string,
  options: AccessOptions & { dryRun?: boolean; takeOver: string[]; encryptCa?: boolean },
): Promise<number> {
  if (options.dryRun) return plan(given, name, options);
  const io = await withSecretFiles(given, options);
  const loaded = await openProfile(io, name);
  const { profile } = loaded;
  const unknown = options.takeOver.filter((host) => !profile.hosts.some((each) => each.name === host));
  if (unknown.length > 0) {
    throw new WizardError('usage', `--take-over names no host of ${profile.name}: ${unknown.join(', ')}.`, {
      next: [`The hosts are: ${profile.hosts.map((each) => each.name).join(', ')}`],
    });
  }
  return runInFront(
    io,
    { title: profile.name, hosts: profile.hosts.map((each) => each.name) },
    async (interaction, emit, signal) => {
      const newCaPassphrase = options.encryptCa
        ? (io.secrets.caPassphrase ??
          (await interaction.secret({
            id: `ca:${profile.name}`,
            kind: 'ca-passphrase',
            prompt: 'New passphrase for the CA’s key',
            retry: false,
          })))
        : undefined;
      if (options.encryptCa && !newCaPassphrase)
        throw new WizardError('no-terminal', 'A passphrase for the CA’s key is needed.', {
          next: ['Give it with --ca-passphrase-file FILE.'],
        });
      const request = { profile: loaded, profileName: name, takeOver: options.takeOver, newCaPassphrase };
      return ended(await convergeOverSsh(io, request, options, interaction, emit, signal), name, profile);
    },
  );
}

/** A replay of a saved profile inside the app; its end in words. */
export async function replayStored(
  io: CommandIo,
  name: string,
  interaction: Interaction,
  emit: Emit,
  signal: AbortSignal,
): Promise<RunEnd> {
  const loaded = await openProfile(io, name);
  const request = { profile: loaded, profileName: name };
  return ended(await convergeOverSsh(io, request, {}, interaction, emit, signal), name, loaded.profile);
}

function ended({ outcome, summary }: ConvergeResult, name: string, profile: Profile): RunEnd {
  const client = profile.certificates.clients[0]?.commonName;
  return {
    outcome: outcome === 'planned' ? 'declined' : outcome,
    summary: outcome === 'healthy' ? [...summary, ...nextCommands(name, client)] : summary,
  };
}

/** What a person types next, free of borders so that it can be copied. */
const nextCommands = (name: string, client: string | undefined): string[] => [
  '',
  'Next:',
  `  etcd-wizard health ${name}`,
  ...(client ? [`  etcd-wizard certs export ${name} --client ${client} --out ./${client}`] : []),
  `  etcd-wizard replay ${name}     (changes nothing while all is well)`,
];
