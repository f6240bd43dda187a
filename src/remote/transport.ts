/** The one interface through which hosts are reached: ssh and local implement it, nothing else runs anything on a host. */
import type { Duplex } from 'node:stream';
import type { Privilege } from '../facts.ts';

export interface ExecOptions {
  /** Sent on standard input: data never travels as an argument. */
  input?: Buffer;
  /** Positional parameters of the script: public values only (visible in `ps`). */
  args?: readonly string[];
  /** Run as root: directly, or through sudo or doas as probed. */
  privileged?: boolean;
  /** Milliseconds until the command is given up; default 60 000. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Called with raw output while it arrives. */
  onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Words for logs and errors: what this command does («install files»). */
  label?: string;
}

export interface ExecResult {
  /** Exit status; null when killed by a signal. */
  code: number | null;
  signal?: string;
  stdout: Buffer;
  stderr: Buffer;
  /** Milliseconds. */
  elapsedMs: number;
}

export interface Transport {
  /** Member name. */
  readonly host: string;
  readonly kind: 'ssh' | 'local';
  /** In words, for people: `pi@10.0.11.1:22`. */
  readonly label: string;
  /** How root's rights are had; set by the fact script, probed at the first privileged call otherwise. */
  privilege: Privilege | undefined;
  /**
   * Runs a constant POSIX sh script as `sh -c SCRIPT sh ARGS…`.
   * @throws WizardError `timeout`, `connect`, `privilege` (sudo refused), `interrupted`; a non-zero exit is a result, not an error.
   */
  exec(script: string, options?: ExecOptions): Promise<ExecResult>;
  /**
   * A TCP connection opened *from that host* (direct-tcpip; plain connect for the local transport).
   * @throws DialError
   */
  dial(address: string, port: number, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<Duplex>;
  close(): Promise<void>;
}

/** Why a dial from a host failed: `prohibited` means that the host's sshd forbids forwarding, so nothing was learnt. */
export class DialError extends Error {
  readonly reason: 'refused' | 'timeout' | 'prohibited' | 'unresolved' | 'unreachable' | 'closed';
  constructor(reason: DialError['reason'], message: string) {
    super(message);
    this.name = 'DialError';
    this.reason = reason;
  }
}

/** Questions that only a person (or a flag) can answer while connecting. */
export interface ConnectQuestions {
  /** An unknown host key; true accepts it and stores it in the wizard's own known_hosts. */
  acceptHostKey(key: { host: string; address: string; type: string; fingerprint: string }): Promise<boolean>;
  /**
   * A secret; undefined when there is nobody to ask. Asked once per `id` and kept in memory only.
   * With `mayBeEmpty` an empty answer is one of its own, as the prompt says.
   */
  secret(question: {
    id: string;
    kind:
      | 'ssh-password'
      | 'key-passphrase'
      | 'sudo-password'
      | 'keyboard-interactive'
      | 'ca-passphrase'
      | 'p12-password';
    prompt: string;
    retry: boolean;
    mayBeEmpty?: boolean;
  }): Promise<string | undefined>;
}

/** One file to put on a host. */
export interface RemoteFile {
  path: string;
  content: Buffer;
  mode: number;
  /** Absent: as it is (local transport without root). */
  owner?: string;
  group?: string;
}

/**
 * Files put in one round trip, each atomically (temporary dot file beside the target, fsync, rename).
 * What is replaced is first copied with owner and mode to `backupFolder`.
 */
export interface FileBundle {
  /** Folders to make (with parents) or to correct in mode and owner, in order. */
  folders: { path: string; mode: number; owner?: string; group?: string }[];
  files: RemoteFile[];
  /**
   * Folders whose files are switched together: the files are written to `FOLDER/.versions/VERSION/`, `FOLDER/.current`
   * is renamed to point there, and each `FOLDER/NAME` is a link to `.current/NAME`.
   */
  versioned: { folder: string; version: string; mode: number; owner?: string; group?: string; files: RemoteFile[] }[];
  backupFolder?: string;
  /** Constant script run afterwards in the same round trip (e.g. `systemctl daemon-reload`); its exit status is the result's. */
  after?: string;
}
