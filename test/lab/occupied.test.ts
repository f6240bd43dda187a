/** Hosts on which an etcd is already: the package's own, somebody else's, another cluster's; and profiles that became another cluster's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../setup/process.ts';
import type { ProfileOverrides } from './controller.ts';
import { startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

/** Somebody's own etcd under a unit of its own, on the address and port that ours is to have. */
const KV = `[Service]
Type=notify
User=etcd
ExecStart=/usr/bin/etcd --name kv --data-dir /var/lib/etcd/kv --listen-client-urls http://10.77.0.11:2379 --advertise-client-urls http://10.77.0.11:2379
[Install]
WantedBy=multi-user.target
`;

describe('hosts that are not empty', () => {
  let lab: Lab;
  let profile: string;

  const look = () => Promise.all(lab.hosts.map((host) => host.tree('/etc', '/var/backups', '/run/etcd-wizard.lock')));
  const pids = () => Promise.all(lab.hosts.map((host) => host.sh('pgrep -x etcd || true')));
  const replay = (...args: string[]) => lab.run(['replay', profile, '--yes', ...args]);
  const ended = (result: Result, code: number) => expect(result, result.stdout + result.stderr).toMatchObject({ code });

  /** A replay that stops before it changes anything. @returns what it said */
  async function refused(path = profile, ...args: string[]): Promise<string> {
    const before = [await look(), await pids()];
    const result = await lab.run(['replay', path, '--yes', ...args]);
    ended(result, 1);
    expect([await look(), await pids()]).toEqual(before);
    return result.stderr;
  }

  /** The value of a key in a data directory that no etcd runs on, as pi3's etcd reads it. */
  async function valueIn(folder: string, key: string): Promise<string> {
    const script = `cp -a "$1" /tmp/copy
      etcd --data-dir /tmp/copy --force-new-cluster --listen-client-urls http://127.0.0.1:9379 \\
        --advertise-client-urls http://127.0.0.1:9379 --listen-peer-urls http://127.0.0.1:9380 >/dev/null 2>&1 </dev/null &
      ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:9379 --dial-timeout 10s --command-timeout 10s \\
        get --print-value-only "$2"
      kill $!; wait $!; rm -rf /tmp/copy`;
    return (await lab.host(2).sh(script, { args: [folder, key] })).trim();
  }

  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3, etcd: ['present', 'package-default', 'package-default'] });
    profile = await lab.controller.profile();
  });
  afterAll(async () => await lab?.stop());

  it('a package’s member that stores a key stops --yes until its host is named', async () => {
    await lab.host(2).sh('ETCDCTL_API=3 etcdctl put precious value');
    const plan = await lab.run(['plan', profile]);
    expect(plan).toMatchObject({ code: 1 });
    expect(plan.stdout).toContain('note: The package’s own etcd runs on pi2, with nothing stored in it.');
    expect(plan.stdout).toContain(
      'STOP: Another etcd runs on pi3 (etcd.service, data in /var/lib/etcd/default).\n  It holds 1 key;',
    );
    expect(await refused()).toContain(`etcd-wizard replay ${profile} --take-over pi3`);
    expect(await refused(profile, '--take-over', 'pi2')).toContain('Another etcd runs on pi3');
  });

  it('named, it makes room and keeps its data; the empty one goes without being named', async () => {
    ended(await replay('--take-over', 'pi3'), 0);
    for (const host of lab.hosts)
      expect(await host.sh('systemctl is-enabled etcd; systemctl is-active etcd')).toBe('enabled\nactive\n');
    expect(await valueIn('/var/lib/etcd/default', 'precious')).toBe('value');
    const again = await replay();
    ended(again, 0);
    expect(again.stdout).toContain('nothing to do');
  });

  it('data that lies where ours is to lie is moved aside, not deleted', async () => {
    await startAgain(lab);
    const own = await lab.controller.profile({ etcd: { dataDir: '/var/lib/etcd/default' } }, { file: 'own.yaml' });
    await lab.host(1).sh('systemctl enable -q --now etcd');
    const done = await lab.run(['replay', own, '--yes']);
    ended(done, 0);
    expect(done.stdout).toMatch(
      /pi2 +stop the etcd that is there[^\n]*\n +pi2 +move \/var\/lib\/etcd\/default aside\n/,
    );
    const kept = await lab.host(1).sh("find /var/backups/etcd-wizard/homelab -name '*.wal' -printf '%P\\n'");
    expect(kept).toMatch(/^\w+Z\/var-lib-etcd-default\/member\/wal\/\S+\.wal\n$/);
    expect((await lab.run(['replay', own])).stdout).toContain('nothing to do');
  });

  it('somebody’s etcd under another unit or without one is left alone; only the first may be taken over', async () => {
    await startAgain(lab);
    await lab.host(0).write('/etc/systemd/system/kv.service', KV);
    await lab
      .host(0)
      .sh(
        'systemctl daemon-reload; systemctl enable -q --now kv; ETCDCTL_API=3 etcdctl --endpoints http://10.77.0.11:2379 put a b',
      );
    const byHand =
      'cd; exec setsid -f etcd --listen-client-urls http://127.0.0.1:4001 --advertise-client-urls http://127.0.0.1:4001 --listen-peer-urls http://127.0.0.1:4002';
    await lab.host(1).sh('su pi -s /bin/sh -c "$1" >/dev/null 2>&1 </dev/null; sleep 0.5', { args: [byHand] });

    const said = await refused();
    expect(said).toMatch(/Another etcd runs on pi1 \(kv\.service, data in \/var\/lib\/etcd\/kv\)/);
    expect(said).toMatch(
      /Another etcd runs on pi2 \(process \d+, user pi, data in \/home\/pi\/default\.etcd\)\. It is not run by a systemd unit/,
    );
    expect(await refused(profile, '--take-over', 'pi1', '--take-over', 'pi2')).toContain(
      'Stop it where it was started',
    );
    await lab.host(1).sh('pkill -x -u pi etcd');

    ended(await replay('--take-over', 'pi1'), 0);
    expect((await lab.host(0).exec('systemctl is-enabled kv; systemctl is-active kv')).stdout).toBe(
      'disabled\ninactive\n',
    );
    await lab.host(0).sh('tar -C /var/lib/etcd/kv -cf /tmp/kv.tar .');
    const copy = await lab.host(0).sh('base64 </tmp/kv.tar');
    await lab.host(2).sh('mkdir /root/kv && base64 -d | tar -C /root/kv -xf -', { input: copy });
    expect(await valueIn('/root/kv', 'a')).toBe('b');
    expect((await replay()).stdout).toContain('nothing to do');
  });

  const some = (change: (index: number) => object) =>
    lab.hosts.map(({ name, address }, index) => ({ name, address, ssh: { user: 'pi' }, ...change(index) }));
  it.each<[string, () => ProfileOverrides, RegExp]>([
    [
      'name',
      () => ({ name: 'second' }),
      /pi1, pi2 and pi3 run members of another cluster, homelab\.[\s\S]*put name: homelab back[\s\S]*etcd-wizard uninstall homelab[\s\S]*--take-over pi1 --take-over pi2 --take-over pi3/,
    ],
    [
      'data directory',
      () => ({ etcd: { dataDir: '/var/lib/etcd/other' } }),
      /it lies in \/var\/lib\/etcd\/homelab[\s\S]*Put etcd\.dataDir: \/var\/lib\/etcd\/homelab back[\s\S]*etcd-wizard member replace \S+ pi1/,
    ],
    [
      'token',
      () => ({ etcd: { token: 'other' } }),
      /pi1, pi2 and pi3 belong to a cluster with the token (homelab-\w+), not other[\s\S]*Put token: \1 back/,
    ],
    [
      'peer port',
      () => ({ etcd: { peerPort: 3380 } }),
      /pi1 is known to the others as https:\/\/10\.77\.0\.11:2380; the profile says https:\/\/10\.77\.0\.11:3380[\s\S]*etcd-wizard member replace \S+ pi1 --address 10\.77\.0\.11/,
    ],
    [
      'addressing',
      () => ({ hosts: some((index) => ({ dnsNames: [`etcd.az${index + 1}.home`] })) }),
      /the profile says https:\/\/etcd\.az1\.home:2380[\s\S]*Put the old address \(addressing, /,
    ],
    [
      'trust',
      () => ({ ca: { peers: 'same' } }),
      /a CA of their own for peers; the profile says ca\.peers: same[\s\S]*etcd-wizard certs rotate-ca/,
    ],
    [
      'host less',
      () => ({ hosts: some(() => ({})).slice(0, 2) }),
      /pi3 is in the cluster but not in the profile[\s\S]*etcd-wizard member remove \S+ pi3/,
    ],
    [
      'host of another name',
      () => ({ hosts: some((index) => (index === 2 ? { name: 'pi9' } : {})) }),
      /The member on 10\.77\.0\.13 is called pi3, not pi9[\s\S]*etcd-wizard member replace \S+ pi3 --address 10\.77\.0\.13 --name pi9/,
    ],
  ])('a running cluster is never given another %s by a replay', async (what, overrides, said) => {
    const path = await lab.controller.profile(overrides(), { file: `${what.replaceAll(' ', '-')}.yaml` });
    const stderr = await refused(path);
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/member add|undefined|null/);
  });
});
