import { describe, expect, it } from 'vitest';
import { planCluster } from '../../src/plan/plan.ts';
import type { Action, ActionKind } from '../../src/plan/types.ts';
import {
  carryOut,
  DAY,
  factsOf,
  fakeLeaf,
  healthyWorld,
  inspect,
  NOW,
  newWorld,
  observe,
  packageDefault,
  stopMember,
  type World,
} from './fixtures.ts';

const idsOf = (world: World) => planCluster(world.input).actions.map(({ id }) => id);
const stopsOf = (world: World) =>
  planCluster(world.input).findings.flatMap(({ id, severity }) => (severity === 'stop' ? [id] : []));
const filesOf = (world: World, host: string) =>
  planCluster(world.input).actions.find(
    (action): action is Extract<Action, { kind: 'files' }> => action.kind === 'files' && action.host === host,
  );

describe('a new cluster', () => {
  it('is made in this order', () => {
    const { state, actions } = planCluster(newWorld().input);
    expect(state).toBe('new');
    const kinds = (host: string): ActionKind[] =>
      actions.filter((action) => action.host === host).map(({ kind }) => kind);
    expect(kinds('controller')).toEqual(['mint-ca', 'issue-client']);
    expect(kinds('pi2')).toEqual(['files', 'measure-disk', 'start']);
  });

  it('gets etcd from the package where it is missing, and its user from there too', () => {
    const world = newWorld();
    const facts = factsOf(world, 'pi1');
    delete facts.etcd;
    delete facts.package.installed;
    facts.etcdUser = false;
    facts.package.candidate = '3.4.23-4+b4';
    for (const each of ['pi2', 'pi3'])
      Object.assign(factsOf(world, each), { etcd: { path: '/usr/bin/etcd', version: '3.4.23' } });
    const plan = planCluster(world.input);
    expect(plan.actions.filter(({ host }) => host === 'pi1').map(({ kind }) => kind)).toEqual([
      'install-package',
      'files',
      'measure-disk',
      'start',
    ]);
    expect(plan.resolved.versions.pi1).toBe('3.4.23');
    // 3.4 on arm64 refuses to start without it.
    const conf = filesOf(world, 'pi1')?.files.find(({ path }) => path === '/etc/etcd/etcd.conf');
    expect(conf?.content.kind === 'text' && conf.content.text).toContain('ETCD_UNSUPPORTED_ARCH="arm64"');
  });

  it('fetches apt’s lists first where they do not know etcd, and is made again when its version is known', () => {
    const world = newWorld();
    Object.assign(factsOf(world, 'pi2'), { etcd: undefined, package: { manager: 'apt' } });
    const plan = planCluster(world.input);
    expect(plan).toMatchObject({ unfinished: true, actions: [{ id: 'install-package:pi2' }] });
    expect(plan.actions).toHaveLength(1);
  });

  it('adds the user where etcd was installed without one', () => {
    const world = newWorld();
    factsOf(world, 'pi3').etcdUser = false;
    expect(idsOf(world)).toContain('ensure-user:pi3');
  });

  it('holds no key and no secret, whatever is asked of it', () => {
    const keys = filesOf(newWorld(), 'pi1')?.files.filter(({ path }) => path.endsWith('-key.pem'));
    expect(keys).toHaveLength(3);
    expect(
      keys?.every(({ content, mode, owner }) => content.kind === 'key' && mode === 0o400 && owner === 'etcd'),
    ).toBe(true);
  });

  it('makes one CA where peers share it, two otherwise', () => {
    const anchorsOf = (changes: Record<string, unknown>) =>
      planCluster(newWorld(changes).input).actions.flatMap((action) =>
        action.kind === 'mint-ca' ? action.anchors : [],
      );
    expect(anchorsOf({})).toEqual(['client', 'peer']);
    expect(anchorsOf({ ca: { peers: 'same' } })).toEqual(['client']);
  });

  it('keeps the token that was decided, whoever decided it', () => {
    expect(planCluster(newWorld().input).resolved.token).toBe('homelab-fresh');
    expect(planCluster(newWorld({ etcd: { token: 'mine' } }).input).resolved.token).toBe('mine');
    const world = healthyWorld();
    world.input.freshToken = 'another';
    expect(planCluster(world.input).resolved.token).toBe('homelab-fresh');
    delete world.input.state.resolved;
    expect(planCluster(world.input).resolved.token).toBe('homelab-fresh');
  });

  it('runs on this machine below one folder, without owners, root or units', () => {
    const hosts = [1, 2, 3].map((n) => ({
      name: `m${n}`,
      address: '127.0.0.1',
      clientPort: 10000 + n,
      peerPort: 10010 + n,
      metricsUrl: `http://127.0.0.1:${10020 + n}`,
    }));
    const world = newWorld({ hosts });
    world.input.embedded = { root: '/tmp/try', etcdPath: '/opt/etcd', etcdVersion: '3.4.23' };
    for (const facts of world.input.facts)
      Object.assign(facts, { privilege: 'none', init: 'other', machineId: 'same', hostname: 'laptop', files: {} });
    const plan = planCluster(world.input);
    expect(plan.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(plan.actions.filter(({ host }) => host === 'm1').map(({ kind }) => kind)).toEqual(['files', 'start']);
    expect(
      filesOf(world, 'm1')?.files.every(({ path, owner }) => path.startsWith('/tmp/try/m1/') && owner === undefined),
    ).toBe(true);
    carryOut(world, plan, plan.actions);
    observe(world);
    expect(idsOf(world)).toEqual([]);
  });
});

describe('a replay', () => {
  it('finds nothing to do on a cluster that is as the profile says', () => {
    const plan = planCluster(healthyWorld().input);
    expect(plan.state).toBe('running');
    expect(plan.actions).toEqual([]);
    expect(plan.findings).toEqual([]);
  });

  it('finds nothing to do from a second controller that was given the CA only', () => {
    const world = healthyWorld();
    Object.assign(world.input.state, { issued: {}, resolved: undefined, bootstrappedAt: undefined });
    expect(idsOf(world)).toEqual([]);
  });

  it('comes to the same end wherever it was cut off', () => {
    const length = planCluster(newWorld().input).actions.length;
    const whole = healthyWorld();
    for (let cut = 0; cut <= length; cut += 1) {
      const world = newWorld();
      const first = planCluster(world.input);
      carryOut(world, first, first.actions.slice(0, cut));
      observe(world);
      const second = planCluster(world.input);
      expect(
        second.findings.filter(({ severity }) => severity === 'stop'),
        `after ${cut} actions`,
      ).toEqual([]);
      carryOut(world, second, second.actions);
      observe(world);
      expect(planCluster(world.input).actions, `after ${cut} actions`).toEqual([]);
      for (const { host, files, services, etcdProcesses } of world.input.facts) {
        const other = factsOf(whole, host);
        expect(Object.keys(files).sort()).toEqual(Object.keys(other.files).sort());
        expect(files['/etc/etcd/etcd.conf']).toEqual(other.files['/etc/etcd/etcd.conf']);
        expect([services, etcdProcesses]).toEqual([other.services, other.etcdProcesses]);
      }
    }
  });

  it('starts what an interrupted first run left, without making anything twice', () => {
    const world = newWorld();
    const plan = planCluster(world.input);
    carryOut(
      world,
      plan,
      plan.actions.filter(({ kind, host }) => kind !== 'start' || host === 'pi1'),
    );
    observe(world);
    const again = planCluster(world.input);
    expect(again.state).toBe('stopped');
    expect(again.actions.map(({ id }) => id)).toEqual(['start:pi2', 'start:pi3']);
  });

  it('brings one member back that is down, and only that', () => {
    const world = healthyWorld();
    stopMember(world, 'pi2');
    const plan = planCluster(world.input);
    expect(plan.state).toBe('running');
    expect(plan.actions).toMatchObject([{ id: 'restart:pi2', kind: 'restart', wasRunning: false }]);
  });

  it('starts all members together when none runs', () => {
    const world = healthyWorld();
    for (const name of ['pi1', 'pi2', 'pi3']) stopMember(world, name);
    const plan = planCluster(world.input);
    expect(plan.state).toBe('stopped');
    expect(plan.actions.map(({ id }) => id)).toEqual(['start:pi1', 'start:pi2', 'start:pi3']);
  });

  it('enables the service at boot again without touching the member', () => {
    const world = healthyWorld();
    Object.assign(factsOf(world, 'pi3').services.etcd ?? {}, { enabled: false });
    const plan = planCluster(world.input);
    expect(plan.actions).toMatchObject([{ id: 'files:pi3', enable: true, files: [], leaves: [] }]);
  });

  it('reissues only the host whose names changed, and restarts nobody for it', () => {
    const world = healthyWorld();
    const hosts = world.input.profile.hosts.map((host) =>
      host.name === 'pi2' ? { ...host, dnsNames: [...host.dnsNames, 'extra.home'] } : host,
    );
    world.input.profile = { ...world.input.profile, hosts };
    for (const { resolves } of world.input.facts) resolves['extra.home'] = ['10.0.21.1'];
    expect(idsOf(world)).toEqual(['files:pi2']);
    const action = filesOf(world, 'pi2');
    expect(action?.leaves.map(({ id }) => id)).toEqual(['pi2/server', 'pi2/peer', 'pi2/client']);
    expect(action?.why).toContain('extra.home is not in it');
    const plan = planCluster(world.input);
    carryOut(world, plan, plan.actions);
    expect(idsOf(world)).toEqual([]);
  });

  it.each([
    ['expired', -1, true],
    ['in its last tenth', 100, true],
    ['in its last third', 500, false],
    ['fresh', 1500, false],
  ])('a certificate that is %s', (_, daysLeft, reissued) => {
    const world = healthyWorld();
    const path = '/etc/etcd/ssl/peer.pem';
    const file = factsOf(world, 'pi1').files[path];
    if (file?.content === undefined) throw new Error('no certificate');
    const info = inspect(file.content);
    factsOf(world, 'pi1').files[path] = {
      ...file,
      content: JSON.stringify({ ...info, notBefore: NOW + (daysLeft - 1825) * DAY, notAfter: NOW + daysLeft * DAY }),
    };
    const plan = planCluster(world.input);
    expect(plan.actions.map(({ id }) => id)).toEqual(reissued ? ['files:pi1'] : []);
    expect(plan.findings.map(({ id }) => id)).toEqual(!reissued && daysLeft < 600 ? ['renewal-due'] : []);
  });

  it('renews the controller’s own client certificate', () => {
    const world = healthyWorld();
    const ca = inspect(world.input.state.ca.client?.certificatePem ?? '');
    world.input.state.clients.root = fakeLeaf(
      {
        id: 'client/root',
        role: 'client',
        anchor: 'client',
        commonName: 'root',
        dnsNames: [],
        ipAddresses: [],
        keyAlgorithm: 'ecdsa-p256',
        validityDays: 10,
      },
      ca,
      NOW - 11 * DAY,
    );
    expect(planCluster(world.input).actions).toMatchObject([
      { id: 'issue-client:root', reason: expect.stringContaining('expired') },
    ]);
  });

  it.each([
    ['its key is missing', (world: World) => delete factsOf(world, 'pi1').files['/etc/etcd/ssl/server-key.pem']],
    [
      'its key is another one',
      (world: World) =>
        Object.assign(factsOf(world, 'pi1').files['/etc/etcd/ssl/server-key.pem'] ?? {}, { sha256: 'ffff' }),
    ],
    [
      'its key has another public key',
      (world: World) =>
        Object.assign(factsOf(world, 'pi1').files['/etc/etcd/ssl/server-key.pem'] ?? {}, { publicKey: 'another' }),
    ],
    [
      'it is no certificate',
      (world: World) =>
        Object.assign(factsOf(world, 'pi1').files['/etc/etcd/ssl/client.pem'] ?? {}, { content: 'rubbish' }),
    ],
  ])('issues again when %s', (_, damage) => {
    const world = healthyWorld();
    damage(world);
    expect(idsOf(world)).toEqual(['files:pi1']);
  });

  it('believes a key by its public key when the sum is not known here', () => {
    const world = healthyWorld();
    world.input.state.issued = {};
    for (const role of ['server', 'peer', 'client']) {
      const info = inspect(factsOf(world, 'pi1').files[`/etc/etcd/ssl/${role}.pem`]?.content ?? '');
      Object.assign(factsOf(world, 'pi1').files[`/etc/etcd/ssl/${role}-key.pem`] ?? {}, { publicKey: info.publicKey });
    }
    expect(idsOf(world)).toEqual([]);
  });

  it('never issues anew what cannot be read', () => {
    const world = healthyWorld();
    const key = factsOf(world, 'pi1').files['/etc/etcd/ssl/server-key.pem'];
    if (key) Object.assign(key, { unreadable: true, sha256: undefined });
    expect(stopsOf(world)).toEqual(['unreadable']);
    expect(idsOf(world)).toEqual([]);
  });

  it('corrects modes and owners in place', () => {
    const world = healthyWorld();
    Object.assign(factsOf(world, 'pi2').files['/etc/etcd/ssl/peer-key.pem'] ?? {}, { mode: 0o644 });
    Object.assign(factsOf(world, 'pi2').files['/var/lib/etcd/homelab'] ?? {}, { mode: 0o755 });
    const action = filesOf(world, 'pi2');
    expect(action).toMatchObject({
      leaves: [],
      folders: [{ path: '/var/lib/etcd/homelab', mode: 0o700, owner: 'etcd' }],
      files: [
        { path: '/etc/etcd/ssl/peer-key.pem', change: 'mode', mode: 0o400, reason: 'has mode 0644 instead of 0400' },
      ],
    });
    expect(action?.versioned).toBeUndefined();
    expect(idsOf(world)).toEqual(['files:pi2']);
  });
});

describe('restarts of a running cluster', () => {
  const quota = { etcd: { extraArgs: { 'quota-backend-bytes': 4_000_000_000 } } };
  const changed = () => {
    const world = healthyWorld();
    world.input.profile = { ...world.input.profile, etcd: { ...world.input.profile.etcd, ...quota.etcd } };
    return world;
  };

  it('come one by one, the leader last', () => {
    const world = changed();
    const { actions } = planCluster(world.input);
    expect(actions.map(({ id }) => id)).toEqual([
      'files:pi2',
      'restart:pi2',
      'files:pi3',
      'restart:pi3',
      'files:pi1',
      'restart:pi1',
    ]);
    expect(
      actions
        .filter(({ kind }) => kind === 'restart')
        .every((action) => action.kind === 'restart' && action.wasRunning),
    ).toBe(true);
  });

  it('begin with the member that is down', () => {
    const world = changed();
    stopMember(world, 'pi3');
    expect(idsOf(world).filter((id) => id.startsWith('restart'))).toEqual([
      'restart:pi3',
      'restart:pi2',
      'restart:pi1',
    ]);
  });

  it('are made up for when a run was cut off between writing and restarting', () => {
    const world = changed();
    const plan = planCluster(world.input);
    carryOut(
      world,
      plan,
      plan.actions.filter(({ kind }) => kind === 'files'),
    );
    expect(idsOf(world)).toEqual(['restart:pi2', 'restart:pi3', 'restart:pi1']);
  });

  it('are not made for settings that etcd reads only at the very first start', () => {
    const world = healthyWorld();
    const process = factsOf(world, 'pi1').etcdProcesses[0];
    if (process) process.environment = { ...process.environment, ETCD_INITIAL_CLUSTER_STATE: 'existing', LANG: 'C' };
    expect(idsOf(world)).toEqual([]);
  });

  it('follow a unit that systemd has not read again', () => {
    const world = healthyWorld();
    Object.assign(factsOf(world, 'pi2').services.etcd ?? {}, { needsReload: true });
    expect(idsOf(world)).toEqual(['restart:pi2']);
  });

  it('follow a trusted CA that had to be put back', () => {
    const world = healthyWorld();
    delete factsOf(world, 'pi2').files['/etc/etcd/ssl/peer-ca.pem'];
    expect(idsOf(world)).toEqual(['files:pi2', 'restart:pi2']);
  });
});

describe('a stop', () => {
  it('leaves nothing to do, whatever else was found', () => {
    const world = newWorld();
    world.input.unreachable = [{ host: 'pi3', reason: 'no answer', next: ['ping pi3'] }];
    world.input.facts = world.input.facts.slice(0, 2);
    const plan = planCluster(world.input);
    expect(plan.findings[0]).toMatchObject({
      id: 'unreachable',
      severity: 'stop',
      hosts: ['pi3'],
      remedy: ['ping pi3'],
    });
    expect(plan.actions).toEqual([]);
  });
});

describe('another etcd', () => {
  it('of the package gives way for good, and what is left is a cluster with nothing to do', () => {
    const world = newWorld();
    for (const facts of world.input.facts) {
      facts.etcdProcesses = [packageDefault()];
      Object.assign(facts.services.etcd ?? {}, { active: 'active', enabled: true });
    }
    const plan = planCluster(world.input);
    carryOut(world, plan, plan.actions);
    observe(world);
    expect(idsOf(world)).toEqual([]);
    expect(factsOf(world, 'pi1').services.etcd).toMatchObject({ active: 'active', enabled: true });
  });

  it('of the package, empty, is stopped by agreeing to the plan; its data stays where it is not in the way', () => {
    const world = newWorld();
    factsOf(world, 'pi1').etcdProcesses = [packageDefault()];
    expect(stopsOf(world)).toEqual([]);
    expect(idsOf(world).filter((id) => id.endsWith('pi1') || id.includes('pi1:'))).toEqual([
      'stop-foreign:pi1:etcd',
      'files:pi1',
      'measure-disk:pi1',
      'start:pi1',
    ]);
  });

  it('of the package has its data moved aside where ours is to lie', () => {
    const world = newWorld({ etcd: { dataDir: '/var/lib/etcd/default' } });
    const facts = factsOf(world, 'pi1');
    facts.etcdProcesses = [packageDefault()];
    facts.dataDirs['/var/lib/etcd/default'] = {
      path: '/var/lib/etcd/default',
      exists: true,
      hasWal: true,
      empty: false,
    };
    const move = planCluster(world.input).actions.find((action) => action.kind === 'move-aside');
    expect(move).toMatchObject({
      from: '/var/lib/etcd/default',
      to: '/var/backups/etcd-wizard/homelab/20261121T120000Z/var-lib-etcd-default',
    });
    // The folder is there with the right owner: moved away, it is made anew all the same.
    facts.files['/var/lib/etcd/default'] = {
      path: '/var/lib/etcd/default',
      kind: 'folder',
      mode: 0o700,
      owner: 'etcd',
      group: 'etcd',
      size: 4096,
    };
    const write = planCluster(world.input).actions.find((action) => action.kind === 'files');
    expect(write).toMatchObject({
      folders: expect.arrayContaining([{ path: '/var/lib/etcd/default', mode: 0o700, owner: 'etcd', group: 'etcd' }]),
    });
  });

  it.each([
    ['stores something', { keyCount: 1 }],
    ['may store something', { keyCount: undefined }],
    ['listens beyond loopback', { environment: { ETCD_LISTEN_CLIENT_URLS: 'http://0.0.0.0:2379' } }],
    ['has certificates', { environment: { ETCD_CERT_FILE: '/x' } }],
    ['has other members', { environment: { ETCD_INITIAL_CLUSTER: 'a=http://localhost:2380,b=http://localhost:2390' } }],
    ['keeps its data elsewhere', { dataDir: '/srv/etcd' }],
    ['has flags', { argv: ['/usr/bin/etcd', '--debug'] }],
    ['is another service', { service: 'patroni-etcd' }],
  ])('that %s is stopped only when its host is named', (_, changes) => {
    const world = newWorld();
    factsOf(world, 'pi1').etcdProcesses = [packageDefault(changes)];
    expect(stopsOf(world)).toEqual(['foreign-etcd']);
    world.input.takeOver = ['pi2'];
    expect(stopsOf(world)).toEqual(['foreign-etcd']);
    world.input.takeOver = ['pi1'];
    expect(stopsOf(world)).toEqual([]);
    expect(idsOf(world)[2]).toMatch(/^stop-foreign:pi1:/);
  });

  it.each([undefined, 'kubelet', 'containerd'])(
    'that no unit of its own runs (%s) is never stopped from here',
    (service) => {
      const world = newWorld();
      factsOf(world, 'pi1').etcdProcesses = [packageDefault({ service, keyCount: 3 })];
      world.input.takeOver = ['pi1'];
      expect(stopsOf(world)).toEqual(['foreign-etcd']);
    },
  );
});
