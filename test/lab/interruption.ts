/** Ends a running replay at a chosen event, and tells what state it left. */
import type { Result } from '../setup/process.ts';
import type { Controller } from './controller.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';

export interface ActionEvent {
  type: 'action';
  id: string;
  host: string;
  kind: string;
  state: 'started' | 'done' | 'failed' | 'skipped';
}

/** What `--json` printed, line by line; the error that may stand at the end is no event. */
const eventsOf = ({ stdout }: Pick<Result, 'stdout'>): Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

export const actionsOf = (result: Pick<Result, 'stdout'>): ActionEvent[] =>
  eventsOf(result).filter((event): event is Record<string, unknown> & ActionEvent => event.type === 'action');

/** The error of a `--json` run. */
export function errorOf(result: Pick<Result, 'stdout'>): {
  code: string;
  what: string;
  why?: string;
  host?: string;
  next: string[];
  partial?: boolean;
} {
  const last = eventsOf(result).at(-1);
  if (last?.error === undefined) throw new Error(`no error at the end of:\n${result.stdout}`);
  return last.error as ReturnType<typeof errorOf>;
}

/**
 * Runs `replay --yes --json` and sends `signal` the moment its n-th event of an action has been printed.
 * @param n from 1; @returns the result; a run with fewer events ends by itself
 */
export async function replayUntil(
  controller: Controller,
  profile: string,
  n: number,
  signal: NodeJS.Signals,
): Promise<Result & { sent: boolean }> {
  const running = controller.start(['replay', profile, '--yes', '--json']);
  let sent = false;
  let seen = 0;
  let rest = '';
  running.child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    seen += lines.filter((line) => line.startsWith('{"type":"action"')).length;
    if (seen >= n && !sent) {
      sent = true;
      running.child.kill(signal);
    }
  });
  return { ...(await running.done), sent };
}

/** Everything of a member that must be the same however its host came to it: paths, types, modes, owners, settings. */
export async function memberState(host: Host): Promise<string> {
  return await host.sh(`
    cd /etc/etcd && find -L . -path ./ssl/.versions -prune -o -path ./ssl/.current -prune -o -printf '%p %y %m %u:%g\\n' | sort
    sed 's/CLUSTER_TOKEN=.*/CLUSTER_TOKEN=/' etcd.conf
    stat -c '%n %a %U:%G' /etc/systemd/system/etcd.service /var/lib/etcd/*/ /var/lib/etcd/*/member
    cat /etc/systemd/system/etcd.service
    systemctl is-enabled etcd.service; systemctl is-active etcd.service
    find /etc/etcd /etc/systemd /var/lib/etcd /var/backups -name '.etcd-wizard.*'
    find /etc/etcd/ssl/.versions -mindepth 1 -maxdepth 1 | wc -l | sed 's/^[12]$/old and new at most/'`);
}

/** Hosts and controller as they were before the first replay. */
export async function startAgain(lab: Lab): Promise<void> {
  const script = `systemctl disable -q --now etcd.service 2>/dev/null
    rm -rf /etc/etcd /var/lib/etcd/* /etc/systemd/system/etcd.service /var/backups/etcd-wizard /run/etcd-wizard.lock*
    systemctl daemon-reload; systemctl reset-failed`;
  await Promise.all(lab.hosts.map((host) => host.sh(script)));
  await lab.controller.exec('rm', ['-rf', '.local/state/etcd-wizard']);
}
