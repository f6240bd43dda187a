/** From a resolved profile to a run of {@link converge}: what `replay`, `plan`, `new` and the app have in common. */
import { hostname } from 'node:os';
import type { Emit } from '../apply/events.ts';
import { systemdService } from '../apply/systemd.ts';
import { type ConvergeResult, converge } from '../converge/converge.ts';
import type { Interaction } from '../front/interaction.ts';
import type { Profile } from '../profile/schema.ts';
import { ClusterState } from '../state/cluster.ts';
import { readSecretFile } from '../state/secret-file.ts';
import type { CommandIo } from './io.ts';
import type { AccessOptions } from './program.ts';

export interface ConvergeRequest {
  profile: Profile;
  /** As the person named it. */
  profileName: string;
  dryRun?: boolean;
  takeOver?: string[];
  newCaPassphrase?: string;
}

/** Runs it over SSH and systemd, with the secrets that flags and environment gave. */
export async function convergeOverSsh(
  io: CommandIo,
  request: ConvergeRequest,
  access: AccessOptions,
  interaction: Interaction,
  emit: Emit,
  signal: AbortSignal,
): Promise<ConvergeResult> {
  const secrets = await accessSecrets(io, access);
  const { openTransports } = await import('../remote/connect.ts');
  return converge({
    ...request,
    dryRun: request.dryRun ?? false,
    takeOver: request.takeOver ?? [],
    state: new ClusterState(io.paths.state, request.profile.name),
    interaction,
    emit,
    signal,
    connect: () =>
      openTransports(request.profile.hosts, {
        questions: withSshPassword(interaction, secrets.sshPassword),
        acceptNewHostKeys: access.acceptNewHostKeys ?? false,
        environment: io.environment,
        ownKnownHosts: io.paths.knownHosts,
        sudoPassword: secrets.sudoPassword,
        signal,
        onState: (host, state, detail) => emit({ type: 'host', host, state, detail }),
      }),
    service: systemdService('etcd.service', (host, reason) => emit({ type: 'waiting', host, reason })),
    who: `${io.who.user}@${hostname()} (pid ${io.who.pid})`,
    caPassphrase: secrets.caPassphrase,
    now: Date.now,
  });
}

/** Flags name files, never the secrets themselves. */
export async function accessSecrets(io: CommandIo, access: AccessOptions): Promise<CommandIo['secrets']> {
  const from = async (file: string | undefined, given: string | undefined) =>
    file === undefined ? given : await readSecretFile(file);
  return {
    sudoPassword: await from(access.sudoPasswordFile, io.secrets.sudoPassword),
    sshPassword: await from(access.sshPasswordFile, io.secrets.sshPassword),
    caPassphrase: await from(access.caPassphraseFile, io.secrets.caPassphrase),
  };
}

/** A password from a file answers the question once; when the host refuses it the person is asked. */
function withSshPassword(interaction: Interaction, password: string | undefined): Interaction {
  if (password === undefined) return interaction;
  return {
    ...interaction,
    acceptHostKey: (key) => interaction.acceptHostKey(key),
    acceptPlan: (plan, changed) => interaction.acceptPlan(plan, changed),
    secret: (question) =>
      !question.retry && (question.kind === 'ssh-password' || question.kind === 'keyboard-interactive')
        ? Promise.resolve(password)
        : interaction.secret(question),
  };
}
