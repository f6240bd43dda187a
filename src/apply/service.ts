/** Starting and stopping a member, whatever keeps it running on its host. */
import type { Transport } from '../remote/transport.ts';

export interface ServiceControl {
  /**
   * Starts or restarts the member and resolves when the service manager says that it runs (systemd: Type=notify, so etcd
   * has joined its cluster).
   * @throws WizardError `start` with the last log lines as evidence, `timeout`, `interrupted`
   */
  start(transport: Transport, options: { restart: boolean; timeoutMs: number; signal?: AbortSignal }): Promise<void>;
  stop(transport: Transport, options: { timeoutMs: number; signal?: AbortSignal }): Promise<void>;
  /** In words, what the service manager says now: «activating (start)», «failed: exit code 1». */
  state(transport: Transport): Promise<string>;
  /** The last log lines of the member, oldest first, raw. */
  logs(transport: Transport, lines: number): Promise<string[]>;
}
