import { describe, expect, it } from 'vitest';
import type { HostFacts } from '../../src/facts.ts';
import { planCluster } from '../../src/plan/plan.ts';
import type { PreflightFinding } from '../../src/plan/types.ts';
import type { Profile } from '../../src/profile/schema.ts';
import { factsOf, fakeCa, healthyWorld, newWorld, observe, readyFacts, stopMember, type World } from './fixtures.ts';

const findingsOf = (world: World) => planCluster(world.input).findings;
const brief = (findings: readonly PreflightFinding[]) =>
  findings.map(({ id, severity, hosts }) => `${severity} ${id} ${hosts.join(',')}`.trim());
const on = (name: string, change: (facts: HostFacts) => void) => (world: World) => change(factsOf(world, name));
const profile = (change: (profile: Profile) => Partial<Profile>) => (world: World) => {
  world.input.profile = { ...world.input.profile, ...change(world.input.profile) };
};
const inDns = { addressing: 'dns' };

type Case = [what: string, changes: Record<string, unknown>, change: (world: World) => unknown, expected: string[]];

/** Every check both ways: what it must see, and what must not alarm it. */
const OF_A_NEW_CLUSTER: Case[] = [
  ['three ready hosts', {}, () => undefined, []],
  ['no rights of root', {}, on('pi1', (facts) => (facts.privilege = 'none')), ['stop needs-sudo pi1']],
  ['sudo with a password', {}, on('pi1', (facts) => (facts.privilege = 'sudo-password')), []],
  ['OpenRC', {}, on('pi2', (facts) => (facts.init = 'openrc')), ['stop init pi2']],
  ['a stacked topology', { topology: 'stacked' }, () => undefined, ['stop unsupported']],
  [
    'a CA of somebody else',
    { ca: { source: 'existing', existing: { certFile: 'ca.pem' } } },
    () => undefined,
    ['stop unsupported'],
  ],
  [
    'a 32-bit userland',
    {},
    on('pi1', (facts) => Object.assign(facts, { packageArch: 'armhf', userlandBits: 32 })),
    ['warn 32-bit pi1'],
  ],
  [
    'no etcd though the profile says so',
    { etcd: { install: 'present' } },
    on('pi1', (facts) => delete facts.etcd),
    ['stop etcd-missing pi1'],
  ],
  [
    'no etcd and nothing in apt’s lists',
    {},
    on('pi1', (facts) => Object.assign(facts, { etcd: undefined, package: { manager: 'apt' } })),
    ['note package-lists pi1'],
  ],
  [
    'no etcd and another package manager',
    {},
    on('pi1', (facts) => Object.assign(facts, { etcd: undefined, package: { manager: 'dnf' } })),
    ['stop no-package pi1'],
  ],
  ['another version than wanted', { etcd: { version: '3.6.1' } }, () => undefined, ['stop etcd-version pi1,pi2,pi3']],
  ['the version that is wanted', { etcd: { version: '3.5.16' } }, () => undefined, []],
  [
    'versions one minor apart',
    {},
    on('pi1', (facts) => (facts.etcd = { path: '/usr/bin/etcd', version: '3.4.23' })),
    ['warn version-mix pi1,pi2,pi3'],
  ],
  [
    'versions two minors apart',
    {},
    on('pi1', (facts) => (facts.etcd = { path: '/usr/bin/etcd', version: '3.3.25' })),
    ['stop version-mix pi1,pi2,pi3'],
  ],
  [
    'a flag that this etcd does not have',
    { etcd: { extraArgs: { 'feature-gates': 'X=true' } } },
    () => undefined,
    ['stop unknown-flag pi1,pi2,pi3'],
  ],
  ['a flag that it has', { etcd: { extraArgs: { 'heartbeat-interval': 250 } } }, () => undefined, []],
  ['a clock hours behind', {}, on('pi2', (facts) => (facts.clock.skewMs = -11_520_000)), ['stop clock-skew pi2']],
  ['a clock 31 s ahead', {}, on('pi2', (facts) => (facts.clock.skewMs = 31_000)), ['stop clock-skew pi2']],
  [
    'a clock 31 s ahead by an uncertain measure',
    {},
    on('pi2', (facts) => (facts.clock = { skewMs: 31_000, errorMs: 2000, service: 'chronyd' })),
    ['warn clock-drift pi2'],
  ],
  ['a clock half a second off', {}, on('pi2', (facts) => (facts.clock.skewMs = 500)), []],
  [
    'a controller with a wrong clock',
    {},
    (world) => {
      for (const { clock } of world.input.facts) clock.skewMs = 90_000;
    },
    ['stop clock-skew pi1,pi2,pi3'],
  ],
  [
    'a clock that has not been set yet',
    {},
    on('pi3', (facts) => {
      facts.clock.synchronised = false;
    }),
    ['warn clock-unsynchronised pi3'],
  ],
  [
    'a clock that nothing sets',
    {},
    on('pi3', (facts) => {
      facts.clock = { skewMs: 0, errorMs: 5 };
    }),
    ['note clock-unattended pi3'],
  ],
  [
    'an address that the host does not have',
    {},
    on('pi1', (facts) => (facts.addresses = [{ interface: 'eth0', address: '192.168.1.7', dynamic: true }])),
    ['stop address-missing pi1'],
  ],
  [
    'a leased address',
    {},
    on('pi1', (facts) => {
      for (const each of facts.addresses) each.dynamic = each.interface === 'eth0';
    }),
    ['warn address-leased pi1'],
  ],
  [
    'another address that is leased',
    {},
    on('pi1', (facts) => facts.addresses.push({ interface: 'wlan0', address: '192.168.1.7', dynamic: true })),
    [],
  ],
  [
    'an IPv6 address written in another way',
    { hosts: [{ name: 'pi1', address: 'fd00::11' }] },
    on('pi1', (facts) => (facts.addresses = [{ interface: 'eth0', address: 'fd00:0:0::0:11', dynamic: false }])),
    ['note one-member'],
  ],
  [
    'a cloned machine',
    {},
    on('pi2', (facts) => (facts.machineId = readyFactsId())),
    ['warn duplicate-machine-id pi1,pi2'],
  ],
  [
    'one machine twice',
    {},
    on('pi2', (facts) => Object.assign(facts, { machineId: readyFactsId(), hostname: 'pi1' })),
    ['stop same-machine pi1,pi2'],
  ],
  ['names that resolve', inDns, () => undefined, []],
  [
    'a name unknown to one host',
    inDns,
    on('pi2', (facts) => (facts.resolves['etcd.az1.home'] = [])),
    ['stop name-unresolved pi2'],
  ],
  [
    'a name that leads elsewhere',
    inDns,
    on('pi2', (facts) => (facts.resolves['etcd.az1.home'] = ['10.0.99.9'])),
    ['stop name-elsewhere pi2'],
  ],
  [
    'a name that leads elsewhere too',
    inDns,
    on('pi2', (facts) => (facts.resolves['etcd.az1.home'] = ['10.0.11.1', '10.0.99.9'])),
    ['stop name-elsewhere pi2'],
  ],
  [
    'Debian’s 127.0.1.1',
    inDns,
    on('pi1', (facts) => (facts.resolves['etcd.az1.home'] = ['127.0.1.1'])),
    ['stop name-loopback pi1'],
  ],
  [
    'a name with a second address of the same host',
    inDns,
    (world) => {
      factsOf(world, 'pi1').addresses.push({ interface: 'eth0', address: 'fd00::1', dynamic: false });
      factsOf(world, 'pi2').resolves['etcd.az1.home'] = ['10.0.11.1', 'fd00::1'];
    },
    [],
  ],
  [
    'an unknown name while members advertise addresses',
    {},
    on('pi2', (facts) => (facts.resolves['etcd.az1.home'] = [])),
    ['warn name-unresolved pi2'],
  ],
  [
    'names in .local',
    { ...inDns, hosts: [{ name: 'pi1', address: '10.0.11.1', dnsNames: ['pi1.local'] }] },
    () => undefined,
    ['warn mdns-name pi1', 'note one-member'],
  ],
  [
    'names in .local that nobody dials',
    { addressing: 'ip', hosts: [{ name: 'pi1', address: '10.0.11.1', dnsNames: ['pi1.local'] }] },
    () => undefined,
    ['note one-member'],
  ],
  [
    'a port that is taken',
    {},
    on('pi1', (facts) => facts.listeners.push({ port: 2379, address: '0.0.0.0', process: 'consul', pid: 7 })),
    ['stop port-in-use pi1'],
  ],
  [
    'a metrics port that is taken on loopback',
    {},
    on('pi1', (facts) => facts.listeners.push({ port: 2381, address: '127.0.0.1', process: 'x', pid: 7 })),
    ['stop port-in-use pi1'],
  ],
  [
    'the same port at another address',
    {},
    on('pi1', (facts) => facts.listeners.push({ port: 2380, address: '192.168.1.7', process: 'x', pid: 7 })),
    [],
  ],
  [
    'a port that is filtered',
    {},
    (world) => world.input.dials.push({ from: 'pi1', to: 'pi2', port: 'peer', outcome: 'timeout' }),
    ['stop blocked pi1,pi2'],
  ],
  [
    'a port that is refused',
    {},
    (world) => world.input.dials.push({ from: 'pi1', to: 'pi2', port: 'peer', outcome: 'refused' }),
    [],
  ],
  [
    'forwarding forbidden',
    {},
    (world) => world.input.dials.push({ from: 'pi1', to: 'pi2', port: 'peer', outcome: 'unchecked' }),
    ['note dial-unchecked pi1'],
  ],
  [
    'no route from the controller',
    {},
    (world) => world.input.dials.push({ from: 'controller', to: 'pi2', port: 'client', outcome: 'timeout' }),
    ['note controller-no-route pi2'],
  ],
  [
    'data in memory',
    {},
    on('pi1', (facts) => setMount(facts, '/var/lib/etcd/homelab', { fsType: 'tmpfs' })),
    ['stop volatile-data pi1'],
  ],
  [
    'data on an overlay',
    {},
    on('pi1', (facts) => setMount(facts, '/var/lib/etcd/homelab', { fsType: 'overlay' })),
    ['warn volatile-data pi1'],
  ],
  [
    'a root on an overlay, data on a disk',
    {},
    on('pi1', (facts) => setMount(facts, '/', { fsType: 'overlay' })),
    ['warn volatile-root pi1'],
  ],
  [
    'little room',
    {},
    on('pi1', (facts) => setMount(facts, '/var/lib/etcd/homelab', { availableBytes: 2 ** 30 })),
    ['warn disk-space pi1'],
  ],
  [
    'hardly any room',
    {},
    on('pi1', (facts) => setMount(facts, '/var/lib/etcd/homelab', { availableBytes: 2 ** 20 })),
    ['stop disk-space pi1'],
  ],
  [
    'a full system disk',
    {},
    on('pi1', (facts) => setMount(facts, '/etc/etcd', { availableBytes: 4096 })),
    ['stop disk-full pi1'],
  ],
  ['data without configuration', {}, on('pi1', (facts) => addData(facts, true)), ['stop left-over-data pi1']],
  ['an empty data directory', {}, on('pi1', (facts) => addData(facts, false)), []],
  [
    'data without configuration on a host that was named',
    {},
    (world) => {
      addData(factsOf(world, 'pi1'), true);
      world.input.takeOver = ['pi1'];
    },
    ['warn left-over-data pi1'],
  ],
  [
    'data that could not be looked at',
    {},
    on('pi1', (facts) => {
      facts.dataDirs['/var/lib/etcd/homelab'] = {
        path: '/var/lib/etcd/homelab',
        exists: true,
        hasWal: false,
        empty: false,
        unreadable: true,
      };
    }),
    ['stop unreadable pi1', 'stop left-over-data pi1'],
  ],
  [
    'certificates of somebody else',
    {},
    on(
      'pi1',
      (facts) =>
        (facts.files['/etc/etcd/ssl/ca.pem'] = {
          path: '/etc/etcd/ssl/ca.pem',
          kind: 'file',
          mode: 0o644,
          owner: 'root',
          group: 'root',
          size: 9,
          content: 'x',
        }),
    ),
    ['warn files-replaced pi1'],
  ],
  [
    'a masked unit',
    {},
    on(
      'pi1',
      (facts) =>
        (facts.files['/etc/systemd/system/etcd.service'] = {
          path: '/etc/systemd/system/etcd.service',
          kind: 'link',
          mode: 0o777,
          owner: 'root',
          group: 'root',
          size: 9,
          target: '/dev/null',
        }),
    ),
    [],
  ],
  [
    'two members',
    { hosts: [1, 2].map((n) => ({ name: `pi${n}`, address: `10.0.${n}1.1` })) },
    () => undefined,
    ['note even-members'],
  ],
  ['one member', { hosts: [{ name: 'pi1', address: '10.0.11.1' }] }, () => undefined, ['note one-member']],
  [
    'a CA that the profile names and nobody has',
    { ca: { fingerprint: 'SHA256:AA:BB' } },
    () => undefined,
    ['stop ca-missing'],
  ],
];

