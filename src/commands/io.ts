/** What every command is given, so that none of them touches `process`. */
import type { ControllerPaths } from '../state/paths.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  plain: boolean;
  json: boolean;
  yes: boolean;
  color: boolean;
  verbose: boolean;
  logFile?: string;
}

/** Secrets taken from the environment (which is emptied of them at start) or from files named by flags. */
export interface Secrets {
  sudoPassword?: string;
  sshPassword?: string;
  caPassphrase?: string;
}

export interface CommandIo {
  /** Data: what a script reads. Whole lines, already cleaned. */
  out(text: string): void;
  /** Talk: progress, remarks, errors. */
  err(text: string): void;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** Without secrets. */
  environment: Readonly<Record<string, string | undefined>>;
  secrets: Secrets;
  flags: GlobalFlags;
  paths: ControllerPaths;
  /** stdin and stdout are terminals, so that questions can be asked. */
  interactive: boolean;
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP. */
  signal: AbortSignal;
  /** For locks on hosts that other people may meet. */
  who: { user: string; pid: number };
  version: string;
}
