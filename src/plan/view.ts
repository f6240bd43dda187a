/** Profile, facts and state laid side by side, host by host: what every check and every step of the plan reads. */
import { goArchOf } from '../etcd/arch.ts';
import { parseEnvironmentFile } from '../etcd/environment-file.ts';
import { type Layout, layoutOf } from '../etcd/layout.ts';
import { type Member, membersOf } from '../etcd/members.ts';
import { writtenFor } from '../etcd/render.ts';
import { upstreamVersion } from '../etcd/versions.ts';
import type { EtcdProcess, FileFact, HostFacts, ServiceFact } from '../facts.ts';
import type { Anchor, CertificateInfo } from '../pki/types.ts';
import type { ProfileHost } from '../profile/schema.ts';
import { quote } from '../quote.ts';
import { isSignedBy } from './leaves.ts';
import type { ControllerState, Plan, PlanInput } from './types.ts';

/** One host that was looked at. */
export interface HostView {
  name: string;
  host: ProfileHost;
  member: Member;
  facts: HostFacts;
  layout: Layout;
  goArch: string;
  /** The variables of its environment file, if it has one. */
  current?: Record<string, string>;
  /** The cluster for which etcd-wizard wrote its configuration. */
  writtenFor?: string;
  /** Carries this cluster's configuration or a certificate of its CA. */
  ours: boolean;
  /** It is ours and its data directory holds a write-ahead log: the member has been started before. */
  started: boolean;
  service?: ServiceFact;
  /** Our member, running. */
  process?: EtcdProcess;
  /** Every other etcd on the host. */
  foreign: EtcdProcess[];
  /** The distribution's package has to be installed. */
  install: boolean;
  /** etcd's version there, as found or as it will be installed. */
  version?: string;
  binary: string;
  takeOver: boolean;
}

export interface ClusterView {
  input: PlanInput;
  /** The profile as it stands in a command, quoted. */
  called: string;
  hosts: HostView[];
  state: Plan['state'];
  token: string;
  /** Anchors that this cluster has. */
  anchors: Anchor[];
  /** The CAs that are known here. */
  ca: Partial<Record<Anchor, CertificateInfo>>;
}

export function viewOf(input: PlanInput): ClusterView {
  const { profile, state } = input;
  const anchors: Anchor[] = profile.ca.peers === 'same' ? ['client'] : ['client', 'peer'];
  const ca: ClusterView['ca'] = {};
  for (const anchor of anchors) {
    const pem = state.ca[anchor]?.certificatePem;
    const info = pem === undefined ? undefined : inspectOrNothing(input, pem);
    if (info) ca[anchor] = info;
  }
  const members = membersOf(profile);
  const hosts = profile.hosts.flatMap((host, index) => {
    const facts = input.facts.find((each) => each.host === host.name);
    const member = members[index];
    return facts && member ? [hostView(input, host, member, facts, ca)] : [];
  });
  return {
    input,
    called: quote(input.profileName ?? profile.name),
    hosts,
    state: stateOf(input, hosts),
    token: tokenOf(input, hosts),
    anchors,
    ca,
  };
}

function hostView(
  input: PlanInput,
  host: ProfileHost,
  member: Member,
  facts: HostFacts,
  ca: ClusterView['ca'],
): HostView {
  const { profile, embedded } = input;
  const layout = layoutOf(profile, host, embedded);
  const text = facts.files[layout.confFile]?.content;
  const certificates = Object.values(layout.certificates).flatMap(
    ({ cert }) => inspectFile(input, facts.files[cert]) ?? [],
  );
  const current = text === undefined ? undefined : parseEnvironmentFile(text);
  const author = text === undefined ? undefined : writtenFor(text);
  const ours =
    author === profile.name ||
    (author === undefined && certificates.some((info) => Object.values(ca).some((issuer) => isSignedBy(info, issuer))));
  const dataDirs = [layout.dataDir, ...(author === profile.name ? [current?.ETCD_DATA_DIR] : [])];
  const process = facts.etcdProcesses.find(
    (each) => ours && dataDirs.includes(each.dataDir ?? each.environment.ETCD_DATA_DIR),
  );
  const wanted = profile.etcd.install ?? (facts.etcd ? 'present' : 'package');
  const install = !embedded && wanted === 'package' && facts.package.installed === undefined;
  const packaged = facts.package.candidate === undefined ? undefined : upstreamVersion(facts.package.candidate);
  const version = embedded?.etcdVersion ?? (install ? packaged : facts.etcd?.version);
  return {
    name: host.name,
    host,
    member,
    facts,
    layout,
    goArch: goArchOf(facts),
    ...(current && { current }),
    ...(author !== undefined && { writtenFor: author }),
    ours,
    started: ours && facts.dataDirs[layout.dataDir]?.hasWal === true,
    ...(layout.serviceName !== undefined &&
      facts.services[layout.serviceName] && { service: facts.services[layout.serviceName] }),
    ...(process && { process }),
    // Members of `try` share one machine with each other and with whatever else runs there; ports tell when it is in the way.
    foreign: embedded ? [] : facts.etcdProcesses.filter((each) => each !== process),
    install,
    ...(version !== undefined && { version }),
    binary: embedded?.etcdPath ?? (install ? PACKAGE_BINARY : (facts.etcd?.path ?? PACKAGE_BINARY)),
    takeOver: input.takeOver.includes(host.name),
  };
}

const PACKAGE_BINARY = '/usr/bin/etcd';

/** Its process is there, or systemd says so where processes could not be told apart. */
export const isRunning = (view: HostView): boolean =>
  view.process !== undefined ||
  (view.ours &&
    view.foreign.length === 0 &&
    view.layout.serviceName !== undefined &&
    view.service?.active === 'active');

/** Quorum by what the members themselves say; without a word from them by what lies on the hosts. */
function stateOf({ observed, state }: PlanInput, hosts: readonly HostView[]): Plan['state'] {
  const voters = observed?.members.filter(({ isLearner }) => !isLearner).length ?? 0;
  if (observed && observed.healthy.length > voters / 2) return 'running';
  return observed === undefined && state.bootstrappedAt === undefined && hosts.every(({ started }) => !started)
    ? 'new'
    : 'stopped';
}

/** Decided once: by the profile, by this controller, or by another one whose hosts carry it. */
function tokenOf({ profile, state, freshToken }: PlanInput, hosts: readonly HostView[]): string {
  const carried = hosts.find((view) => view.writtenFor === profile.name)?.current?.ETCD_INITIAL_CLUSTER_TOKEN;
  return profile.etcd.token ?? state.resolved?.token ?? carried ?? freshToken;
}

/** What this controller knows of the cluster: enough to say that it was begun here. */
export const isKnownHere = (state: ControllerState): boolean =>
  state.resolved?.token !== undefined || state.bootstrappedAt !== undefined;

/** @returns undefined when the file is not there, could not be read or is no certificate */
export function inspectFile(
  input: Pick<PlanInput, 'inspect'>,
  file: FileFact | undefined,
): CertificateInfo | undefined {
  return file?.content === undefined ? undefined : inspectOrNothing(input, file.content);
}

export function inspectOrNothing({ inspect }: Pick<PlanInput, 'inspect'>, pem: string): CertificateInfo | undefined {
  try {
    return inspect(pem);
  } catch {
    // Not a certificate: for planning the same as none, it is written anew.
    return undefined;
  }
}
