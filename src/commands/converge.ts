/** From a resolved profile to a run of {@link converge}: what `replay`, `plan`, `new` and the app have in common. */
import { hostname } from 'node:os';
import type { Emit } from '../apply/events.ts';
import { systemdService } from '../apply/systemd.ts';
import { type ConvergeResult, converge } from '../converge/converge.ts';
import type { Interaction } from '../front/interaction.ts';
import { type LoadedProfile, ProfileStore } from '../profile/store.ts';
import { ClusterState } from '../state/cluster.ts';
import { runId } from '../state/run-id.ts';
import { readSecretFile } from '../state/secret-file.ts';
import type { CommandIo } from './io.ts';
import type { AccessOptions } from './program.ts';

export interface ConvergeRequest {
  profile: LoadedProfile;
  /** As the person named it. */
  profileName: string;
  dryRun?: boolean;
  takeOver?: string[];
  newCaPassphrase?: string;
}

/** Runs it over SSH and systemd. */
export async function convergeOverSsh(
  io: CommandIo,
  request: ConvergeRequest,
  access: AccessOptions,
  interaction: Interaction,
  emit: Emit,
  signal: AbortSignal,
): Promise<ConvergeResult> {
  const { openTransports } = await import('../remote/connect.ts');
  const { profile } = request.profile;
  return converge({
    ...request,
    profile,
    dryRun: request.dryRun ?? false,
    takeOver: request.takeOver ?? [],
    state: new ClusterState(io.paths.state, profile.name),
    interaction,
    emit,
    signal,
    connect: () =>
      openTransports(profile.hosts, {
        questions: interaction,
        acceptNewHostKeys: access.acceptNewHostKeys ?? false,
        environment: io.environment,
        ownKnownHosts: io.paths.knownHosts,
        sudoPassword: io.secrets.sudoPassword,
        signal,
        onState: (host, state, detail) => emit({ type: 'host', host, state, detail }),
      }),
    service: systemdService('etcd.service', (host, reason) => emit({ type: 'waiting', host, reason })),
    who: `${io.who.user}@${hostname()} (pid ${io.who.pid})`,
    runId: () => runId(io.paths.state, hostname(), io.who.pid),
    caPassphrase: io.secrets.caPassphrase,
    record: (decided) => recordDecided(io, request.profile, decided),
    now: Date.now,
  });
}

/** Only a stored profile is written to, and only when it says something else. */
async function recordDecided(
  io: CommandIo,
  loaded: LoadedProfile,
  { token, caFingerprint }: { token: string; caFingerprint?: string },
): Promise<void> {
  await new ProfileStore(io.paths.config).record(loaded, (file) => ({
    ...file,
    etcd: { ...file.etcd, token },
    ...(caFingerprint !== undefined && { ca: { ...file.ca, fingerprint: caFingerprint } }),
  }));
}

/** The same surroundings with the secrets read from the files that flags name; flags never hold a secret themselves. */
export async function withSecretFiles(io: CommandIo, access: AccessOptions): Promise<CommandIo> {
  const from = async (file: string | undefined, given: string | undefined) =>
    file === undefined ? given : await readSecretFile(file);
  const secrets = {
    sudoPassword: await from(access.sudoPasswordFile, io.secrets.sudoPassword),
    sshPassword: await from(access.sshPasswordFile, io.secrets.sshPassword),
    caPassphrase: await from(access.caPassphraseFile, io.secrets.caPassphrase),
  };
  return { ...io, secrets };
}
