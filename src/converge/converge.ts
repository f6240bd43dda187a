/** The one way from a profile to a proven cluster: connect, look, plan, ask, lock, look again, apply, prove. */
import { randomBytes } from 'node:crypto';
import { openSelfSigned } from '../apply/authority.ts';
import type { ApplyContext } from '../apply/context.ts';
import type { Emit } from '../apply/events.ts';
import type { ServiceControl } from '../apply/service.ts';
import { asWizardError, WizardError } from '../errors.ts';
import { membersOf } from '../etcd/members.ts';
import type { Interaction } from '../front/interaction.ts';
import type { TlsCredentials } from '../health/types.ts';
import type { CertificateAuthority } from '../pki/types.ts';
import { planCluster } from '../plan/plan.ts';
import type { Embedded, Plan, PlanInput } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import { quote } from '../quote.ts';
import type { Transport } from '../remote/transport.ts';
import type { ClusterState } from '../state/cluster.ts';
import type { RunId } from '../state/run-id.ts';
import { afterChanges, assertNoStop, stillUnknown } from './failures.ts';
import { type Gathered, gather } from './gather.ts';
import { withLocks } from './locks.ts';
import { proofSummary } from './summary.ts';
import { isUnanswered, unanswered, unreachableHost } from './unanswered.ts';

export interface ConvergeOptions {
  profile: Profile;
  /** How the person named it: for the commands in messages. */
  profileName: string;
  state: ClusterState;
  interaction: Interaction;
  emit: Emit;
  signal: AbortSignal;
  /** Opens one transport a host; a host that cannot be reached is an error in the map, not a rejection. */
  connect(): Promise<Map<string, Transport | WizardError>>;
  service: ServiceControl;
  /** Who runs this, for locks: `user@machine`. */
  who: string;
  /** Names this run and knows this machine's earlier ones, for locks. */
  runId?: () => Promise<RunId>;
  /** Only show the plan. */
  dryRun: boolean;
  takeOver: string[];
  newCaPassphrase?: string;
  caPassphrase?: string;
  embedded?: Embedded;
  /** Writes what was decided once back into a stored profile: the token before a host is touched, the CA’s fingerprint after the proof. */
  record(decided: { token: string; caFingerprint?: string }): Promise<void>;
  now(): number;
}

export interface ConvergeResult {
  outcome: 'healthy' | 'nothing-to-do' | 'declined' | 'planned';
  plan: Plan;
  summary: string[];
}

/** How long a cluster may be without a leader before that counts as a failure: ten times etcd’s default election timeout. */
const ELECTION_MS = 10_000;

/**
 * @returns what came of it; `planned` after a dry run
 * @throws WizardError `preflight` when the plan has a stop; the failing step's error, `partly-applied` when hosts were
 *   changed before it; `interrupted`
 */
export async function converge(options: ConvergeOptions): Promise<ConvergeResult> {
  const transports = new Map<string, Transport>();
  try {
    return await run(options, transports);
  } catch (thrown) {
    const error = asWizardError(thrown);
    // Before anything was begun; later ones know what was done.
    throw error.code === 'interrupted' && error.next.length === 0 ? afterChanges(error, new Set(), options) : error;
  } finally {
    await Promise.all([...transports.values()].map((transport) => transport.close().catch(() => undefined)));
  }
}

