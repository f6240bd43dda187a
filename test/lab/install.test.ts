/** Hosts without etcd: the distribution's package, and what can keep it from being installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fullDisk, noInodes } from './disks.ts';
import { fillDisk } from './faults.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';

const OURS = [
  '/etc/etcd',
  '/etc/systemd/system',
  '/var/backups',
  '/var/lib/dpkg',
  '/var/lib/apt',
  '/run/systemd/system',
];

/** Holds apt's lock as another apt or an unattended upgrade does, for some seconds. */
async function holdAptLock(host: Host, seconds: number): Promise<void> {
  const hold = `use Fcntl; open F, ">>", "/var/lib/dpkg/lock-frontend"; $l = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
    fcntl(F, F_SETLK, $l) or die; open R, ">", "/run/held"; close R; sleep shift`;
  await host.sh('setsid -f perl -e "$1" "$2" >/dev/null 2>&1 </dev/null; until [ -e /run/held ]; do sleep 0.05; done', {
    args: [hold, String(seconds)],
  });
}

describe('three hosts without etcd', () => {
  let lab: Lab;
  let profile: string;
  const look = () => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));

  /** A replay that stops before anything is changed. @returns what it said */
  async function refused(path = profile): Promise<string> {
    const before = await look();
    const replay = await lab.run(['replay', path, '--yes']);
    expect(replay, replay.stdout).toMatchObject({ code: 1 });
    expect(await look()).toEqual(before);
    return replay.stderr;
  }

  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3, etcd: 'none' });
    profile = await lab.controller.profile();
  });
  afterAll(async () => await lab?.stop());

  it('are left alone when the profile says that etcd is there, or wants a version that is not to be had', async () => {
    const present = await lab.controller.profile({ etcd: { install: 'present' } }, { file: 'present.yaml' });
    expect(await refused(present)).toMatch(
      /etcd is not installed on pi1, pi2 and pi3\.[\s\S]*set etcd\.install to package/,
    );
    const pinned = await lab.controller.profile({ etcd: { version: '3.5.16' } }, { file: 'pinned.yaml' });
    expect(await refused(pinned)).toMatch(/would get etcd 3\.4\.\d+, the profile wants 3\.5\.16/);
  });

  it('are left alone when another program holds a port; it is named', async () => {
    const listen = `use IO::Socket::INET; $s = IO::Socket::INET->new(LocalAddr => shift, Listen => 1) or die; sleep 60`;
    await lab.host(0).sh('setsid -f perl -e "$1" "$2:2380" >/dev/null 2>&1 </dev/null; sleep 0.3', {
      args: [listen, lab.host(0).address],
    });
    expect(await refused()).toMatch(/On pi1 port 2380 is taken by perl \(process \d+\)/);
    await lab.host(0).sh('pkill -x perl');
  });

  it('are left alone when a disk is full; the file system is named', async () => {
    await fillDisk(lab.host(1), '/etc/etcd');
    expect(await refused()).toMatch(/pi2 has 0 MiB left on the file system of \/etc\/etcd/);
    await lab.host(1).sh('umount /etc/etcd && rmdir /etc/etcd');
  });

  // Where this machine has no loop devices no host can be given a disk of its own.
  it.skipIf(!existsSync('/dev/loop-control'))(
    'are left alone when the disk for the data has too little room',
    async () => {
      const scratch = join(lab.controller.home, '..');
      const disk = await fullDisk(lab.host(1), '/var/lib/etcd', { bytes: 800 << 20, free: 20 << 20, scratch });
      try {
        expect(await refused()).toMatch(/pi2 has (19|20) MiB left where \/var\/lib\/etcd\/homelab is/);
        await disk.makeRoom();
        expect(await lab.run(['plan', profile])).toMatchObject({ code: 2 });
      } finally {
        await disk.remove();
      }
      await lab.host(1).sh('rmdir /var/lib/etcd');
    },
  );

  it('say what is wrong with a repository that cannot be fetched from', async () => {
    const host = lab.host(2);
    await host.sh("cp /etc/apt/sources.list /root; sed -i 's#debian#nowhere#' /etc/apt/sources.list");
    await host.sh('rm -f /var/lib/apt/lists/*Packages');
    const replay = await lab.run(['replay', profile, '--yes']);
    expect(replay.stderr).toMatch(
      /pi3, install: pi3: etcd could not be installed\.\n {2}apt there could not fetch http:\S+\/nowhere\//,
    );
    expect(replay.stderr).toContain('    sudo apt-get update\n    sudo apt-get install etcd-server etcd-client\n');
    expect(replay).toMatchObject({ code: 4 });
    for (const path of ['/etc/etcd', '/run/systemd/system/etcd.service', '/run/etcd-wizard.lock'])
      expect(await host.exists(path), path).toBe(false);
    await host.sh('mv /root/sources.list /etc/apt');
  });

  it('get it: lists are fetched, apt’s lock is waited for, and what is left of a full disk is finished by the next run', async () => {
    await holdAptLock(lab.host(2), 7);
    const makeRoom = await noInodes(lab.host(1), '/etc/etcd');

    const full = await lab.run(['replay', profile, '--yes']);
    expect(full, full.stdout + full.stderr).toMatchObject({ code: 4 });
    expect(full.stdout).toMatch(
      /pi3 +fetch apt’s lists and install etcd-server and etcd-client\n[\s\S]*pi1 pi2 +install etcd-server and etcd-client 3\.4/,
    );
    expect(full.stderr).toMatch(/waiting +pi3 +apt is in use by perl \(process \d+\)/);
    expect(full.stderr).toMatch(
      /pi2, .*The file system \/etc\/etcd is full\n.* takes no more files: .*Nothing that was there has been changed\./,
    );
    expect(await lab.host(1).sh('find /etc/etcd -mindepth 1')).toBe('');
    expect(await lab.host(1).exists('/etc/systemd/system/etcd.service')).toBe(false);

    await makeRoom();
    const replay = await lab.run(['replay', profile, '--yes']);
    expect(replay, replay.stdout + replay.stderr).toMatchObject({ code: 0 });
    expect(replay.stdout).toContain('homelab is healthy: 3 of 3 up');
    const again = await lab.run(['replay', profile]);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('nothing to do');
  });

  it('never ran the package’s default member, and have nothing masked', async () => {
    for (const host of lab.hosts) {
      const journal = await host.journal('etcd.service');
      expect(journal.split('\n')[0], host.name).toBe('Starting etcd.service - etcd member of homelab...');
      expect(await host.exists('/var/lib/etcd/default')).toBe(false);
      expect(await host.sh('systemctl is-enabled etcd')).toBe('enabled\n');
      expect(await host.exists('/run/systemd/system/etcd.service')).toBe(false);
    }
  });
});

