/** The health of a profile's cluster: endpoints, the client certificate of this machine, SSH as the way round. */
import type { Duplex } from 'node:stream';
import type { HealthSource } from '../../components/services.ts';
import { asWizardError, WizardError } from '../errors.ts';
import { membersOf } from '../etcd/members.ts';
import type { TlsCredentials } from '../health/types.ts';
import type { Profile } from '../profile/schema.ts';
import type { Transport } from '../remote/transport.ts';
import { ClusterState } from '../state/cluster.ts';
import type { CommandIo } from './io.ts';

/**
 * @param called the profile as the person named it, quoted: for the commands in messages
 * @throws WizardError `not-looked` when no usable client certificate of the cluster is on this machine
 */
export async function profileHealth(io: CommandIo, profile: Profile, called = profile.name): Promise<HealthSource> {
  const state = new ClusterState(io.paths.state, profile.name);
  const credentials = await lookedUp(() => firstClient(profile, state));
  if (!credentials) {
    throw new WizardError('not-looked', `No client certificate of ${profile.name} is on this machine.`, {
      why: 'Without one etcd tells nobody how it is. It is made by a replay, on the machine that runs it.',
      next: [`etcd-wizard replay ${called}`],
    });
  }
  const { createHealthSource } = await import('../health/watch.ts');
  const { inspectAll } = await import('../pki/index.ts');
  const issued = await lookedUp(() => state.issued());
  const ways = new SshWays(io, profile);
  return createHealthSource({
    title: profile.name,
    endpoints: membersOf(profile).map(({ name, clientUrl }) => ({ name, url: clientUrl })),
    credentials,
    expected: profile.hosts.map(({ name }) => name),
    // The peer certificates are not seen on the client port; they are known from when they were issued.
    extraCertificates: Object.entries(issued).flatMap(([id, { certificatePem }]) => {
      const [name = ''] = id.split('/');
      const [certificate] = inspectAll(certificatePem);
      return certificate && profile.hosts.some((host) => host.name === name) ? [{ name, certificate }] : [];
    }),
    dialers: new Map(
      membersOf(profile).map(({ name, address, clientPort }) => [name, () => ways.dial(name, address, clientPort)]),
    ),
    onClose: () => void ways.close(),
  });
}

/** What stands in the way here says nothing of the cluster: `health` must not end as if it had no quorum. */
async function lookedUp<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    const { code, message, why, next } = asWizardError(thrown);
    if (code !== 'state') throw thrown;
    throw new WizardError('not-looked', message, { why, next: [...next], cause: thrown });
  }
}

/** The first client of the profile whose bundle is on this machine. */
export async function firstClient(
  profile: Profile,
  state: ClusterState,
): Promise<Required<TlsCredentials> | undefined> {
  for (const { commonName } of profile.certificates.clients) {
    const bundle = await state.client(commonName);
    if (bundle) return bundle;
  }
  return undefined;
}

/** SSH connections opened only when an endpoint cannot be dialled directly; nobody is asked anything for them. */
class SshWays {
  readonly #open = new Map<string, Promise<Transport>>();
  readonly #io: CommandIo;
  readonly #profile: Profile;

  constructor(io: CommandIo, profile: Profile) {
    this.#io = io;
    this.#profile = profile;
  }

  async dial(name: string, address: string, port: number): Promise<Duplex> {
    let transport = this.#open.get(name);
    if (transport === undefined) {
      transport = this.#connect(name);
      // A failure is forgotten, so that the next look tries again.
      transport.catch(() => this.#open.delete(name));
      this.#open.set(name, transport);
    }
    return (await transport).dial(address, port);
  }

  async close(): Promise<void> {
    for (const transport of this.#open.values()) await transport.then((each) => each.close()).catch(() => undefined);
  }

  async #connect(name: string): Promise<Transport> {
    const host = this.#profile.hosts.find((each) => each.name === name);
    if (host === undefined) throw new WizardError('connect', `${name} is no host of ${this.#profile.name}.`);
    const { openTransport } = await import('../remote/connect.ts');
    return openTransport(host, {
      questions: { acceptHostKey: () => Promise.resolve(false), secret: () => Promise.resolve(undefined) },
      acceptNewHostKeys: false,
      environment: this.#io.environment,
      ownKnownHosts: this.#io.paths.knownHosts,
      signal: this.#io.signal,
    });
  }
}
