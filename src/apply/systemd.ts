/** A member kept running by systemd. */
import { WizardError } from '../errors.ts';
import type { Transport } from '../remote/transport.ts';
import { pause } from './parallel.ts';
import type { ServiceControl } from './service.ts';

/** `start` blocks until the unit is active: with Type=notify etcd says so once it has joined its cluster. */
const START = `[ "$(systemctl show -p NeedDaemonReload -- "$2")" = NeedDaemonReload=no ] || systemctl daemon-reload
systemctl reset-failed -- "$2" 2>/dev/null
exec systemctl "$1" -- "$2"`;
const STOP = 'exec systemctl stop -- "$1"';
const SHOW = 'exec systemctl show -p ActiveState -p SubState -p Result -p NRestarts -p ExecMainStatus -- "$1"';
const LOGS = 'exec journalctl --no-pager -o cat -n "$2" -u "$1"';

/**
 * @param unit name of the unit, e.g. `etcd.service`
 * @param onState told every few seconds what systemd says while a start takes its time
 */
export function systemdService(unit: string, onState: (host: string, state: string) => void): ServiceControl {
  const control: ServiceControl = {
    async start(transport, { restart, timeoutMs, signal }) {
      const verb = restart ? 'restart' : 'start';
      const done = new AbortController();
      const watching = watch(transport, done.signal);
      try {
        const { code, stderr } = await transport.exec(START, {
          args: [verb, unit],
          privileged: true,
          timeoutMs,
          signal,
          label: `systemctl ${verb} ${unit}`,
        });
        if (code !== 0) {
          throw new WizardError('start', `${transport.host}: etcd did not start.`, {
            host: transport.host,
            step: 'start',
            why: `systemd says: ${await control.state(transport)}.`,
            evidence: [...lines(stderr), ...(await control.logs(transport, 20))],
          });
        }
      } finally {
        done.abort();
        await watching;
      }
    },
    async stop(transport, { timeoutMs, signal }) {
      const { code, stderr } = await transport.exec(STOP, {
        args: [unit],
        privileged: true,
        timeoutMs,
        signal,
        label: `systemctl stop ${unit}`,
      });
      if (code !== 0)
        throw new WizardError('remote', `${transport.host}: etcd could not be stopped.`, {
          host: transport.host,
          step: 'stop',
          evidence: lines(stderr),
        });
    },
    async state(transport) {
      const { stdout } = await transport.exec(SHOW, {
        args: [unit],
        privileged: true,
        timeoutMs: 10_000,
        label: `systemctl show ${unit}`,
      });
      const values = new Map(lines(stdout).map((line) => line.split('=', 2) as [string, string]));
      const restarts = values.get('NRestarts');
      return [
        `${values.get('ActiveState') ?? 'unknown'} (${values.get('SubState') ?? '?'})`,
        ...(values.get('Result') !== 'success' ? [`result ${values.get('Result')}`] : []),
        ...(restarts !== undefined && restarts !== '0' ? [`${restarts} restarts`] : []),
      ].join(', ');
    },
    async logs(transport, count) {
      const { stdout } = await transport.exec(LOGS, {
        args: [unit, String(count)],
        privileged: true,
        timeoutMs: 15_000,
        label: `journalctl -u ${unit}`,
      });
      return lines(stdout);
    },
  };

  /** The reason for a wait must be visible; a question about the state every 2 s costs little. */
  async function watch(transport: Transport, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await pause(2000, signal);
        onState(transport.host, `systemd: ${await control.state(transport)}`);
      }
    } catch {
      // Ends with the start itself; a state that could not be read is no reason to fail it.
    }
  }
  return control;
}

const lines = (output: Buffer): string[] =>
  output
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
