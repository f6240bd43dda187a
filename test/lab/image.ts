/**
 * Root file systems of the lab's hosts: one debootstrap, thin overlay layers above it for what differs.
 * Everything is kept in the tests' cache and rebuilt when its recipe changes.
 */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror, type Release } from '../setup/apt.ts';
import { once, unmountUnder } from '../setup/cache.ts';
import { type EtcdVersion, etcdBinaries } from '../setup/etcd.ts';
import { must } from '../setup/process.ts';

export const ETCD_VARIANTS = ['none', 'present', 'package-default', '3.4', '3.5'] as const;
/**
 * What a host has of etcd when it boots:
 * `none`; `present`: Debian's package with its default member disabled; `package-default`: Debian's package as it
 * installs itself, its plain-http member running; `3.4`, `3.5`: bare binaries in /usr/local/bin, no package, no user.
 */
export type EtcdVariant = (typeof ETCD_VARIANTS)[number];

/** Logins of every host. `root` too, by key only. */
export const USERS = {
  /** sudo without a password, as on a Raspberry Pi. */
  pi: { password: 'raspberry' },
  /** sudo asks for the password. */
  pat: { password: 'correct horse' },
  /** May not use sudo. */
  guest: { password: 'guest' },
} as const;

const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'openssh-server',
  'sudo',
  'iproute2',
  'ca-certificates',
  'procps',
  'openssl',
  'busybox',
];

/** Run in the new root. Nothing of the build machine and nothing that makes hosts alike may stay. */
const CUSTOMISE = `set -e
rm -f /etc/hostname /etc/machine-id /var/lib/dbus/machine-id /etc/ssh/ssh_host_* /var/cache/apt/archives/*.deb
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
useradd -m -s /bin/bash pi; useradd -m -s /bin/bash pat; useradd -m -s /bin/bash guest
chpasswd <<'END'
${Object.entries(USERS)
  .map(([user, { password }]) => `${user}:${password}`)
  .join('\n')}
END
echo 'pi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/010_pi
echo 'pat ALL=(ALL) ALL' >/etc/sudoers.d/020_pat
chmod 440 /etc/sudoers.d/*
for home in /root /home/pi /home/pat /home/guest; do
  mkdir -p $home/.ssh; cp /authorized_keys $home/.ssh/authorized_keys; chmod 700 $home/.ssh; chmod 600 $home/.ssh/authorized_keys
  chown -R "$(stat -c %U $home)": $home/.ssh
done
rm /authorized_keys
cat >/etc/ssh/sshd_config.d/lab.conf <<'END'
PermitRootLogin prohibit-password
UseDNS no
HostKey /etc/ssh/ssh_host_ed25519_key
END
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer console-getty.service
`;

/** The key that every login of every host accepts. */
export async function clientKey(): Promise<string> {
  return join(await keyPair('client'), 'id_ed25519');
}

/** A host's own key: the same in every run, so that known_hosts files can be written beforehand. */
export async function hostKey(host: string): Promise<string> {
  return join(await keyPair(`host-${host}`), 'id_ed25519');
}

function keyPair(name: string): Promise<string> {
  return once(`key-${name}`, { type: 'ed25519' }, async (folder) => {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `lab ${name}`, '-f', join(folder, 'id_ed25519')]);
  });
}

/** Debian with systemd, sshd and the lab's users, without etcd. */
async function baseImage(release: Release): Promise<string> {
  const key = `${await clientKey()}.pub`;
  return await once(`base-${release}`, { release, PACKAGES, CUSTOMISE, key }, async (folder) => {
    const include = `--include=${PACKAGES.join(',')}`;
    await must('debootstrap', ['--variant=minbase', include, release, folder, await debianMirror()], {
      timeoutMs: 900_000,
    });
    await copyFile(key, join(folder, 'authorized_keys'));
    await must('chroot', [folder, 'sh', '-c', CUSTOMISE]);
  });
}

/** A folder to serve over HTTP as an apt repository: etcd's packages and what they need beyond the base. */
export async function aptRepository(release: Release): Promise<string> {
  const base = await baseImage(release);
  return await once(`repository-${release}`, { base, packages: ['etcd-server', 'etcd-client'] }, async (folder) => {
    const scratch = join(folder, '.scratch');
    await withLayer(base, scratch, async (root) => {
      await copyFile('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
      const script =
        'apt-get -qq update && apt-get -qq install -y --download-only --no-install-recommends etcd-server etcd-client';
      await must('chroot', [root, 'sh', '-c', script], { timeoutMs: 300_000 });
      const debs = join(root, 'var/cache/apt/archives');
      for (const deb of await readdir(debs))
        if (deb.endsWith('.deb')) await copyFile(join(debs, deb), join(folder, deb));
    });
    await rm(scratch, { recursive: true });
    await writeFile(join(folder, 'Packages'), await must('dpkg-scanpackages', ['-m', '.'], { cwd: folder }));
  });
}

/** Layers from top to bottom, as overlayfs wants them in `lowerdir`. */
export async function imageLayers(release: Release, etcd: EtcdVariant): Promise<string[]> {
  const base = await baseImage(release);
  if (etcd === 'none') return [base];
  if (etcd === '3.4' || etcd === '3.5') return [await binariesLayer(etcd), base];
  const repository = await aptRepository(release);
  const disable = etcd === 'present' ? 'systemctl -q disable etcd.service' : ':';
  // policy-rc.d keeps the package's postinst from starting anything in the chroot.
  const install = `set -e
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
DEBIAN_FRONTEND=noninteractive dpkg -i /repository/*.deb
${disable}
rm -rf /usr/sbin/policy-rc.d /repository`;
  const layer = await once(`layer-${release}-${etcd}`, { repository, install }, async (folder) => {
    await withLayer(base, folder, async (root) => {
      await mkdir(join(root, 'repository'));
      for (const file of await readdir(repository))
        await copyFile(join(repository, file), join(root, 'repository', file));
      await must('chroot', [root, 'sh', '-c', install], { timeoutMs: 120_000 });
    });
  });
  return [layer, base];
}

function binariesLayer(version: EtcdVersion): Promise<string> {
  return once(`layer-binaries-${version}`, { version }, async (folder) => {
    const { etcd, etcdctl } = await etcdBinaries(version);
    await mkdir(join(folder, 'usr/local/bin'), { recursive: true });
    await must('install', ['-m', '755', etcd, etcdctl, join(folder, 'usr/local/bin')]);
  });
}

/** Mounts `folder` as a writable layer above the base for as long as `change` runs: what it writes is the new layer. */
async function withLayer(base: string, folder: string, change: (root: string) => Promise<void>): Promise<void> {
  const [work, root] = [`${folder}.work`, `${folder}.root`];
  await unmountUnder(root);
  for (const each of [folder, work, root]) await mkdir(each, { recursive: true });
  await must('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${base},upperdir=${folder},workdir=${work}`, root]);
  try {
    await must('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
    await change(root);
  } finally {
    await unmountUnder(root);
    await rm(work, { recursive: true, force: true });
    await rm(root, { recursive: true, force: true });
  }
}
