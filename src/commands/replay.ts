/** `plan` and `replay`. */
import { EXIT, WizardError } from '../errors.ts';
import { runInFront } from '../front/run.ts';
import { planJson, planLines } from '../plan/render.ts';
import { openProfile } from '../profile/store.ts';
import { accessSecrets, convergeOverSsh } from './converge.ts';
import type { CommandIo } from './io.ts';
import type { AccessOptions } from './program.ts';

/** Shows what a replay would do. @returns 0 nothing to do, 2 changes. @throws WizardError `preflight` when a replay could not go ahead */
export async function plan(io: CommandIo, name: string, options: AccessOptions & { diff?: boolean }): Promise<number> {
  const { profile } = await openProfile(io, name);
  const { interactionOf } = await import('../front/run.ts');
  const interaction = await interactionOf(io);
  let shown: Parameters<typeof planLines>[0] | undefined;
  const emit = (event: Parameters<Parameters<typeof convergeOverSsh>[4]>[0]) => {
    if (event.type === 'plan') shown = event.plan;
    else if (event.type === 'note') io.err(event.text);
  };
  try {
    await convergeOverSsh(io, { profile, profileName: name, dryRun: true }, options, interaction, emit, io.signal);
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
  io: CommandIo,
  name: string,
  options: AccessOptions & { dryRun?: boolean; takeOver: string[]; encryptCa?: boolean },
): Promise<number> {
  if (options.dryRun) return plan(io, name, options);
  const { profile } = await openProfile(io, name);
  const unknown = options.takeOver.filter((host) => !profile.hosts.some((each) => each.name === host));
  if (unknown.length > 0) {
    throw new WizardError('usage', `--take-over names no host of ${profile.name}: ${unknown.join(', ')}.`, {
      next: [`The hosts are: ${profile.hosts.map((each) => each.name).join(', ')}`],
    });
  }
  const secrets = await accessSecrets(io, options);
  return runInFront(
    io,
    { title: profile.name, hosts: profile.hosts.map((each) => each.name) },
    async (interaction, emit, signal) => {
      const newCaPassphrase = options.encryptCa
        ? (secrets.caPassphrase ??
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
      const result = await convergeOverSsh(
        io,
        { profile, profileName: name, takeOver: options.takeOver, newCaPassphrase },
        options,
        interaction,
        emit,
        signal,
      );
      return {
        outcome: result.outcome === 'planned' ? 'nothing-to-do' : result.outcome,
        summary: [
          ...result.summary,
          ...nextCommands(result.outcome, name, profile.certificates.clients[0]?.commonName),
        ],
      };
    },
  );
}

/** What a person types next, free of borders so that it can be copied. */
export function nextCommands(outcome: string, name: string, client: string | undefined): string[] {
  if (outcome !== 'healthy') return [];
  return [
    '',
    'Next:',
    `  etcd-wizard health ${name}`,
    ...(client ? [`  etcd-wizard certs export ${name} --client ${client} --out ./${client}`] : []),
    `  etcd-wizard replay ${name}     (changes nothing while all is well)`,
  ];
}
