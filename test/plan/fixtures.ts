/**
 * Hosts and a controller that exist in memory only: facts as a healthy host would report them, certificates that are JSON
 * instead of DER, and what an action would do to them. So plans can be carried out, cut off and made again in no time.
 */
import { createHash } from 'node:crypto';
import { parseEnvironmentFile } from '../../src/etcd/environment-file.ts';
import { layoutOf } from '../../src/etcd/layout.ts';
import { membersOf } from '../../src/etcd/members.ts';
import type { EtcdProcess, FileFact, HostFacts } from '../../src/facts.ts';
import type { Anchor, CertificateInfo, LeafSpec } from '../../src/pki/types.ts';
import { planCluster } from '../../src/plan/plan.ts';
import type { Action, ControllerState, Plan, PlanInput } from '../../src/plan/types.ts';
import type { Profile } from '../../src/profile/schema.ts';
import { profileOf } from '../etcd/fixtures.ts';

export const NOW = Date.UTC(2026, 10, 21, 12);
export const DAY = 86_400_000;
const GIB = 2 ** 30;

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

/** A CA or leaf as the inspector reads it back. */
const fakePem = (info: Partial<CertificateInfo>): string => JSON.stringify(info);

export function inspect(pem: string): CertificateInfo {
  return JSON.parse(pem) as CertificateInfo;
}

export const fakeCa = (anchor: Anchor, name = 'homelab', salt = ''): string =>
  fakePem({
    fingerprint: `SHA256:${sum(`${name}${anchor}${salt}`)}`,
    commonName: `${name} etcd ${anchor === 'peer' ? 'peer CA' : 'client CA'}`,
    subject: `CN=${name} ${anchor}`,
    subjectKeyId: `${name}-${anchor}${salt}`,
    isCa: true,
  });

export function fakeLeaf(spec: LeafSpec, issuer: CertificateInfo, notBefore = NOW, serial = 1): string {
  return fakePem({
    fingerprint: `SHA256:${sum(`${spec.id}${notBefore}${serial}`)}`,
    commonName: spec.commonName,
    issuer: issuer.subject,
    authorityKeyId: issuer.subjectKeyId,
    dnsNames: spec.dnsNames,
    ipAddresses: spec.ipAddresses,
    notBefore,
    notAfter: notBefore + spec.validityDays * DAY,
    isCa: false,
    extendedKeyUsage: spec.role === 'client' ? ['clientAuth'] : ['serverAuth', 'clientAuth'],
    publicKeyAlgorithm: spec.keyAlgorithm,
    publicKey: `public ${spec.id} ${serial}`,
  });
}

export interface World {
  input: PlanInput;
  serial: number;
}

/** A Debian host with nothing of ours on it and etcd installed, its service down. */
export function readyFacts(profile: Profile, name: string): HostFacts {
  const host = profile.hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  const { dataDir, confFile } = layoutOf(profile, host);
  const mount = (path: string) => ({
    path,
    fsType: 'ext4',
    availableBytes: 20 * GIB,
    sizeBytes: 30 * GIB,
    source: '/dev/mmcblk0p2',
  });
  return {
    host: name,
    user: 'pi',
    uid: 1000,
    privilege: 'sudo',
    hostname: name,
    machineId: sum(name).slice(0, 32),
    os: { id: 'debian', versionId: '13', name: 'Debian 13' },
    kernelArch: 'aarch64',
    userlandBits: 64,
    packageArch: 'arm64',
    init: 'systemd',
    initVersion: '257',
    clock: { skewMs: 3, errorMs: 5, synchronised: true, service: 'systemd-timesyncd' },
    addresses: [
      { interface: 'lo', address: '127.0.0.1', dynamic: false },
      { interface: 'eth0', address: host.address, dynamic: false },
    ],
    resolves: Object.fromEntries(
      profile.hosts.flatMap(({ dnsNames, address }) => dnsNames.map((each) => [each, [address]])),
    ),
    etcd: { path: '/usr/bin/etcd', version: '3.5.16' },
    package: { manager: 'apt', name: 'etcd-server', installed: '3.5.16-4', candidate: '3.5.16-4' },
    etcdProcesses: [],
    listeners: [{ port: 22, address: '0.0.0.0', process: 'sshd', pid: 400 }],
    mounts: ['/', dataDir, '/etc/etcd'].map((path) => mount(path === confFile ? '/etc/etcd' : path)),
    files: {},
    dataDirs: {},
    services: { etcd: { name: 'etcd', exists: true, active: 'inactive', enabled: false, masked: false } },
    etcdUser: true,
    cores: 4,
    memoryBytes: 4 * GIB,
    tools: ['openssl'],
  };
}

