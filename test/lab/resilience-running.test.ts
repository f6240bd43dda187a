/** A running cluster whose hosts are off, stopped, emptied, or lose their power all at once. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdBinaries } from '../setup/etcd.ts';
import type { Result } from '../setup/process.ts';
import { waitFor } from '../setup/process.ts';
import { cable } from './faults.ts';
import { Lab } from './lab.ts';

/** What a replay writes to on a host. */
const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups', '/run/etcd-wizard.lock'];

let lab: Lab;
let profile: string;
beforeAll(async () => {
  lab = await Lab.start({ hosts: 3 });
  profile = await lab.controller.profile();
  const replay = await lab.run(['replay', profile, '--yes']);
  expect(replay, replay.stdout + replay.stderr).toMatchObject({ code: 0 });
});
afterAll(async () => await lab?.stop());

const look = (hosts = lab.hosts) => Promise.all(hosts.map((host) => host.tree(...OURS)));
/** When each member's process began: the same number means that it was left alone. */
const processes = () =>
  Promise.all(lab.hosts.map((host) => host.sh('systemctl show -p ExecMainStartTimestampMonotonic --value etcd')));

/** The next replay finishes the work, and one more finds nothing to do. */
async function finishes(after: Result): Promise<void> {
  const next = await lab.run(['replay', profile, '--yes']);
  expect(next, `${after.stdout}${after.stderr}\n${next.stdout}${next.stderr}`).toMatchObject({ code: 0 });
  expect(next.stdout).toContain('homelab is healthy: 3 of 3 up');
  const again = await lab.run(['replay', profile]);
  expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
  expect(again.stdout).toContain('nothing to do');
}

describe('a running cluster', () => {
  it('one host is off: replay and plan stop with 1, health says degraded with 3', async () => {
    const before = await look(lab.hosts.slice(0, 2));
    await cable(lab.host(2), 'down');
    const replay = await lab.run(['replay', profile, '--yes']);
    const health = await lab.run(['health', profile, '--once', '--json']);
    await cable(lab.host(2), 'up');
    expect(replay, replay.stderr).toMatchObject({ code: 1 });
    expect(replay.stderr).toContain('pi3 could not be reached.');
    expect(replay.stderr).toContain('The cluster itself runs (2 of 3 members)');
    expect(replay.stderr).toContain(`member replace ${profile} pi3 --address 10.77.0.13`);
    expect(health).toMatchObject({ code: 3 });
    expect(JSON.parse(health.stdout)).toMatchObject({ state: 'degraded', up: 2 });
    expect(await look(lab.hosts.slice(0, 2))).toEqual(before);
    // The member that comes back may cost an election: that is waited for, not reported.
    await finishes(replay);
  });

  it('one member was stopped by hand: replay starts it and nothing else', async () => {
    await lab.host(1).sh('systemctl stop etcd');
    const before = { trees: await look(), times: await processes() };
    const replay = await lab.run(['replay', profile, '--yes', '--json']);
    expect(replay, replay.stdout).toMatchObject({ code: 0 });
    expect(replay.stdout.match(/"type":"action","id":"[^"]*"/g)).toEqual(
      Array(2).fill('"type":"action","id":"restart:pi2"'),
    );
    expect(await look()).toEqual(before.trees);
    const [pi1, pi2, pi3] = await processes();
    expect([pi1, pi3]).toEqual([before.times[0], before.times[2]]);
    expect(pi2).not.toBe(before.times[1]);
  });

  it('a lost log: replay stops with «member replace» and touches nothing, also while all are down; all are started once it is back', async () => {
    const log = '/var/lib/etcd/homelab/member/wal';
    await lab.host(1).sh(`systemctl stop etcd; mv ${log} /root/wal`);
    for (const down of [[], [0, 2]]) {
      for (const index of down) await lab.host(index).sh('systemctl stop etcd');
      const before = await look();
      const replay = await lab.run(['replay', profile, '--yes']);
      expect(replay, replay.stdout).toMatchObject({ code: 1 });
      expect(replay.stderr).toContain(`its data is gone (${log})`);
      expect(replay.stderr).toContain(`etcd-wizard member replace ${profile} pi2 --address 10.77.0.12`);
      expect(await look()).toEqual(before);
      expect((await lab.host(1).exec('systemctl is-active etcd')).stdout).toBe('inactive\n');
    }
    await lab.host(1).sh(`mv /root/wal ${log}`);
    const replay = await lab.run(['replay', profile, '--yes', '--json']);
    expect(replay, replay.stdout).toMatchObject({ code: 0 });
    expect(new Set(replay.stdout.match(/"type":"action","id":"[^"]*"/g))).toEqual(
      new Set(['pi1', 'pi2', 'pi3'].map((name) => `"type":"action","id":"start:${name}"`)),
    );
  });

  it('all hosts lose power at once and boot with their addresses 20 s late: it comes back by itself, with what was written', async () => {
    const bundle = join(lab.controller.home, 'root-bundle');
    await rm(bundle, { recursive: true, force: true });
    await lab.run(['certs', 'export', profile, '--client', 'root', '--out', bundle]);
    const { etcdctl } = await etcdBinaries('3.5');
    const etcd = (...args: string[]) =>
      lab.controller.exec(etcdctl, [
        `--endpoints=${lab.hosts.map(({ address }) => `https://${address}:2379`).join(',')}`,
        ...[`--cacert=${bundle}/ca.pem`, `--cert=${bundle}/root.pem`, `--key=${bundle}/root-key.pem`],
        ...args,
      ]);
    expect(await etcd('put', 'kept', 'through the power cut')).toMatchObject({ code: 0 });
    await lab.powerCut();
    await lab.boot({ addressAfterMs: 20_000 });
    await waitFor(
      'the cluster is healthy again',
      async () => (await lab.run(['health', profile, '--once'])).code === 0,
      90_000,
      1000,
    );
    expect((await etcd('get', 'kept', '--print-value-only')).stdout).toBe('through the power cut\n');
    const replay = await lab.run(['replay', profile]);
    expect(replay.stdout, replay.stderr).toContain('nothing to do');
    expect(
      await readFile(join(lab.controller.home, '.local/state/etcd-wizard/homelab/journal.ndjson'), 'utf8'),
    ).not.toContain('PRIVATE KEY');
  });
});