describe('two hosts, two releases of Debian, DNS names', () => {
  let lab: Lab;
  const options = { dns: true };
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 2, release: ['bookworm', 'trixie'] });
  });
  afterAll(async () => await lab?.stop());

  it('make a cluster of etcd 3.4 and 3.5, with a warning', async () => {
    const profile = await lab.controller.profile({}, options);
    const replay = await lab.run(['replay', profile, '--yes']);
    expect(replay, replay.stdout + replay.stderr).toMatchObject({ code: 0 });
    expect(replay.stdout).toMatch(/WARNING: The hosts have different versions of etcd: pi1 3\.4 and pi2 3\.5\./);
    expect(replay.stdout).toMatch(/homelab is healthy: 2 of 2 up, none may fail, .*etcd 3\.4\.\d+ and 3\.5\.\d+/);
    expect(await lab.host(1).sh('systemctl --version')).toMatch(/^systemd 257/);
    expect(await lab.host(0).read('/etc/etcd/etcd.conf')).toContain(
      'ETCD_ADVERTISE_CLIENT_URLS="https://etcd.az1.home:2379"',
    );
    const again = await lab.run(['replay', profile]);
    expect(again.stdout, again.stderr).toContain('nothing to do');
  });

  it('are restarted one after the other, told beforehand that two have no quorum to spare', async () => {
    const profile = await lab.controller.profile({ etcd: { extraArgs: { 'heartbeat-interval': 120 } } }, options);
    const replay = await lab.run(['replay', profile, '--yes']);
    expect(replay, replay.stdout + replay.stderr).toMatchObject({ code: 0 });
    expect(replay.stdout).toMatch(/WARNING: The cluster will be away for some seconds while pi\d and pi\d restart\./);
    expect((await lab.run(['replay', profile])).stdout).toContain('nothing to do');
  });
});
