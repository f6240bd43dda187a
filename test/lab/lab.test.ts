/** The harness itself: what every end-to-end test relies on. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, waitFor } from '../setup/process.ts';
import { cable, changeHostKey, clock, fillDisk, forbidForwarding, HOSTILE, shout } from './faults.ts';
import { Lab } from './lab.ts';

describe('three hosts', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({
      hosts: 3,
      etcd: ['present', 'package-default', 'none'],
      names: { 'vault.home': '10.77.0.1' },
    });
  });
  afterAll(async () => await lab?.stop());

  it('run systemd and take pi with sudo over SSH, checked against known_hosts', async () => {
    for (const host of lab.hosts) {
      expect(
        await lab.controller.ssh(host, 'pi', 'sudo -n id -u; hostname; systemctl is-system-running'),
      ).toMatchObject({ code: 0, stdout: `0\n${host.name}\nrunning\n`, stderr: '' });
    }
    expect((await lab.controller.ssh(lab.host(0), 'root', 'id -u')).stdout).toBe('0\n');
    expect((await lab.controller.ssh(lab.host(0), 'pat', 'sudo -n true')).stderr).toContain('password is required');
    expect(
      (await lab.controller.ssh(lab.host(0), 'pat', "sudo -S -p '' id -u", { input: 'correct horse\n' })).stdout,
    ).toBe('0\n');
    expect(
      (await lab.controller.ssh(lab.host(0), 'guest', "sudo -S -p '' id -u", { input: 'guest\n' })).stderr,
    ).toContain('not in the sudoers file');
  });

  it('have names that hosts and controller resolve, and that can change', async () => {
    const resolve = async (name: string): Promise<string> =>
      (await lab.host(0).exec(`getent ahostsv4 ${name} | sed -n 's/ .*//;1p'`)).stdout.trim();
    expect(await Promise.all(['pi2', 'pi3.lan', 'etcd.az3.home', 'vault.home', 'nowhere.home'].map(resolve))).toEqual([
      '10.77.0.12',
      '10.77.0.13',
      '10.77.0.13',
      '10.77.0.1',
      '',
    ]);
    expect((await lab.controller.exec('getent', ['ahostsv4', 'etcd.az2.home'])).stdout).toContain('10.77.0.12');
    await lab.dns({ 'etcd.az2.home': '10.77.0.99', 'vault.home': null });
    await waitFor(
      'the changed record',
      async () => (await resolve('etcd.az2.home')) === '10.77.0.99' && (await resolve('vault.home')) === '',
    );
  });

  it('have disks of their own', async () => {
    expect(await lab.host(0).sh('stat -f -c %T / /etc /var/lib')).not.toMatch(/overlay|tmpfs/);
    expect(new Set(await Promise.all(lab.hosts.map((host) => host.read('/etc/machine-id')))).size).toBe(3);
  });

  it('have no way out', async () => {
    for (const host of lab.hosts) expect(await host.sh('ip route')).not.toContain('default');
    expect((await lab.controller.exec('ip', ['route'])).stdout).not.toContain('default');
  });

  it('have the etcd that was asked for, and install it from the lab’s own repository', async () => {
    const state = async (index: number): Promise<string> =>
      (await lab.host(index).exec('systemctl is-enabled etcd; systemctl is-active etcd')).stdout;
    expect(await state(0)).toBe('disabled\ninactive\n');
    expect(await state(1)).toBe('enabled\nactive\n');
    expect(await lab.host(1).exists('/var/lib/etcd/default/member/wal')).toBe(true);
    expect(await lab.host(2).exists('/usr/bin/etcd')).toBe(false);
    await lab
      .host(2)
      .sh('apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y etcd-server etcd-client');
    expect(await lab.host(2).sh('etcd --version')).toContain('3.4.');
  });

  it('keep their disk over a power cut and come back with a late address', async () => {
    const host = lab.host(1);
    await host.write('/etc/kept', 'yes');
    await host.kill();
    expect((await lab.controller.ssh(host, 'pi', 'true', { timeoutMs: 2_000 })).code).not.toBe(0);
    await host.boot({ addressAfterMs: 3_000 });
    expect(await host.sh('ip -br addr show eth0')).not.toContain(host.address);
    await waitFor('the address', async () => (await lab.controller.ssh(host, 'pi', 'true')).code === 0);
    expect(await host.read('/etc/kept')).toBe('yes');
    await waitFor(
      'the member that the package starts',
      async () => (await host.exec('systemctl is-active etcd')).stdout === 'active\n',
    );
  });

  it('show every write in their tree, and none where nothing was written', async () => {
    const host = lab.host(0);
    const before = await host.tree();
    expect(await host.tree()).toBe(before);
    await host.sh('cp -p /etc/hostname /etc/hostname.same && mv /etc/hostname.same /etc/hostname');
    expect(await host.tree()).not.toBe(before);
  });

  it('can be given faults', async () => {
    const [first, second, third] = [lab.host(0), lab.host(1), lab.host(2)];
    await cable(second, 'down');
    expect((await first.exec(`timeout 1 bash -c '</dev/tcp/${second.address}/22'`)).code).not.toBe(0);
    await cable(second, 'up');

    const skew = async (): Promise<number> => Number(await third.sh('date +%s')) - Date.now() / 1000;
    await clock(third, -3600);
    expect(await skew()).toBeLessThan(-3590);
    await clock(third, 0);
    expect(Math.abs(await skew())).toBeLessThan(10);

    const makeRoom = await fillDisk(third, '/etc/etcd');
    expect((await third.exec('echo x >/etc/etcd/file')).stderr).toMatch(/No space left|I\/O error/);
    await makeRoom();
    await third.sh('echo x >/etc/etcd/file');

    await shout(first);
    const heard = await lab.controller.ssh(first, 'pi', 'echo done');
    expect(heard.stdout).toBe(`${HOSTILE}\ndone\n`);
    await forbidForwarding(first);
    expect((await lab.controller.ssh(first, 'pi', 'true')).code).toBe(0);
    expect((await lab.controller.openssh(['-W', `${second.address}:22`, `pi@${first.address}`])).stderr).toContain(
      'forwarding failed',
    );

    await changeHostKey(second);
    expect((await lab.controller.ssh(second, 'pi', 'true')).stderr).toMatch(/verification failed/i);
  });
});

