/** Starting members: all of a new cluster together, one of a running cluster with quorum around it. */
import { explainLogs } from '../doctor/explain.ts';
import { asWizardError, WizardError } from '../errors.ts';
import { membersOf } from '../etcd/members.ts';
import { lookOnce, waitForQuorum } from '../health/wait.ts';
import type { Action } from '../plan/types.ts';
import { type ApplyContext, transportOf } from './context.ts';

type StartAction = Extract<Action, { kind: 'start' | 'restart' }>;
type Perform = (context: ApplyContext, action: Action, work: () => Promise<void>) => Promise<void>;

/** Lines of every start, and what etcd itself calls information: among them the cause would be lost. */
const ROUTINE = /"level":"(info|debug)"|recognized and used environment variable/;

/** How long a member may take to join: etcd waits for its peers, and a Pi with a slow card takes its time. */
const START_MS = 180_000;

/**
 * Starts the given members at once and waits until the cluster has a leader and every one of them answers.
 * When one fails the others are told so at once instead of waiting for it to the end.
 */
export async function startTogether(
  context: ApplyContext,
  actions: readonly StartAction[],
  perform: Perform,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const results = await Promise.allSettled(
    actions.map((action) =>
      perform(context, action, async () => {
        context.touched.add(action.host);
        try {
          await context.service.start(transportOf(context, action.host), {
            restart: action.kind === 'restart',
            timeoutMs: START_MS,
            signal,
          });
        } catch (thrown) {
          if (failed.signal.aborted && !context.signal.aborted)
            throw new WizardError('interrupted', 'not waited for any longer: another member failed', { cause: thrown });
          failed.abort();
          throw thrown;
        }
      }),
    ),
  );
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [asWizardError(result.reason)] : []));
  if (context.signal.aborted)
    throw new WizardError('interrupted', 'Interrupted while the members started.', { step: 'start' });
  // Those that were given up because another failed are not the cause.
  const cause = errors.find((error) => error.code !== 'interrupted');
  if (cause) throw await explained(context, cause);
  await quorum(context);
}

/** Starts or restarts one member and waits until the whole cluster is well again. */
export async function startOne(context: ApplyContext, action: StartAction): Promise<void> {
  context.touched.add(action.host);
  try {
    await context.service.start(transportOf(context, action.host), {
      restart: action.kind === 'restart',
      timeoutMs: START_MS,
      signal: context.signal,
    });
  } catch (thrown) {
    const error = asWizardError(thrown);
    throw error.code === 'interrupted' ? error : await explained(context, error);
  }
  await quorum(context);
}

/** @throws WizardError `quorum` when the cluster would lose its quorum without this member */
export async function assertMayStop(context: ApplyContext, host: string): Promise<void> {
  const health = await lookOnce(await healthTarget(context));
  const others = health.members.filter((member) => member.name !== host && member.up && member.sample.healthy).length;
  const needed = Math.floor(health.total / 2) + 1;
  // One member or two have no quorum to spare even when all is well: the plan says that the cluster will be away for a moment.
  const unavoidable = health.total - needed === 0 && others === health.total - 1;
  if (others < needed && !unavoidable) {
    throw new WizardError('quorum', `${host} cannot be restarted now: the cluster would lose its quorum.`, {
      host,
      step: 'restart',
      why: `${health.quorum}. Without ${host} ${others} of ${health.total} would be left; ${needed} are needed.`,
      next: ['Bring the other members up first:', `etcd-wizard health ${context.called}`],
    });
  }
}

async function quorum(context: ApplyContext): Promise<void> {
  try {
    await waitForQuorum(await healthTarget(context), {
      signal: context.signal,
      timeoutMs: START_MS,
      emit: context.emit,
    });
  } catch (thrown) {
    const error = asWizardError(thrown);
    throw error.code === 'interrupted' ? error : await explained(context, error);
  }
}

async function healthTarget(context: ApplyContext) {
  return {
    members: membersOf(context.profile),
    credentials: await context.credentials(),
    transports: context.transports,
  };
}

/** Adds what every member's log says, and what that means, to a failure of starting. */
async function explained(context: ApplyContext, error: WizardError): Promise<WizardError> {
  // A host that is gone is the cause itself; what the others write about it adds nothing.
  if (error.code === 'connect') return error;
  const logs = await Promise.all(
    [...context.transports].map(async ([host, transport]) => ({
      host,
      lines: await context.service
        .logs(transport, 40)
        .catch((thrown: unknown) => [`(its log could not be read: ${asWizardError(thrown).message})`]),
    })),
  );
  const meaning = explainLogs(logs);
  return new WizardError(error.code, error.message, {
    host: error.host,
    step: error.step,
    why: [error.why, ...meaning.map(({ sentence }) => sentence)].filter(Boolean).join(' '),
    next: meaning.flatMap(({ next }) => next),
    evidence: logs.flatMap(({ host, lines }) =>
      lines
        .filter((line) => !ROUTINE.test(line))
        .slice(-8)
        .map((line) => `${host}: ${line}`),
    ),
    cause: error,
  });
}
