/** `try`: the same plan and apply on this machine's loopback, with processes instead of services; gone without a trace. */
import { join } from 'node:path';
import type { HealthSource } from '../../components/services.ts';
import type { Emit } from '../apply/events.ts';
import { converge } from '../converge/converge.ts';
import { layoutOf } from '../etcd/layout.ts';
import { membersOf } from '../etcd/members.ts';
import type { Interaction } from '../front/interaction.ts';
import { runInFront, wantsInk } from '../front/run.ts';
import type { Embedded } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import { quote } from '../quote.ts';
import type { Transport } from '../remote/transport.ts';
import { ClusterState } from '../state/cluster.ts';
import { firstClient } from './health-source.ts';
import type { CommandIo } from './io.ts';

/** @returns 0 healthy (or the pane was left); failures are thrown */
export async function tryHere(io: CommandIo, options: { members: number; once?: boolean }): Promise<number> {
  if (!options.once && (await wantsInk(io))) {
    const { openWith } = await import('./app.ts');
    return openWith(io, { start: 'try', members: options.members });
  }
  const code = await runInFront(io, { title: 'try', hosts: [] }, async (_, emit, signal) => {
    const cluster = await startCluster(io, options.members, emit, signal);
    try {
      if (!options.once) await watch(io, cluster);
      return { outcome: 'healthy', summary: [...cluster.proof, 'Stopped and cleaned up.'] };
    } finally {
      await cluster.stop();
    }
  });
  return code;
}

/** For the app: a running cluster's health; closing it stops the members and removes their files. */
export async function startTry(
  io: CommandIo,
  members: number,
  emit: Emit,
  signal: AbortSignal,
  onStop: (stopping: Promise<void>) => void,
): Promise<HealthSource> {
  const cluster = await startCluster(io, members, emit, signal);
  return cluster.health(() => onStop(cluster.stop()));
}

interface TryCluster {
  /** What was proved. */
  proof: string[];
  /** How to reach it while it runs. */
  reach: string[];
  health(onClose: () => void): Promise<HealthSource>;
  stop(): Promise<void>;
}

/** @throws WizardError when etcd cannot be had or the cluster does not come up; nothing is left running then */
async function startCluster(io: CommandIo, members: number, emit: Emit, signal: AbortSignal): Promise<TryCluster> {
  const { findEtcd } = await import('../embedded/find.ts');
  const { makeRunFolder, removeStaleFolders } = await import('../embedded/folder.ts');
  const { TRY_NAME, tryProfile } = await import('../embedded/profile.ts');
  const { EmbeddedService } = await import('../embedded/supervisor.ts');
  const { parseProfile } = await import('../profile/schema.ts');
  const { localTransport } = await import('../remote/local.ts');

  await removeStaleFolders(io.paths.cache);
  const etcd = await findEtcd({ cacheDir: io.paths.cache, emit, signal });
  emit({ type: 'note', text: `etcd ${etcd.version} from ${etcd.path}` });
  const folder = await makeRunFolder(io.paths.cache);
  const embedded: Embedded = { root: folder.path, etcdPath: etcd.path, etcdVersion: etcd.version };
  const service = new EmbeddedService(embedded);
  const stop = async () => {
    await service.stopAll();
    await folder.remove();
  };
  try {
    const parsed = parseProfile(await tryProfile(members));
    if (!parsed.ok) throw new Error(`the profile of try is not valid: ${JSON.stringify(parsed.problems)}`);
    const { profile } = parsed;
    const state = new ClusterState(join(folder.path, 'state'), TRY_NAME);
    const result = await converge({
      profile,
      profileName: TRY_NAME,
      state,
      interaction: agreeable,
      emit,
      signal,
      connect: async () =>
        new Map<string, Transport>(profile.hosts.map(({ name }) => [name, withoutRoot(localTransport(name))])),
      service,
      who: `${io.who.user} (pid ${io.who.pid})`,
      dryRun: false,
      takeOver: [],
      embedded,
      record: () => Promise.resolve(),
      now: Date.now,
    });
    return {
      proof: result.summary,
      reach: connectLines(profile, embedded),
      health: (onClose) => healthOf(profile, state, onClose),
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Nothing of `try` needs root: the look at this machine then asks for none. */
function withoutRoot(transport: Transport): Transport {
  transport.privilege = 'none';
  return transport;
}

/** `try` was asked for, touches nothing of anybody's, and has nobody's secrets. */
const agreeable: Interaction = {
  acceptPlan: () => Promise.resolve(true),
  acceptHostKey: () => Promise.resolve(false),
  secret: () => Promise.resolve(undefined),
};

async function healthOf(profile: Profile, state: ClusterState, onClose: () => void): Promise<HealthSource> {
  const { createHealthSource } = await import('../health/watch.ts');
  const credentials = await firstClient(profile, state);
  if (credentials === undefined) throw new Error('try made no client certificate');
  return createHealthSource({
    title: profile.name,
    endpoints: membersOf(profile).map(({ name, clientUrl }) => ({ name, url: clientUrl })),
    credentials,
    expected: profile.hosts.map(({ name }) => name),
    onClose,
  });
}

/** What etcdctl needs while the cluster runs: the first member's own client certificate. */
function connectLines(profile: Profile, embedded: Embedded): string[] {
  const [first] = profile.hosts;
  if (first === undefined) return [];
  const { certificates, trust } = layoutOf(profile, first, embedded);
  const endpoints = membersOf(profile).map(({ clientUrl }) => clientUrl);
  return [
    'To try etcdctl while it runs:',
    `export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=${quote(endpoints.join(','))}`,
    `export ETCDCTL_CACERT=${quote(trust.client)} ETCDCTL_CERT=${quote(certificates.client.cert)} ETCDCTL_KEY=${quote(certificates.client.key)}`,
  ];
}

/** Without a pane the cluster stays up, and is looked at, until it is interrupted. */
async function watch(io: CommandIo, cluster: TryCluster): Promise<void> {
  const { healthLines } = await import('../front/text.ts');
  for (const line of [...cluster.proof, ...cluster.reach]) io.err(line);
  const source = await cluster.health(() => undefined);
  try {
    let shown = '';
    while (!io.signal.aborted) {
      const look = await source.look();
      const lines = healthLines(look);
      if (look.state !== shown) for (const line of [...lines, 'Ctrl-C stops and cleans up.']) io.err(line);
      shown = look.state;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 2000);
        const end = () => {
          clearTimeout(timer);
          resolve();
        };
        io.signal.addEventListener('abort', end, { once: true });
      });
    }
  } finally {
    source.close();
  }
}