it('a management network: SSH and etcd at different addresses, the controller has no route to the members', async () => {
  const lab = await Lab.start({ hosts: 2, etcd: '3.5', management: 'only', knownHosts: false });
  try {
    const host = lab.host(0);
    expect([host.address, host.sshAddress]).toEqual(['10.77.0.11', '10.78.0.11']);
    expect((await lab.controller.ssh(host, 'pi', 'true')).stderr).toMatch(/verification failed/i);
    const accept = ['-o', 'StrictHostKeyChecking=accept-new', `pi@${host.sshAddress}`];
    const script = 'etcd --version | head -1; timeout 2 bash -c "</dev/tcp/10.77.0.12/22" && echo reached';
    expect((await lab.controller.openssh([...accept, script])).stdout).toMatch(/^etcd Version: 3\.5\..*\nreached\n$/);
    expect((await lab.controller.exec('ip', ['route', 'get', host.address])).code).not.toBe(0);
  } finally {
    await lab.stop();
  }
});

it('leaves nothing behind', async () => {
  const lab = await Lab.start({ hosts: 1, etcd: 'none' });
  const id = lab.ns;
  await lab.stop();
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  expect((await run('ip', ['netns'])).stdout).not.toMatch(new RegExp(`^${id}(-| |$)`, 'm'));
  expect(mounts).not.toContain(`/${id}/`);
  expect((await run('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', `${id}-*`])).stdout).toBe('');
});
