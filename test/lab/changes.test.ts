/** A running cluster whose profile, files or certificates are no longer as they were: what is mended, how, and what stays. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdBinaries } from '../setup/etcd.ts';
import type { Result } from '../setup/process.ts';
import type { ProfileOverrides } from './controller.ts';
import { ageClient, ageHost } from './expire.ts';
import { Lab } from './lab.ts';

const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups'];

describe('a running cluster', () => {
  let lab: Lab;
  let profile: string;
  let etcdctl: string;
  /** The controller's state folder of the cluster. */
  let state: string;

  const look = () => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
  const pids = () => Promise.all(lab.hosts.map((host) => host.sh('systemctl show -p MainPID --value etcd')));
  const hosts = (extra: Record<string, object> = {}) =>
    lab.hosts.map(({ name, address }) => ({ name, address, ssh: { user: 'pi' }, ...extra[name] }));
  const change = (overrides: ProfileOverrides) => lab.controller.profile({ addressing: 'ip', ...overrides });
  const client = (...args: string[]): [string, string[]] => {
    const endpoints = lab.hosts.map(({ address }) => `https://${address}:2379`).join(',');
    const tls = ['--cacert', 'root/ca.pem', '--cert', 'root/root.pem', '--key', 'root/root-key.pem'];
    return [etcdctl, ['--endpoints', endpoints, ...tls, ...args]];
  };

  /** Does the work while somebody writes ten times a second. @returns also how many writes there were and what failed */
  async function whileWriting(
    work: () => Promise<Result>,
  ): Promise<{ result: Result; writes: number; failed: string[] }> {
    const script = `while [ ! -e stop ]; do said=$("$0" "$@" 2>&1) && echo ok || echo "failed: $said"; sleep 0.1; done; rm stop`;
    const [command, args] = client('--command-timeout=5s', 'put', 'somebody', 'writes');
    const writer = lab.controller.exec('sh', ['-c', script, command, ...args], { timeoutMs: 120_000 });
    const result = await work();
    await lab.controller.exec('touch', ['stop']);
    const lines = (await writer).stdout.split('\n').filter(Boolean);
    return { result, writes: lines.length, failed: lines.filter((line) => line !== 'ok') };
  }

  const replay = (...args: string[]) => lab.run(['replay', profile, ...args]);
  async function nothingLeft(): Promise<void> {
    const before = await look();
    const again = await replay();
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('nothing to do');
    expect(await look()).toEqual(before);
  }

  beforeAll(async () => {
    etcdctl = (await etcdBinaries('3.5')).etcdctl;
    lab = await Lab.start({ hosts: 3 });
    state = join(lab.controller.home, '.local/state/etcd-wizard/homelab');
    profile = await change({ hosts: hosts() });
    expect(await replay('--yes')).toMatchObject({ code: 0 });
    expect(await lab.run(['certs', 'export', profile, '--client', 'root', '--out', 'root'])).toMatchObject({ code: 0 });
  });
  afterAll(async () => await lab?.stop());

  it('whose one host has a name more reissues that host’s certificates, without a restart, and touches no other', async () => {
    profile = await change({ hosts: hosts({ pi2: { dnsNames: ['etcd.az2.home'] } }) });
    const [trees, running] = [await look(), await pids()];
    const { result, writes, failed } = await whileWriting(() => replay('--yes'));
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(result.stdout).toMatch(/\n {2}pi2 {2}write certificates and keys in \/etc\/etcd\/ssl {2}\(8 files\)/);
    expect((await look()).map((tree, index) => tree === trees[index])).toEqual([true, false, true]);
    expect(await pids()).toEqual(running);
    expect(failed).toEqual([]);
    expect(writes).toBeGreaterThan(3);
    const names = await lab.host(1).sh('openssl x509 -in /etc/etcd/ssl/server.pem -noout -ext subjectAltName');
    expect(names).toContain('DNS:etcd.az2.home');
    await nothingLeft();
  });

  it('with a name for all reissues every server, still without a restart', async () => {
    profile = await change({ hosts: hosts(), certificates: { extraSans: ['etcd.example', '10.77.0.100'] } });
    const running = await pids();
    const { result, failed } = await whileWriting(() => replay('--yes'));
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(await pids()).toEqual(running);
    expect(failed).toEqual([]);
    await nothingLeft();
  });

  it('with other flags restarts one member after the other, the leader last; nobody’s write is lost', async () => {
    const [command, args] = client('endpoint', 'status', '--write-out=fields');
    const status = (await lab.controller.exec(command, args)).stdout;
    const leaderOf = (text: string) =>
      text.split('\n\n').find((block) => /"MemberID" : (\d+)[\s\S]*"Leader" : \1\b/.test(block));
    const leader = lab.hosts.find(({ address }) => leaderOf(status)?.includes(`//${address}:`))?.name;
    const extraArgs = { 'heartbeat-interval': 150, 'election-timeout': 1500 };
    profile = await change({ certificates: { extraSans: ['etcd.example', '10.77.0.100'] }, etcd: { extraArgs } });
    const { result, failed } = await whileWriting(() => replay('--yes', '--json'));
    expect(result, result.stdout).toMatchObject({ code: 0 });
    const restarts = [...result.stdout.matchAll(/"id":"restart:(pi\d)".*"state":"(started|done)"/g)].map((match) => [
      match[1],
      match[2],
    ]);
    expect(restarts.map(([, what]) => what)).toEqual(['started', 'done', 'started', 'done', 'started', 'done']);
    expect(leader).toBeDefined();
    expect(restarts.at(-1)?.[0]).toBe(leader);
    expect(failed).toEqual([]);
    await nothingLeft();
  });

  it('is left alone when a flag is unknown, or when a restart would cost the quorum', async () => {
    const [trees, running] = [await look(), await pids()];
    const misspelt = await lab.controller.profile(
      { addressing: 'ip', etcd: { extraArgs: { 'hartbeat-interval': 150 } } },
      { file: 'misspelt.yaml' },
    );
    const unknown = await lab.run(['replay', misspelt, '--yes']);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stderr).toMatch(/No version of etcd has --hartbeat-interval/);
    expect(await look()).toEqual(trees);

    // One member has to be restarted, another hangs.
    await lab.host(0).sh("sed -i '/HEARTBEAT/d' /etc/etcd/etcd.conf; systemctl restart etcd");
    await lab.host(1).sh('systemctl kill -s STOP etcd');
    const [command, args] = client('--command-timeout=20s', 'get', 'somebody');
    expect(await lab.controller.exec(command, args), 'the other two agree on a leader').toMatchObject({ code: 0 });
    const before = await look();
    const quorum = await replay('--yes');
    await lab.host(1).sh('systemctl kill -s CONT etcd');
    expect(quorum, quorum.stdout).toMatchObject({ code: 1 });
    expect(quorum.stderr).toContain('pi1 cannot be restarted now: the cluster would lose its quorum.');
    expect(quorum.stderr).toContain(
      '2 of 3 up, none may fail. Without pi1 1 of 3 would be left; 2 are needed. Nothing has been changed on any host.',
    );
    expect(await look()).toEqual(before);
    expect((await pids()).slice(1)).toEqual(running.slice(1));
    expect(await replay('--yes')).toMatchObject({ code: 0 });
    await nothingLeft();
  });

  it('says which value etcd does not take, stops after the first member, and is mended by the next replay', async () => {
    const running = await pids();
    const path = await lab.controller.profile(
      { addressing: 'ip', etcd: { extraArgs: { 'heartbeat-interval': 'soon' } } },
      { file: 'soon.yaml' },
    );
    const bad = await lab.run(['replay', path, '--yes']);
    expect(bad, bad.stdout).toMatchObject({ code: 4 });
    expect(bad.stderr).toMatch(/etcd on pi\d does not accept the value "soon" for HEARTBEAT_INTERVAL\./);
    expect(bad.stderr).not.toContain('"level":"info"');
    expect((await pids()).filter((pid, index) => pid === running[index])).toHaveLength(2);
    expect(await replay('--yes')).toMatchObject({ code: 0 });
    await nothingLeft();
  });

  it('gets modes, owners, configuration and unit back that somebody changed; what is replaced is kept', async () => {
    const [first, second, third] = [lab.host(0), lab.host(1), lab.host(2)];
    await first.sh(
      `cd /etc/etcd/ssl; chmod 644 server-key.pem; chown root:root peer-key.pem; chmod 777 .; chmod 755 /var/lib/etcd/homelab`,
    );
    await second.sh('echo ETCD_SNAPSHOT_COUNT=5 >>/etc/etcd/etcd.conf; chmod 600 /etc/etcd/etcd.conf');
    await third.sh(`cd /etc/systemd/system; sed -i 's/^Restart=.*/Restart=no/' etcd.service; chown pi etcd.service`);
    const plan = await lab.run(['plan', profile, '--diff']);
    expect(plan).toMatchObject({ code: 2 });
    for (const said of [
      /pi1 {2}correct modes and owners/,
      /\/etc\/etcd\/ssl\/server-key\.pem: mode 0400 etcd:etcd\n {2}has mode 0644 instead of 0400/,
      /\/etc\/etcd\/ssl\/peer-key\.pem: mode 0400 etcd:etcd\n {2}belongs to root:root instead of etcd:etcd/,
      /folder \/etc\/etcd\/ssl: 0750 root:etcd\nfolder \/var\/lib\/etcd\/homelab: 0700 etcd:etcd/,
      /\n-ETCD_SNAPSHOT_COUNT=5\n/,
      /\n-Restart=no\n\+Restart=always\n/,
    ])
      expect(plan.stdout).toMatch(said);

    const running = await pids();
    const mended = await replay('--yes');
    expect(mended, mended.stderr).toMatchObject({ code: 0 });
    expect(
      (await pids()).map((pid, index) => pid === running[index]),
      'only the unit needs a restart',
    ).toEqual([true, true, false]);
    expect(
      await first.sh(`stat -L -c '%a %U:%G' /etc/etcd/ssl /etc/etcd/ssl/*-key.pem /var/lib/etcd/homelab | sort -u`),
    ).toBe('400 etcd:etcd\n700 etcd:etcd\n750 root:etcd\n');
    expect(await second.sh(`stat -c '%a %U:%G' /etc/etcd/etcd.conf`)).toBe('644 root:root\n');
    expect(await third.sh(`stat -c '%a %U:%G' /etc/systemd/system/etcd.service`)).toBe('644 root:root\n');

    const kept = (host: typeof first, path: string) =>
      host.sh(`cd /var/backups/etcd-wizard/homelab; last=$(ls | tail -1); stat -c '%a %U:%G' . "$last" "$last$1"`, {
        args: [path],
      });
    expect(await kept(second, '/etc/etcd/etcd.conf')).toBe('700 root:root\n700 root:root\n600 root:root\n');
    expect(await kept(third, '/etc/systemd/system/etcd.service')).toBe('700 root:root\n700 root:root\n644 pi:root\n');
    for (const host of lab.hosts)
      expect(await host.sh('ls -A /etc/etcd; ls -A /etc/systemd/system | grep etcd')).toBe(
        'etcd.conf\nssl\netcd.service\n',
      );
    await nothingLeft();
  });

  it('has certificates renewed in the last tenth of their life, told of in the last third', async () => {
    await ageHost(lab.host(0), state, { days: 30, past: 22 });
    const due = await replay();
    expect(due, due.stderr).toMatchObject({ code: 0 });
    expect(due.stdout).toMatch(
      /pi1’s certificates are due for renewal: the first expires in 7 days[\s\S]*nothing to do/,
    );

    await ageHost(lab.host(0), state, { days: 30, past: 28 });
    const [trees, running] = [await look(), await pids()];
    const renewed = await replay('--yes');
    expect(renewed, renewed.stderr).toMatchObject({ code: 0 });
    expect(renewed.stdout).toContain('The first certificate expires in 1824 days.');
    expect((await look()).map((tree, index) => tree === trees[index])).toEqual([false, true, true]);
    expect(await pids()).toEqual(running);
    await nothingLeft();
  });

  it('comes back by one replay when all certificates have expired and the power was cut', async () => {
    for (const host of lab.hosts) await ageHost(host, state, { days: 30, past: 31 });
    await ageClient('root', state, { days: 30, past: 31 });
    await lab.powerCut();
    await lab.boot();
    const replayed = await replay('--yes');
    expect(replayed, replayed.stdout + replayed.stderr).toMatchObject({ code: 0 });
    expect(replayed.stdout).toContain('homelab is healthy: 3 of 3 up');
    const bundle = await lab.run(['certs', 'export', profile, '--client', 'root', '--out', 'root-2']);
    expect(bundle).toMatchObject({ code: 0 });
    await nothingLeft();
  });
});