async function run(options: ConvergeOptions, transports: Map<string, Transport>): Promise<ConvergeResult> {
  const { profile, state, emit, signal, interaction } = options;
  const refused: Gathered['unreachable'] = [];
  const questions: WizardError[] = [];
  for (const [host, opened] of await options.connect()) {
    if (opened instanceof WizardError) {
      if (opened.code === 'interrupted') throw opened;
      if (isUnanswered(opened)) questions.push(opened);
      refused.push(unreachableHost(host, opened));
    } else transports.set(host, opened);
  }
  if (questions.length > 0) throw unanswered(questions);

  const stamp = new Date(options.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const freshToken = `${profile.name}-${randomBytes(4).toString('hex')}`;
  const { inspectCertificate } = await import('../pki/index.ts');
  const look = async (): Promise<Plan> => {
    const known = await state.read();
    const credentials = await clientOf(profile, state);
    const gathered = await gather({
      profile,
      transports,
      ...(credentials && { credentials }),
      embedded: options.embedded,
      emit,
      signal,
    });
    const input: PlanInput = {
      profile,
      profileName: options.profileName,
      ...gathered,
      unreachable: [...refused, ...gathered.unreachable],
      state: known,
      now: options.now(),
      freshToken,
      takeOver: options.takeOver,
      embedded: options.embedded,
      inspect: inspectCertificate,
      stamp,
    };
    return planCluster(input);
  };

  const plan = await look();
  emit({ type: 'plan', plan });
  assertNoStop(plan, options);
  if (options.newCaPassphrase !== undefined && !plan.unfinished && !plan.actions.some(({ kind }) => kind === 'mint-ca'))
    emit({ type: 'note', text: `${profile.name} has its CA already: --encrypt-ca changes nothing about its key.` });
  if (options.dryRun) return { outcome: 'planned', plan, summary: [] };
  if (plan.actions.length === 0) {
    const summary = await proveCluster(options, transports, true);
    // The run that did the work may have been killed before it could write this down.
    await decide(options, plan);
    await conclude(options, plan);
    return { outcome: 'nothing-to-do', plan, summary };
  }
  if (!(await interaction.acceptPlan(plan, false)))
    return { outcome: 'declined', plan, summary: ['Nothing was changed.'] };

  const touched = new Set<string>();
  try {
    return await withLocks({ ...options, transports }, async (held) => {
      const locked = { ...options, signal: held };
      // Another run may have been at work between the look and the lock.
      let again = await look();
      const agreed = async () => {
        emit({ type: 'plan', plan: again });
        assertNoStop(again, options);
        return await interaction.acceptPlan(again, true);
      };
      if (!samePlan(plan, again) && !(await agreed()))
        return { outcome: 'declined' as const, plan: again, summary: ['Nothing was changed.'] };
      // Under the lock: of two runs that begin at once only one may say what the cluster's token is.
      await decide(options, again);
      const { applyPlan } = await import('../apply/run.ts');
      if (again.unfinished) {
        await applyPlan(applyContext(locked, again, transports, touched, stamp));
        again = await look();
        if (again.unfinished) throw stillUnknown(again);
        if (!(await agreed()))
          return {
            outcome: 'declined' as const,
            plan: again,
            summary: ['etcd was installed; nothing else was changed.'],
          };
        await decide(options, again);
      }
      const context = applyContext(locked, again, transports, touched, stamp);
      await applyPlan(context);
      const summary = await proveCluster(locked, transports, false, context.peerCredentials);
      await conclude(options, again);
      return { outcome: 'healthy' as const, plan: again, summary };
    });
  } catch (thrown) {
    throw afterChanges(asWizardError(thrown), touched, options);
  }
}

function applyContext(
  options: ConvergeOptions,
  plan: Plan,
  transports: ReadonlyMap<string, Transport>,
  touched: Set<string>,
  stamp: string,
): ApplyContext {
  const { profile, state, interaction, now } = options;
  let authority: Promise<CertificateAuthority> | undefined;
  return {
    profile,
    called: quote(options.profileName),
    plan,
    transports,
    state,
    service: options.service,
    authority: () => {
      authority ??= openSelfSigned(profile, state, now, async ({ retry, prompt }) => {
        const given = options.caPassphrase ?? options.newCaPassphrase;
        if (given !== undefined && !retry) return given;
        return interaction.secret({ id: `ca:${profile.name}`, kind: 'ca-passphrase', prompt, retry });
      });
      return authority;
    },
    credentials: async () => (await clientOf(profile, state)) ?? missingClient(profile),
    newCaPassphrase: options.newCaPassphrase,
    stamp,
    emit: options.emit,
    signal: options.signal,
    now,
    touched,
    peerCredentials: new Map(),
    embedded: options.embedded,
  };
}

/** What is decided once is written down before the first host is touched, so that an interrupted run decides the same. */
async function decide({ state, record }: ConvergeOptions, { resolved }: Plan): Promise<void> {
  await state.saveResolved(resolved);
  await record({ token: resolved.token });
}

/** What a proven cluster is known by from now on: that it has data, and its CA. On this machine only. */
async function conclude({ state, record, now }: ConvergeOptions, { resolved }: Plan): Promise<void> {
  const { inspectCertificate } = await import('../pki/index.ts');
  await state.markBootstrapped(now());
  const ca = (await state.read()).ca.client?.certificatePem;
  await record({ token: resolved.token, caFingerprint: ca && inspectCertificate(ca).fingerprint });
}

/** Dials everything with the real client certificate; throws when anything is not as it should be. */
async function proveCluster(
  options: ConvergeOptions,
  transports: ReadonlyMap<string, Transport>,
  readOnly: boolean,
  peers?: ReadonlyMap<string, TlsCredentials>,
): Promise<string[]> {
  const { profile, state, emit, signal } = options;
  const { prove } = await import('../health/prove.ts');
  const credentials = (await clientOf(profile, state)) ?? missingClient(profile);
  const members = membersOf(profile);
  const look = () =>
    prove({ members, credentials, peerCredentials: (host) => peers?.get(host), transports, readOnly, emit, signal });
  let proof = await look();
  // An election (a member came back, a link was cut) is over within seconds and no failure.
  if (!proof.ok && proof.health.members.every(({ up, sample }) => up || sample.failure === 'silent')) {
    const { waitForQuorum } = await import('../health/wait.ts');
    await waitForQuorum({ members, credentials, transports }, { signal, timeoutMs: ELECTION_MS, emit });
    proof = await look();
  }
  if (!proof.ok) {
    throw new WizardError('proof', `${profile.name} does not stand up to the proof.`, {
      step: 'proof',
      why: proof.problems.join(' '),
      next: [`etcd-wizard health ${options.profileName}`, `etcd-wizard replay ${options.profileName}`],
    });
  }
  return proofSummary(profile, proof, readOnly);
}

async function clientOf(profile: Profile, state: ClusterState): Promise<Required<TlsCredentials> | undefined> {
  for (const { commonName } of profile.certificates.clients) {
    const bundle = await state.client(commonName);
    if (bundle) return bundle;
  }
  return undefined;
}

function missingClient(profile: Profile): never {
  throw new WizardError('state', `No client certificate of ${profile.name} is on this machine.`, {
    next: ['Run the replay on the machine that made the cluster, or copy its state folder here.'],
  });
}

/** Two plans are the same when they would do the same; the stamp in folder names is one and the same in a run. */
function samePlan(left: Plan, right: Plan): boolean {
  const essence = ({ actions, findings }: Plan) =>
    JSON.stringify([
      actions,
      findings.filter(({ severity }) => severity !== 'note').map(({ id, hosts }) => [id, hosts]),
    ]);
  return essence(left) === essence(right);
}