const OF_A_RUNNING_CLUSTER: Case[] = [
  ['a cluster that is well', {}, () => undefined, []],
  [
    'little room under a member that runs',
    {},
    on('pi1', (facts) => setMount(facts, '/var/lib/etcd/homelab', { availableBytes: 2 ** 20 })),
    ['warn disk-space pi1'],
  ],
  [
    'its own ports',
    {},
    on('pi1', (facts) => facts.listeners.push({ port: 2379, address: '10.0.11.1', process: 'etcd', pid: 900 })),
    [],
  ],
  [
    'another data directory',
    {},
    profile(({ etcd }) => ({ etcd: { ...etcd, dataDir: '/srv/etcd' } })),
    ['stop data-dir-changed pi1,pi2,pi3'],
  ],
  [
    'another token',
    {},
    profile(({ etcd }) => ({ etcd: { ...etcd, token: 'other' } })),
    ['stop token-changed pi1,pi2,pi3'],
  ],
  [
    'one CA instead of two',
    {},
    profile(({ ca }) => ({ ca: { ...ca, peers: 'same' } })),
    ['stop trust-changed pi1,pi2,pi3'],
  ],
  [
    'another peer port',
    {},
    profile(({ etcd }) => ({ etcd: { ...etcd, peerPort: 2390 } })),
    ['pi1', 'pi2', 'pi3'].map((name) => `stop peer-address-changed ${name}`),
  ],
  ['another cluster name', {}, profile(() => ({ name: 'garage' })), ['stop other-cluster-runs pi1,pi2,pi3']],
  [
    'another cluster name while its members are down',
    {},
    (world) => {
      for (const name of ['pi1', 'pi2', 'pi3']) stopMember(world, name);
      world.input.state = { ca: {}, issued: {}, clients: {} };
      world.input.profile = {
        ...world.input.profile,
        name: 'garage',
        etcd: { ...world.input.profile.etcd, dataDir: '/srv/etcd/garage' },
      };
    },
    ['pi1', 'pi2', 'pi3'].map((name) => `stop other-cluster ${name}`),
  ],
  [
    'a host more',
    {},
    (world) => {
      const hosts = [
        ...world.input.profile.hosts,
        { ...world.input.profile.hosts[0], name: 'pi4', address: '10.0.41.1', dnsNames: [] },
      ] as Profile['hosts'];
      world.input.profile = { ...world.input.profile, hosts };
      world.input.facts.push(readyFacts(world.input.profile, 'pi4'));
    },
    ['stop member-missing pi4', 'note even-members'],
  ],
  [
    'a host less',
    {},
    profile(({ hosts }) => ({ hosts: hosts.slice(0, 2) })),
    ['stop member-surplus pi3', 'note even-members'],
  ],
  ['a lost log', {}, on('pi2', loseLog), ['stop wal-lost pi2']],
  [
    'a lost log while nobody answers',
    {},
    (world) => {
      loseLog(factsOf(world, 'pi2'));
      for (const name of ['pi1', 'pi2', 'pi3']) stopMember(world, name);
    },
    ['stop wal-lost pi2'],
  ],
  [
    'a lost log that a second controller cannot tell from a member that never was',
    {},
    (world) => {
      loseLog(factsOf(world, 'pi2'));
      for (const name of ['pi1', 'pi2', 'pi3']) stopMember(world, name);
      Object.assign(world.input.state, { resolved: undefined, bootstrappedAt: undefined });
    },
    ['stop wal-unsure pi2'],
  ],
  [
    'all logs lost',
    {},
    (world) => {
      world.input.facts.forEach(loseLog);
      for (const name of ['pi1', 'pi2', 'pi3']) stopMember(world, name);
    },
    ['stop data-lost pi1,pi2,pi3'],
  ],
  [
    'the state folder missing',
    {},
    (world) => (world.input.state = { ca: {}, issued: {}, clients: {} }),
    ['stop ca-elsewhere pi1,pi2,pi3'],
  ],
  [
    'the CA’s key missing',
    {},
    (world) => Object.assign(world.input.state.ca.client ?? {}, { hasKey: false }),
    ['stop ca-key-missing'],
  ],
  [
    'another CA of the same name on a host',
    {},
    on('pi1', (facts) =>
      Object.assign(facts.files['/etc/etcd/ssl/ca.pem'] ?? {}, { content: fakeCa('client', 'homelab', 'second') }),
    ),
    ['stop ca-mismatch pi1'],
  ],
  [
    'another CA than the profile names',
    {},
    profile(({ ca }) => ({ ca: { ...ca, fingerprint: 'SHA256:AA' } })),
    ['stop ca-fingerprint'],
  ],
  [
    'a CA certificate that is damaged here',
    {},
    (world) => Object.assign(world.input.state.ca.client ?? {}, { certificatePem: 'rubbish' }),
    ['stop ca-damaged'],
  ],
  [
    'a host that cannot be reached',
    {},
    (world) => {
      world.input.facts = world.input.facts.filter(({ host }) => host !== 'pi3');
      world.input.unreachable = [{ host: 'pi3', reason: 'timed out', next: [] }];
    },
    ['stop unreachable pi3'],
  ],
];