/** Nothing of the cluster exists yet: hosts are ready, the controller knows nothing. */
export function newWorld(changes: Record<string, unknown> = {}): World {
  const profile = profileOf(changes);
  const state: ControllerState = { ca: {}, issued: {}, clients: {} };
  return {
    serial: 0,
    input: {
      profile,
      facts: profile.hosts.map(({ name }) => readyFacts(profile, name)),
      unreachable: [],
      state,
      dials: [],
      now: NOW,
      freshToken: 'homelab-fresh',
      takeOver: [],
      inspect,
      stamp: '20261121T120000Z',
    },
  };
}

/** A cluster that was made by the plan itself and has been proved. */
export function healthyWorld(changes: Record<string, unknown> = {}): World {
  const world = newWorld(changes);
  const plan = planCluster(world.input);
  carryOut(world, plan, plan.actions);
  world.input.state.bootstrappedAt = NOW;
  observe(world);
  return world;
}

export const factsOf = ({ input }: World, name: string): HostFacts => {
  const facts = input.facts.find(({ host }) => host === name);
  if (!facts) throw new Error(`no facts of ${name}`);
  return facts;
};

const layoutIn = ({ input }: World, name: string) => layoutOf(input.profile, { name }, input.embedded);

/** What members say of themselves: those that run are healthy; without a majority nobody answers. */
export function observe(world: World): void {
  const { profile } = world.input;
  const running = world.input.facts.filter(({ etcdProcesses }) => etcdProcesses.length > 0).map(({ host }) => host);
  if (running.length <= profile.hosts.length / 2) {
    delete world.input.observed;
    return;
  }
  world.input.observed = {
    clusterId: 'c1',
    healthy: running,
    leader: running[0],
    members: membersOf(profile).map(({ name, peerUrl, clientUrl }) => ({
      id: name,
      name,
      peerUrls: [peerUrl],
      clientUrls: factsOf(world, name).dataDirs[layoutIn(world, name).dataDir]?.hasWal ? [clientUrl] : [],
      isLearner: false,
    })),
  };
}

/** Does to the world what each action would do to hosts and controller. */
export function carryOut(world: World, plan: Plan, actions: readonly Action[]): void {
  world.input.state.resolved = plan.resolved;
  for (const action of actions) perform(world, action);
}

function perform(world: World, action: Action): void {
  const { state, profile } = world.input;
  if (action.kind === 'mint-ca') {
    for (const anchor of action.anchors)
      state.ca[anchor] = { certificatePem: fakeCa(anchor, profile.name), hasKey: true };
    return;
  }
  if (action.kind === 'issue-client') {
    state.clients[action.leaf.commonName] = issue(world, action.leaf).certificatePem;
    return;
  }
  const facts = factsOf(world, action.host);
  const layout = layoutIn(world, action.host);
  const service = facts.services.etcd;
  switch (action.kind) {
    case 'install-package':
      facts.package.installed = facts.package.candidate;
      facts.etcd = { path: '/usr/bin/etcd', version: plannedVersion(facts) };
      facts.etcdUser = true;
      return;
    case 'stop-foreign':
      facts.etcdProcesses = facts.etcdProcesses.filter(
        (process) => process.service !== action.service.replace('.service', ''),
      );
      if (service && action.service === 'etcd.service') Object.assign(service, { active: 'inactive', enabled: false });
      return;
    case 'move-aside':
      delete facts.dataDirs[action.from];
      return;
    case 'ensure-user':
      facts.etcdUser = true;
      return;
    case 'files':
      putFiles(world, facts, action);
      if (service && action.enable) service.enabled = true;
      return;
    case 'start':
    case 'restart':
      facts.etcdProcesses = [memberProcess(facts, layout.confFile)];
      facts.dataDirs[layout.dataDir] = { path: layout.dataDir, exists: true, hasWal: true, empty: false };
      if (service) Object.assign(service, { active: 'active', needsReload: false, mainPid: 900 });
      return;
    default:
      return;
  }
}

