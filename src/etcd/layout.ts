/**
 * Where a member's files lie on its host, whose they are and which service runs it: data, so that another
 * layout (OpenRC, static pod) is another value and no other code.
 */
import { posix } from 'node:path';
import type { Anchor, LeafRole } from '../pki/types.ts';
import type { Embedded } from '../plan/types.ts';
import type { Profile, ProfileHost } from '../profile/schema.ts';

export interface Ownership {
  mode: number;
  /** Absent where members run as the user who runs the wizard. */
  owner?: string;
  group?: string;
}

export type FolderSpec = Ownership & { path: string };

export interface Layout {
  kind: 'systemd' | 'embedded';
  /** Name of the service without `.service`; absent where no service manager runs the member. */
  serviceName?: string;
  /** Environment file with the member's whole configuration. */
  confFile: string;
  conf: Ownership;
  unitFile?: string;
  unit?: Ownership;
  /** Switched as a whole: certificates, keys and trust files change together or not at all. */
  certificateFolder: FolderSpec;
  certificates: Record<LeafRole, { cert: string; key: string }>;
  /** What is trusted on the client and the peer port; one file for both where peers have no CA of their own. */
  trust: Record<Anchor, string>;
  /** Certificates, keys and trust files. */
  certificateFile: Ownership;
  /** Everything that has to be there before the files are, the certificate folder and the data directory included. */
  folders: FolderSpec[];
  dataDir: string;
  /** Replaced files and data directories moved aside go below it, in a folder a run. */
  backupRoot?: string;
}

/** Debian's package puts its default member's data here. */
export const PACKAGE_DATA_DIR = '/var/lib/etcd/default';
const SERVICE = 'etcd';

const ETCD = { owner: 'etcd', group: 'etcd' };
const ROOT = { owner: 'root', group: 'root' };

/** The layout of one host: systemd with files as in the guides, or everything below one folder for `try`. */
export function layoutOf(profile: Profile, host: Pick<ProfileHost, 'name'>, embedded?: Embedded): Layout {
  return embedded ? embeddedLayout(profile, posix.join(embedded.root, host.name)) : systemdLayout(profile);
}

function systemdLayout(profile: Profile): Layout {
  const { directory } = profile.certificates;
  const certificateFolder = { path: directory, mode: 0o750, owner: 'root', group: 'etcd' };
  // The configuration's folder is ours to make; the certificate folder's other parents are the person's.
  const confFolder = { path: '/etc/etcd', mode: 0o755, ...ROOT };
  return {
    kind: 'systemd',
    serviceName: SERVICE,
    confFile: '/etc/etcd/etcd.conf',
    conf: { mode: 0o644, ...ROOT },
    unitFile: `/etc/systemd/system/${SERVICE}.service`,
    unit: { mode: 0o644, ...ROOT },
    certificateFolder,
    ...certificatePaths(profile, directory),
    certificateFile: { mode: 0o400, ...ETCD },
    folders: [confFolder, certificateFolder, { path: profile.etcd.dataDir, mode: 0o700, ...ETCD }],
    dataDir: profile.etcd.dataDir,
    backupRoot: `/var/backups/etcd-wizard/${profile.name}`,
  };
}

function embeddedLayout(profile: Profile, root: string): Layout {
  const certificateFolder = { path: posix.join(root, 'certificates'), mode: 0o700 };
  const dataDir = posix.join(root, 'data');
  return {
    kind: 'embedded',
    confFile: posix.join(root, 'etcd.conf'),
    conf: { mode: 0o600 },
    certificateFolder,
    ...certificatePaths(profile, certificateFolder.path),
    certificateFile: { mode: 0o400 },
    folders: [{ path: root, mode: 0o700 }, certificateFolder, { path: dataDir, mode: 0o700 }],
    dataDir,
  };
}

function certificatePaths(profile: Profile, folder: string): Pick<Layout, 'certificates' | 'trust'> {
  const pair = (role: LeafRole) => ({
    cert: posix.join(folder, `${role}.pem`),
    key: posix.join(folder, `${role}-key.pem`),
  });
  const ca = posix.join(folder, 'ca.pem');
  return {
    certificates: { server: pair('server'), peer: pair('peer'), client: pair('client') },
    trust: { client: ca, peer: profile.ca.peers === 'same' ? ca : posix.join(folder, 'peer-ca.pem') },
  };
}

/** What a profile asks for that this version cannot do yet, in words; empty when it can do everything. */
export function unsupportedBy(profile: Profile): string[] {
  return [
    ...(profile.topology === 'stacked' ? ['topology: stacked'] : []),
    ...(profile.runtime === 'openrc' || profile.runtime === 'static-pod' ? [`runtime: ${profile.runtime}`] : []),
    ...(profile.certificates.directory === '/etc/kubernetes/pki'
      ? ['kubeadm’s file layout (certificates.directory: /etc/kubernetes/pki)']
      : []),
    ...(profile.ca.source !== 'self-signed' ? [`ca.source: ${profile.ca.source}`] : []),
    ...(profile.etcd.install === 'archive' ? ['etcd.install: archive'] : []),
  ];
}