function readyFactsId(): string {
  return factsOf(newWorld(), 'pi1').machineId ?? '';
}

function setMount(facts: HostFacts, path: string, changes: Partial<HostFacts['mounts'][number]>): void {
  facts.mounts = facts.mounts.map((mount) => (mount.path === path ? { ...mount, ...changes } : mount));
}

function addData(facts: HostFacts, hasWal: boolean): void {
  facts.dataDirs['/var/lib/etcd/homelab'] = { path: '/var/lib/etcd/homelab', exists: true, hasWal, empty: !hasWal };
}

function loseLog(facts: HostFacts): void {
  facts.dataDirs['/var/lib/etcd/homelab'] = { path: '/var/lib/etcd/homelab', exists: true, hasWal: false, empty: true };
}

describe('before a new cluster is made', () => {
  it.each(OF_A_NEW_CLUSTER)('%s', (_, changes, change, expected) => {
    const world = newWorld(changes);
    change(world);
    expect(brief(findingsOf(world))).toEqual(expected);
  });
});

describe('before a running cluster is changed', () => {
  it.each(OF_A_RUNNING_CLUSTER)('%s', (_, changes, change, expected) => {
    const world = healthyWorld(changes);
    change(world);
    if (world.input.observed)
      world.input.observed.healthy = world.input.observed.healthy.filter((name) => factsOfAny(world, name));
    expect(brief(findingsOf(world))).toEqual(expected);
  });

  it('names the command that does what a replay does not', () => {
    const remedyOf = (change: (world: World) => unknown) => {
      const world = healthyWorld();
      change(world);
      return findingsOf(world).flatMap(({ remedy }) => remedy);
    };
    expect(remedyOf(on('pi2', loseLog))).toEqual(['etcd-wizard member replace homelab pi2 --address 10.0.21.1']);
    expect(
      remedyOf(
        profile(({ hosts }) => ({
          hosts: hosts.map((host) => (host.name === 'pi2' ? { ...host, address: '10.0.21.9' } : host)),
        })),
      ),
    ).toContain('etcd-wizard member replace homelab pi2 --address 10.0.21.9');
    expect(remedyOf(profile(({ hosts }) => ({ hosts: hosts.slice(0, 2) })))).toContain(
      'etcd-wizard member remove homelab pi3',
    );
  });

  it('names the profile as the person does', () => {
    const world = healthyWorld();
    world.input.profileName = 'my profiles/home.yaml';
    loseLog(factsOf(world, 'pi2'));
    expect(findingsOf(world)[0]?.remedy).toEqual([
      "etcd-wizard member replace 'my profiles/home.yaml' pi2 --address 10.0.21.1",
    ]);
  });

  it('lets a member join that was added to the first start but never came up', () => {
    const world = newWorld();
    const plan = planCluster(world.input);
    world.input.state.resolved = plan.resolved;
    expect(plan.actions.length).toBeGreaterThan(0);
    observe(world);
    expect(findingsOf(world)).toEqual([]);
  });
});

describe('every finding', () => {
  it.each(
    [...OF_A_NEW_CLUSTER, ...OF_A_RUNNING_CLUSTER].filter(([, , , expected]) =>
      expected.some((each) => each.startsWith('stop')),
    ),
  )('says what, why and what to do: %s', (what, changes, change) => {
    const world = OF_A_NEW_CLUSTER.some(([name]) => name === what) ? newWorld(changes) : healthyWorld(changes);
    change(world);
    for (const finding of findingsOf(world)) {
      expect(finding.what).toMatch(/\.$/);
      expect(finding.why).toMatch(/[.)]$|timed out/);
      if (finding.severity === 'stop' && finding.id !== 'unreachable') expect(finding.remedy.length).toBeGreaterThan(0);
    }
  });
});

const factsOfAny = ({ input }: World, name: string): boolean => input.facts.some(({ host }) => host === name);