const plannedVersion = (facts: HostFacts): string => facts.package.candidate?.split('-')[0] ?? '0.0.0';

function issue(world: World, spec: LeafSpec): { certificatePem: string; keyPem: string } {
  const pem = world.input.state.ca[spec.anchor]?.certificatePem;
  if (pem === undefined) throw new Error(`no CA for ${spec.id}`);
  world.serial += 1;
  return {
    certificatePem: fakeLeaf(spec, inspect(pem), world.input.now, world.serial),
    keyPem: `key ${spec.id} ${world.serial}`,
  };
}

function putFiles(world: World, facts: HostFacts, action: Extract<Action, { kind: 'files' }>): void {
  const { state } = world.input;
  for (const { path, mode, owner = 'me', group = 'me' } of action.folders)
    facts.files[path] = { path, kind: 'folder', mode, owner, group, size: 0 };
  const issued = new Map(action.leaves.map((leaf) => [leaf.id, issue(world, leaf)]));
  for (const { path, content, mode, owner = 'me', group = 'me', change } of action.files) {
    const before = facts.files[path];
    if (change === 'mode' && before) {
      facts.files[path] = { ...before, mode, owner, group };
      continue;
    }
    const base: FileFact = { path, kind: 'file', mode, owner, group, size: 1 };
    const bytes =
      content.kind === 'text'
        ? content.text
        : content.kind === 'trust'
          ? state.ca[content.anchor]?.certificatePem
          : content.kind === 'certificate'
            ? issued.get(content.leaf)?.certificatePem
            : issued.get(content.leaf)?.keyPem;
    if (bytes === undefined) throw new Error(`nothing to write to ${path}`);
    facts.files[path] = { ...base, sha256: sum(bytes), ...(content.kind !== 'key' && { content: bytes }) };
  }
  for (const [id, { certificatePem, keyPem }] of issued) state.issued[id] = { certificatePem, keySha256: sum(keyPem) };
}

function memberProcess(facts: HostFacts, confFile: string): EtcdProcess {
  const environment = parseEnvironmentFile(facts.files[confFile]?.content ?? '');
  return {
    pid: 900,
    user: 'etcd',
    argv: ['/usr/bin/etcd'],
    environment,
    service: 'etcd',
    dataDir: environment.ETCD_DATA_DIR,
  };
}

/** What Debian's package starts by itself. */
export const packageDefault = (changes: Partial<EtcdProcess> = {}): EtcdProcess => ({
  pid: 700,
  user: 'etcd',
  argv: ['/usr/bin/etcd'],
  environment: { ETCD_NAME: 'pi1', ETCD_DATA_DIR: '/var/lib/etcd/default' },
  service: 'etcd',
  dataDir: '/var/lib/etcd/default',
  keyCount: 0,
  ...changes,
});

/** A member that is down: no process, its data still there. */
export function stopMember(world: World, name: string): void {
  const facts = factsOf(world, name);
  facts.etcdProcesses = [];
  if (facts.services.etcd) Object.assign(facts.services.etcd, { active: 'inactive' });
  observe(world);
}
