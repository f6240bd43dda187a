/** The main path: a profile, three hosts, one command; then again with nothing to do. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdBinaries } from '../setup/etcd.ts';
import { Lab } from './lab.ts';

/** Everything that a replay could write on a host: files, locks, log lines. */
const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups', '/run/etcd-wizard.lock', '/tmp', '/var/tmp'];

describe('a new cluster on three hosts', () => {
  let lab: Lab;
  let profile: string;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    profile = await lab.controller.profile();
  });
  afterAll(async () => await lab?.stop());

  it('plan says what would be done, exits 2 and touches nothing', async () => {
    const before = await Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
    const plan = await lab.run(['plan', profile]);
    expect(plan).toMatchObject({ code: 2 });
    expect(plan.stdout).toContain('start the member');
    expect(await Promise.all(lab.hosts.map((host) => host.tree(...OURS)))).toEqual(before);
  });

  it('replay --yes brings it up, healthy and proved', async () => {
    const replay = await lab.run(['replay', profile, '--yes']);
    expect(replay, replay.stderr).toMatchObject({ code: 0 });
    expect(replay.stdout).toContain('homelab is healthy: 3 of 3 up, 1 may fail');
  });

  it('the exported client bundle satisfies etcdctl', async () => {
    const out = join(lab.controller.home, 'root-bundle');
    expect(await lab.run(['certs', 'export', profile, '--client', 'root', '--out', out])).toMatchObject({ code: 0 });
    expect((await stat(join(out, 'root-key.pem'))).mode & 0o777).toBe(0o600);
    const { etcdctl } = await etcdBinaries('3.5');
    const endpoints = lab.hosts.map((host) => `https://${host.address}:2379`).join(',');
    const health = await lab.controller.exec(etcdctl, [
      '--endpoints',
      endpoints,
      '--cacert',
      join(out, 'ca.pem'),
      '--cert',
      join(out, 'root.pem'),
      '--key',
      join(out, 'root-key.pem'),
      'endpoint',
      'health',
    ]);
    expect(`${health.stdout}${health.stderr}`.match(/is healthy/g), health.stderr).toHaveLength(3);
    const keys = await lab.controller.exec(etcdctl, [
      '--endpoints',
      endpoints,
      '--cacert',
      join(out, 'ca.pem'),
      '--cert',
      join(out, 'root.pem'),
      '--key',
      join(out, 'root-key.pem'),
      'get',
      '',
      '--from-key',
      '--keys-only',
    ]);
    expect(keys.stdout.trim(), 'the proof left nothing behind').toBe('');
  });

  it('a second replay changes nothing: no file, no lock, no log line of ours', async () => {
    const look = () => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
    const before = await look();
    const replay = await lab.run(['replay', profile]);
    expect(replay, replay.stderr).toMatchObject({ code: 0 });
    expect(replay.stdout).toContain('nothing to do');
    expect(await look()).toEqual(before);
    for (const host of lab.hosts) expect(await host.journal()).not.toContain('etcd-wizard: ');
  });

  it('health tells it to scripts', async () => {
    const health = await lab.run(['health', profile, '--once', '--json']);
    expect(health).toMatchObject({ code: 0 });
    expect(JSON.parse(health.stdout)).toMatchObject({ state: 'healthy', up: 3, mayFail: 1 });
  });

  it('keys have the modes and owners they should, the CA key is on no host, no secret in the state folder is open', async () => {
    for (const host of lab.hosts) {
      expect(await host.sh("stat -c '%a %U:%G' /etc/etcd/ssl")).toBe('750 root:etcd\n');
      expect(await host.sh("find -L /etc/etcd/ssl -name '*-key.pem' -exec stat -L -c '%a %U:%G' {} + | sort -u")).toBe(
        '400 etcd:etcd\n',
      );
      expect(await host.sh("stat -c '%a %U:%G' /var/lib/etcd/homelab")).toBe('700 etcd:etcd\n');
      const key = await readFile(join(lab.controller.home, '.local/state/etcd-wizard/homelab/ca-key.pem'), 'utf8');
      const line = key.split('\n')[1] ?? '';
      expect(
        await host.sh('grep -rlF -- "$1" /etc /var /home /root /run /tmp 2>/dev/null || true', { args: [line] }),
      ).toBe('');
      expect((await host.sh('ps -o user= -C etcd')).trim()).toBe('etcd');
    }
    expect((await stat(join(lab.controller.home, '.local/state/etcd-wizard/homelab'))).mode & 0o777).toBe(0o700);
  });
});
