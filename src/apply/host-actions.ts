/** Actions on one host that are a single constant script. */
import { WizardError } from '../errors.ts';
import { adviseTuning } from '../etcd/tuning.ts';
import type { Action } from '../plan/types.ts';
import { measureFsync } from '../remote/disk.ts';
import { type ApplyContext, transportOf } from './context.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

/**
 * The package's postinst would start a default member; a runtime mask (gone after a reboot) keeps it down.
 * apt waits for its lock and asks nothing; where the lists do not know the package they are fetched first.
 *
 * A controller that is gone must not break dpkg off half-way: signals are ignored, and what apt prints goes through `relay`,
 * which reads on when nobody listens any more. What was begun is then finished, nothing new is begun, and the next run's
 * installation waits for it (flock): else this one's unmasking could let that one's default member start.
 */
const INSTALL = `set -u
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l APT_LISTCHANGES_FRONTEND=none LC_ALL=C
trap '' HUP INT TERM
exec 3>&1 9</usr/bin/apt-get
flock 9
systemctl mask --runtime etcd.service >/dev/null 2>&1
trap 'systemctl unmask --runtime etcd.service >/dev/null 2>&1' EXIT
relay() { trap '' PIPE; while IFS= read -r line; do printf '%s\\n' "$line" 2>/dev/null; done; }
relayed() { return "$({ { "$@" </dev/null 2>&1; echo $? >&4; } | relay >&3; } 4>&1)"; }
listened() { (trap '' PIPE; printf '%s\\n' "$1" >&3) 2>/dev/null; }
install() { relayed apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends install -- "$@"; }
install "$@" && exit 0
listened 'Once more, with what an earlier installation left finished and with fresh lists.' || exit 1
# A cut-off installation before this one leaves packages half configured.
relayed dpkg --configure -a --force-confdef --force-confold
relayed apt-get -q -o DPkg::Lock::Timeout=300 update
install "$@"`;

/** Stops and disables, so that a reboot does not bring it back; its data stays where it is. */
const STOP_FOREIGN =
  'systemctl disable --now -- "$1" && systemctl reset-failed -- "$1" 2>/dev/null; ! systemctl is-active --quiet -- "$1"';

/** Never deletes, never overwrites; the folder may be a mount point, then its content moves. */
const MOVE_ASIDE = `set -eu
[ -e "$1" ] || exit 0
[ ! -e "$2" ] || { echo "$2 is there already" >&2; exit 1; }
mkdir -p -- "\${2%/*}"
mv -T -- "$1" "$2"`;

const ENSURE_USER = `set -eu
getent group etcd >/dev/null || groupadd --system etcd
getent passwd etcd >/dev/null || useradd --system --gid etcd --home-dir /var/lib/etcd --no-create-home --shell /usr/sbin/nologin etcd`;

export async function installPackage(context: ApplyContext, action: Of<'install-package'>): Promise<void> {
  await run(context, action.host, INSTALL, {
    args: action.packages,
    timeoutMs: 15 * 60_000,
    step: 'install',
    code: 'install',
    what: 'etcd could not be installed',
    explain: aptFailure,
    onLine: (line) => {
      const holder = /Waiting for cache lock.*held by process (\d+) \(([^)]*)\)/.exec(line);
      if (holder)
        context.emit({
          type: 'waiting',
          host: action.host,
          reason: `apt is in use by ${holder[2]} (process ${holder[1]})`,
        });
    },
    next: ['Try it on the host:', 'sudo apt-get update', `sudo apt-get install ${action.packages.join(' ')}`],
  });
}

/** What apt's last words mean, the cause before its consequences. */
function aptFailure(output: string): string | undefined {
  if (/Could not get lock|Unable to acquire the dpkg/.test(output))
    return 'Another program there held apt’s lock for five minutes.';
  if (/No space left|don't have enough free space/.test(output)) return 'Its disk is full.';
  const url = /^(?:E: Failed to fetch|W: Failed to fetch) (\S+)/m.exec(output)?.[1];
  if (url !== undefined) return `apt there could not fetch ${url}: its sources or its network are not in order.`;
  if (/is not signed|NO_PUBKEY|GPG error/.test(output)) return 'apt there does not trust the signature of its sources.';
  if (/Unable to locate package|has no installation candidate/.test(output))
    return 'None of apt’s sources there has the package (in Ubuntu it is in universe).';
  return undefined;
}

export async function stopForeign(context: ApplyContext, action: Of<'stop-foreign'>): Promise<void> {
  await run(context, action.host, STOP_FOREIGN, {
    args: [action.service],
    step: 'stop',
    code: 'remote',
    what: `the etcd that was there (${action.service}) could not be stopped`,
  });
}

export async function moveAside(context: ApplyContext, action: Of<'move-aside'>): Promise<void> {
  await run(context, action.host, MOVE_ASIDE, {
    args: [action.from, action.to],
    step: 'move aside',
    code: 'remote',
    what: `${action.from} could not be moved to ${action.to}`,
  });
}

export async function ensureUser(context: ApplyContext, action: Of<'ensure-user'>): Promise<void> {
  await run(context, action.host, ENSURE_USER, {
    step: 'user',
    code: 'remote',
    what: 'the user etcd could not be made',
  });
}

/** Measures, says what it means; a slow disk is a remark, never a failure. */
export async function measureDisk(context: ApplyContext, action: Of<'measure-disk'>): Promise<void> {
  const { p99Ms } = await measureFsync(transportOf(context, action.host), action.folder, { signal: context.signal });
  const advice = adviseTuning({ fsyncP99Ms: p99Ms });
  if (advice) context.emit({ type: 'note', text: `${action.host}: ${advice}` });
}

async function run(
  context: ApplyContext,
  host: string,
  script: string,
  {
    args = [],
    timeoutMs = 60_000,
    step,
    code,
    what,
    explain,
    onLine,
    next = [],
  }: {
    args?: readonly string[];
    timeoutMs?: number;
    step: string;
    code: 'install' | 'remote';
    what: string;
    /** Makes a sentence of why from all that was printed. */
    explain?: (output: string) => string | undefined;
    onLine?: (line: string) => void;
    next?: string[];
  },
): Promise<void> {
  context.touched.add(host);
  const result = await transportOf(context, host).exec(script, {
    args,
    privileged: context.embedded === undefined,
    timeoutMs,
    signal: context.signal,
    label: step,
    onOutput: (stream, chunk) => {
      for (const line of chunk.toString('utf8').split('\n'))
        if (line.trim() !== '') {
          context.emit({ type: 'log', host, stream, line });
          onLine?.(line);
        }
    },
  });
  if (result.code === 0) return;
  const output = `${result.stdout.toString('utf8')}\n${result.stderr.toString('utf8')}`;
  const evidence = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-12);
  throw new WizardError(code, `${host}: ${what}.`, { host, step, why: explain?.(output), evidence, next });
}
