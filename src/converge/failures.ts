/** How a run that does not end well is told: what stands in the way, what has been done, how to go on. */
import { CONTROLLER } from '../apply/context.ts';
import { WizardError } from '../errors.ts';
import type { Plan, PreflightFinding } from '../plan/types.ts';
import { quote } from '../quote.ts';

interface Called {
  /** The profile as the person named it. */
  profileName: string;
}

/** What the person agreed to for this run. */
interface Agreed extends Called {
  takeOver: readonly string[];
  newCaPassphrase?: string;
}

/** @throws WizardError `preflight` when the plan has a stop */
export function assertNoStop(plan: Plan, { profileName }: Called): void {
  const stops = plan.findings.filter(({ severity }) => severity === 'stop');
  const [first] = stops;
  if (first === undefined) return;
  throw new WizardError(
    'preflight',
    stops.length === 1 ? first.what : `${stops.length} things stand in the way of ${plan.cluster}.`,
    {
      step: 'preflight',
      host: stops.length === 1 && first.hosts.length === 1 ? first.hosts[0] : undefined,
      why: stops.map((stop) => (stops.length === 1 ? stop.why : `${stop.what} ${stop.why}`)).join('\n'),
      next: [...remedies(stops), `etcd-wizard plan ${quote(profileName)}`],
    },
  );
}

/** Of several stops each remedy says whose it is; the same one for several is told once. */
function remedies(stops: readonly PreflightFinding[]): string[] {
  const byRemedy = new Map<string, string[]>();
  for (const { hosts, remedy } of stops) {
    const key = remedy.join('\n');
    byRemedy.set(key, [...(byRemedy.get(key) ?? []), ...hosts]);
  }
  return [...byRemedy].flatMap(([remedy, hosts]) => [
    ...(byRemedy.size > 1 && hosts.length > 0 ? [`${[...new Set(hosts)].join(', ')}:`] : []),
    ...remedy.split('\n'),
  ]);
}

/** Installed, and yet not found: another package of that name, or one that was removed at once. */
export function stillUnknown({ actions }: Plan): WizardError {
  const host = actions[0]?.host;
  return new WizardError('install', `${host}: etcd’s package was installed, but no etcd is there.`, {
    host,
    step: 'install',
    next: ['Look at the host:', 'apt-cache policy etcd-server; command -v etcd'],
  });
}

/** Tells what state things are in after a failure, and how to go on. */
export function afterChanges(error: WizardError, touched: ReadonlySet<string>, options: Agreed): WizardError {
  // What was agreed to for this run only: the next one would stop, or give a CA that is yet to be made an open key.
  const flags = [
    ...options.takeOver.map((host) => ` --take-over ${quote(host)}`),
    ...(options.newCaPassphrase !== undefined && !touched.has(CONTROLLER) ? [' --encrypt-ca'] : []),
  ].join('');
  const resume = `etcd-wizard replay ${quote(options.profileName)}${flags}`;
  const next = [
    ...error.next.filter((line) => line !== resume),
    ...(touched.size > 0 ? ['What was done stays done; this goes on from there:'] : []),
    resume,
  ];
  const hosts = [...touched].filter((host) => host !== CONTROLLER);
  const where = [
    hosts.length > 0 ? `Changed so far: ${hosts.join(', ')}.` : 'Nothing has been changed on any host.',
    ...(touched.has(CONTROLLER) ? ['What was made on this machine (CA, client certificates) is kept and used.'] : []),
  ].join(' ');
  const code = error.code === 'interrupted' || hosts.length === 0 ? error.code : 'partly-applied';
  return new WizardError(code, error.message, {
    host: error.host,
    step: error.step,
    why: [error.why, where].filter(Boolean).join(' '),
    next,
    evidence: [...error.evidence],
    partial: touched.size > 0,
    cause: error,
  });
}
