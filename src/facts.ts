/**
 * What is known of a host after one look: gathered by `remote/facts`, read by `plan`, the wizard and the doctor.
 * Every string in here came from the host and is untrusted: clean it before showing it.
 */

/** How root's rights are had on a host. */
export type Privilege = 'root' | 'sudo' | 'sudo-password' | 'doas' | 'none';
export type InitSystem = 'systemd' | 'openrc' | 'other';

export interface FileFact {
  path: string;
  kind: 'file' | 'folder' | 'link' | 'other';
  /** Permission bits, e.g. 0o640; of the link's target for a file reached through a link. */
  mode: number;
  owner: string;
  group: string;
  size: number;
  /** Where a link points to, as written. */
  target?: string;
  /** Hex SHA-256 of regular files that were asked for. */
  sha256?: string;
  /** Content of public files that were asked for (never of keys), at most 256 KiB. */
  content?: string;
  /** Set for a private key asked for by public key: the SPKI, base64 DER, derived on the host. */
  publicKey?: string;
  /** The file exists but could not be read without more rights. */
  unreadable?: boolean;
}

export interface EtcdProcess {
  pid: number;
  user: string;
  /** Full command line, an element an argument. */
  argv: string[];
  /** ETCD_* variables of its environment. */
  environment: Record<string, string>;
  /** systemd unit or OpenRC service that it belongs to, where known. */
  service?: string;
  /** Data directory in force: flag, environment, configuration file or etcd's default. */
  dataDir?: string;
  /** Keys that it stores; known only of one that answers without TLS on the host's loopback (the package's default member). */
  keyCount?: number;
}

export interface Listener {
  port: number;
  /** Local address as `ss`/`netstat` prints it, without brackets: 0.0.0.0, ::, 10.0.11.1, *. */
  address: string;
  process?: string;
  pid?: number;
}

export interface Mount {
  /** The path that was asked about. */
  path: string;
  fsType: string;
  availableBytes: number;
  sizeBytes: number;
  source: string;
}

export interface DataDirFact {
  path: string;
  exists: boolean;
  /** `member/wal` holds at least one *.wal file: this member has been started before. */
  hasWal: boolean;
  empty: boolean;
  mode?: number;
  owner?: string;
  group?: string;
  /** It could not be looked into without more rights: `hasWal` and `empty` are then not known and false. */
  unreadable?: boolean;
}

export interface ServiceFact {
  name: string;
  exists: boolean;
  /** systemd's ActiveState or OpenRC's word: active, inactive, failed, activating. */
  active: string;
  enabled: boolean;
  masked: boolean;
  /** The unit file in force and its drop-ins. */
  fragment?: string;
  mainPid?: number;
  /** Milliseconds since the epoch at which the main process started, by the host's clock. */
  startedAt?: number;
  /** systemd: unit files changed since the last daemon-reload. */
  needsReload?: boolean;
}

export interface HostFacts {
  /** Member name in the profile. */
  host: string;
  user: string;
  uid: number;
  privilege: Privilege;
  hostname: string;
  machineId?: string;
  os: { id: string; versionId: string; name: string };
  /** `uname -m`: x86_64, aarch64, armv7l. */
  kernelArch: string;
  /** Word size of the userland (ELF class of /bin/sh), which can differ from the kernel's on a Pi. */
  userlandBits: 32 | 64;
  /** dpkg's or apk's architecture, e.g. arm64, armhf, aarch64. */
  packageArch?: string;
  init: InitSystem;
  initVersion?: string;
  clock: {
    /** Host's clock minus the controller's, milliseconds, measured at the middle of the round trip. */
    skewMs: number;
    /** Half of the round trip: how far skewMs may be off, milliseconds. */
    errorMs: number;
    synchronised?: boolean;
    service?: string;
  };
  addresses: { interface: string; address: string; dynamic: boolean }[];
  /** name → addresses as the host's own resolver (hosts file and DNS) gives them; empty when unknown. */
  resolves: Record<string, string[]>;
  /** The etcd binary that a unit would start. */
  etcd?: { path: string; version: string };
  etcdctl?: { path: string; version: string };
  /** The distribution's package: installed version and the one that could be installed, upstream and revision. */
  package: { manager: 'apt' | 'apk' | 'dnf' | 'none'; name?: string; installed?: string; candidate?: string };
  etcdProcesses: EtcdProcess[];
  listeners: Listener[];
  mounts: Mount[];
  /** By path: everything asked for that exists. */
  files: Record<string, FileFact>;
  dataDirs: Record<string, DataDirFact>;
  services: Record<string, ServiceFact>;
  etcdUser: boolean;
  cores: number;
  memoryBytes: number;
  /** The lock another run holds: its content. */
  lock?: string;
  /** The host's command-line tools that matter: openssl, nc, curl, timeout, bash. */
  tools: string[];
}

/** What the fact script is asked to look at, beside what it always reports. */
export interface FactQuestions {
  /** Public files: content, mode, owner, sum. */
  files: string[];
  /** Secret files: mode, owner and sum only; with `publicKeys` the public key derived from it. */
  secrets: string[];
  publicKeys: boolean;
  /** Data directories to examine. */
  dataDirs: string[];
  /** Paths whose file system matters. */
  mounts: string[];
  names: string[];
  services: string[];
}
