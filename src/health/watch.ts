/** A live source for the health pane: kept connections, every endpoint by itself, so that a dead one delays no other. */
import type { HealthSource } from '../../components/services.ts';
import { pause } from '../apply/parallel.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { Dial, Timeouts } from './connect.ts';
import { EndpointError } from './failure.ts';
import type { EtcdMember } from './gateway.ts';
import { judge } from './judge.ts';
import { Link } from './link.ts';
import type { ClusterHealth, Endpoint, Sample, TlsCredentials } from './types.ts';

export interface HealthSourceOptions {
  title: string;
  endpoints: readonly Endpoint[];
  credentials: TlsCredentials;
  /** By endpoint name: the way through the host's SSH connection, where there is no direct one. */
  dialers?: ReadonlyMap<string, Dial>;
  timeouts?: Partial<Timeouts>;
  /** Member names of the profile. */
  expected?: readonly string[];
  extraCertificates?: readonly { name: string; certificate: CertificateInfo }[];
  onClose?: () => void;
}

/** How much longer a look waits for endpoints that failed last time than for those that answered, milliseconds. */
const GRACE_MS = 200;
/** The member list changes seldom: asked for again after so many looks. */
const LIST_EVERY = 30;

/** @throws EndpointError for an endpoint's URL that is none */
export function createHealthSource(options: HealthSourceOptions): HealthSource {
  const watched = options.endpoints.map(
    (endpoint) =>
      new Watched(
        new Link(endpoint, options.credentials, {
          fallback: options.dialers?.get(endpoint.name),
          timeouts: options.timeouts,
        }),
      ),
  );
  let members: EtcdMember[] | undefined;
  let looks = 0;
  let current: Promise<ClusterHealth> | undefined;

  const lookAt = async (): Promise<ClusterHealth> => {
    const samples = await lookAtAll(watched);
    const newcomer = samples.some(
      ({ memberId }) => memberId !== undefined && !members?.some(({ id }) => id === memberId),
    );
    if (newcomer || looks++ % LIST_EVERY === 0) members = (await listMembers(watched)) ?? members;
    return judge(
      samples.map((sample) => named(sample, members, options.expected !== undefined)),
      {
        now: Date.now(),
        expected: options.expected,
        known: members,
        extraCertificates: options.extraCertificates,
      },
    );
  };
  return {
    title: options.title,
    look: () => {
      current ??= lookAt().finally(() => {
        current = undefined;
      });
      return current;
    },
    close: () => {
      for (const { link } of watched) link.close();
      options.onClose?.();
    },
  };
}

class Watched {
  readonly link: Link;
  last: Sample | undefined;
  #pending: Promise<void> | undefined;

  constructor(link: Link) {
    this.link = link;
  }

  /** Joins the look that is under way, or begins one. */
  refresh(): Promise<void> {
    this.#pending ??= this.link.look().then((sample) => {
      // Which member an endpoint leads to is remembered while it is down.
      const memberId = sample.memberId ?? this.last?.memberId;
      this.last = memberId === undefined ? sample : { ...sample, memberId };
      this.#pending = undefined;
    });
    return this.#pending;
  }
}

async function lookAtAll(watched: readonly Watched[]): Promise<Sample[]> {
  const failing = watched.filter(({ last }) => last?.failedAt !== undefined);
  const slow = Promise.all(failing.map((each) => each.refresh()));
  await Promise.all(watched.filter((each) => !failing.includes(each)).map((each) => each.refresh()));
  if (failing.length > 0) await Promise.race([slow, pause(GRACE_MS)]);
  return watched.flatMap(({ last }) => last ?? []);
}

async function listMembers(watched: readonly Watched[]): Promise<EtcdMember[] | undefined> {
  const able = watched.find(({ last }) => last?.quorumRead === true && !last.limited);
  if (able === undefined) return undefined;
  try {
    return (await able.link.client.members()).members;
  } catch (thrown) {
    // Names are an extra: without them the endpoints keep their addresses.
    if (thrown instanceof EndpointError) return undefined;
    throw thrown;
  }
}

/** An endpoint given by address gets its member's name, also while that member is down; one of a profile keeps the profile's. */
function named(sample: Sample, members: readonly EtcdMember[] | undefined, byProfile: boolean): Sample {
  if (byProfile || members === undefined) return sample;
  const { endpoint, memberId } = sample;
  const name = members.find(({ id, clientUrls }) =>
    memberId === undefined ? clientUrls.includes(endpoint.url) : id === memberId,
  )?.name;
  return name ? { ...sample, endpoint: { ...endpoint, name } } : sample;
}
