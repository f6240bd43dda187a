/** Carries a plan out: controller first, hosts in parallel, members of a running cluster one at a time. Prints nothing. */
import { asWizardError, WizardError } from '../errors.ts';
import type { Action } from '../plan/types.ts';
import { issueClient, mintAuthorities } from './authority.ts';
import type { ApplyContext } from './context.ts';
import { needsAuthority, putFiles } from './files.ts';
import { ensureUser, installPackage, measureDisk, moveAside, stopForeign } from './host-actions.ts';
import { eachHost } from './parallel.ts';
import { assertMayStop, startOne, startTogether } from './start.ts';

/** A step that never starts or restarts a member of ours. */
type Preparation = Exclude<Action, { kind: 'start' | 'restart' | 'proof' }>;
const isPreparation = (action: Action): action is Preparation =>
  action.kind !== 'start' && action.kind !== 'restart' && action.kind !== 'proof';

/**
 * Runs every action of the plan save the proof, which belongs to every run.
 * @throws WizardError of the step that failed; what was done stays done, the next run goes on from there
 */
export async function applyPlan(context: ApplyContext): Promise<void> {
  const { actions } = context.plan;
  for (const action of actions.filter(({ host }) => host === 'controller'))
    if (isPreparation(action)) await perform(context, action, () => prepare(context, action));

  // A passphrase is asked for, and a key that cannot be used found out, before anything is begun on a host.
  if (actions.some((action) => action.kind === 'files' && needsAuthority(action))) await context.authority();

  const hosts = [...new Set(actions.map(({ host }) => host))].filter((host) => host !== 'controller');
  const of = (host: string) => actions.filter((action) => action.host === host);
  const starts = (host: string) => of(host).find((action) => action.kind === 'start' || action.kind === 'restart');
  const prepareHost = async (host: string) => {
    const steps = of(host).filter(isPreparation);
    const measure = steps.find(({ kind }) => kind === 'measure-disk');
    const one = (action: Preparation) => perform(context, action, () => prepare(context, action));
    for (const action of steps) {
      if (action === measure) continue;
      // A few small files do not disturb the measurement, nor it them; an installation would.
      await (action.kind === 'files' && measure ? eachHost([action, measure], one) : one(action));
    }
    if (measure && !steps.some(({ kind }) => kind === 'files')) await one(measure);
  };

  if (context.plan.state !== 'running') {
    await eachHost(hosts, prepareHost);
    const together = hosts.map(starts).filter((action) => action !== undefined);
    if (together.length > 0) await startTogether(context, together, perform);
    return;
  }
  // Quorum is there and must stay: hosts that need no restart at once, the others one by one with health between.
  await eachHost(
    hosts.filter((host) => starts(host) === undefined),
    prepareHost,
  );
  for (const host of hosts) {
    const start = starts(host);
    if (start === undefined) continue;
    if (start.kind === 'restart' && start.wasRunning) await assertMayStop(context, host);
    await prepareHost(host);
    await perform(context, start, () => startOne(context, start));
  }
}

async function prepare(context: ApplyContext, action: Preparation): Promise<void> {
  switch (action.kind) {
    case 'mint-ca':
      return mintAuthorities(context, action);
    case 'issue-client':
      return issueClient(context, action);
    case 'install-package':
      return installPackage(context, action);
    case 'stop-foreign':
      return stopForeign(context, action);
    case 'move-aside':
      return moveAside(context, action);
    case 'ensure-user':
      return ensureUser(context, action);
    case 'measure-disk':
      return measureDisk(context, action);
    case 'files':
      return putFiles(context, action);
  }
}

/** Reports and journals one action. Checked for an interruption before it begins, so that nothing new is started then. */
async function perform(context: ApplyContext, action: Action, work: () => Promise<void>): Promise<void> {
  const { id, host, kind } = action;
  if (context.signal.aborted) throw new WizardError('interrupted', 'Interrupted.', { host, step: kind });
  const began = context.now();
  context.emit({ type: 'action', id, host, kind, state: 'started' });
  for (const line of action.commands) context.emit({ type: 'log', host, stream: 'command', line });
  await context.state.journal({ at: new Date(began).toISOString(), action: id, state: 'started' });
  try {
    await work();
  } catch (thrown) {
    const error = asWizardError(thrown);
    const elapsedMs = context.now() - began;
    context.emit({ type: 'action', id, host, kind, state: 'failed', detail: error.message, elapsedMs });
    await context.state.journal({
      at: new Date(context.now()).toISOString(),
      action: id,
      state: 'failed',
      code: error.code,
      elapsedMs,
    });
    throw error;
  }
  const elapsedMs = context.now() - began;
  context.emit({ type: 'action', id, host, kind, state: 'done', elapsedMs });
  await context.state.journal({ at: new Date(context.now()).toISOString(), action: id, state: 'done', elapsedMs });
}
