// What the tests need of the machine, in one place for `npm test` and the lab.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian packages that tests use. Not etcd-server: installing it would start a member on this machine. */
export const PACKAGES = {
  'openssh-client': ['ssh', 'ssh-keygen', 'ssh-keyscan'],
  'openssh-server': ['sshd'],
  sudo: ['sudo'],
  opendoas: ['doas'],
  openssl: ['openssl'],
  tmux: ['tmux'],
  busybox: ['busybox'],
  iproute2: ['ip', 'ss'],
  'systemd-container': ['systemd-nspawn'],
  debootstrap: ['debootstrap'],
  'dnsmasq-base': ['dnsmasq'],
  'dpkg-dev': ['dpkg-scanpackages'],
  'golang-cfssl': ['cfssl', 'cfssljson'],
};

const LAB = [
  'ssh',
  'ssh-keygen',
  'ip',
  'systemd-nspawn',
  'debootstrap',
  'dnsmasq',
  'dpkg-scanpackages',
  'busybox',
  'mount',
  'nsenter',
  'setpriv',
  'chroot',
  'apt-get',
  'dpkg',
];

/** @param {string} command @returns {boolean} */
export function has(command) {
  // sshd and the like are not on an ordinary user's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Packages of which a command is missing. @returns {string[]} */
export function missingPackages() {
  return Object.entries(PACKAGES)
    .filter(([, commands]) => !commands.every(has))
    .map(([name]) => name);
}

/** Why the lab of real hosts cannot run on this machine, in words; undefined when it can. @returns {string | undefined} */
export function labObstacle() {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'it needs root (containers, network namespaces)';
  const missing = LAB.filter((command) => !has(command));
  return missing.length === 0 ? undefined : `it needs ${missing.join(', ')}`;
}
