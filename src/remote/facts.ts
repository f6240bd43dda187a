/** One look at a host: everything that plans and diagnoses need to know, in one round trip and without writing anything. */
import { WizardError } from '../errors.ts';
import type { FactQuestions, HostFacts, Privilege } from '../facts.ts';
import { readClock, readLook } from './facts-lines.ts';
import { parseFacts } from './facts-parse.ts';
import { LOCK_PATH } from './lock.ts';
import { BOOT, scriptThenInput } from './scripts/boot.ts';
import { LOOK, LOOK_AS_ROOT } from './scripts/facts.ts';
import type { ExecResult, Transport } from './transport.ts';

/** A look takes about a second, on a slow host a few; what waits inside it (names) gives up after ten. */
const LOOK_MS = 30_000;

export interface GatherOptions {
  signal?: AbortSignal;
  /** Milliseconds; default 30 000. */
  timeoutMs?: number;
  /** Where the lock lies. */
  lockPath?: string;
}

/**
 * Looks at a host as root where that is possible, and sets `transport.privilege` to how. With a sudo password it is two
 * round trips; a transport whose privilege is already `none` (`try`) is looked at as it is.
 * @throws WizardError `remote` when the host's answer makes no sense; `privilege` when sudo refuses; whatever `exec` throws.
 */
export async function gatherFacts(
  transport: Transport,
  questions: FactQuestions,
  { signal, timeoutMs = LOOK_MS, lockPath = LOCK_PATH }: GatherOptions = {},
): Promise<HostFacts> {
  const { host } = transport;
  const input = ask(questions);
  const options = { input, signal, timeoutMs, label: 'look at the host' };
  const sent = Date.now();
  // The clock is the first thing that the host says: its arrival ends the round trip that it is measured by.
  let arrived: number | undefined;
  let heard = '';
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Buffer) => {
    if (arrived !== undefined || stream === 'stderr') return;
    heard += chunk.toString('latin1');
    if (/^@etcd-wizard-clock .*\n/m.test(heard)) arrived = Date.now();
  };
  const mode = transport.privilege === 'none' ? 'plain' : 'auto';
  const first = await transport.exec(LOOK_AS_ROOT, { ...options, args: [LOOK, lockPath, mode, BOOT], onOutput });
  const text = first.stdout.toString();
  const look = readLook(text);
  const clock = readClock(text);
  if (look.uid === undefined || look.user === undefined || clock === undefined || !look.complete)
    throw noAnswer(host, first);
  const { uid, user } = look;
  const privilege = transport.privilege === 'none' && uid !== 0 ? 'none' : known(look.privilege);
  transport.privilege = privilege;

  const back = arrived ?? sent + first.elapsedMs;
  const middle = (sent + back) / 2;
  const measured = {
    skewMs: Math.round(clock.epochMs - middle),
    errorMs: Math.ceil((back - sent) / 2 + clock.resolutionMs),
  };
  const context = { host, questions, user, uid, privilege, clock: measured, hostNow: clock.epochMs };
  // Nobody can give a password to this machine's own sudo: it is looked at with the rights there are.
  if (privilege !== 'sudo-password' || transport.kind === 'local') return parseFacts(text, context);
  const second = await transport.exec(BOOT, {
    ...options,
    input: scriptThenInput(LOOK, input),
    args: [lockPath],
    privileged: true,
  });
  const again = second.stdout.toString();
  const root = readLook(again);
  if (root.records.length === 0) throw refused(host, user, second);
  if (!root.complete) throw noAnswer(host, second);
  return parseFacts(again, { ...context, hostNow: clock.epochMs + (Date.now() - back) });
}

/** One question a line. @throws WizardError `bad-input` for values that a line cannot carry. */
function ask({ files, secrets, publicKeys, dataDirs, mounts, names, services }: FactQuestions): Buffer {
  const asked: [string, readonly string[]][] = [
    ['file', files.filter((path) => !secrets.includes(path))],
    ['secret', secrets],
    ['publickeys', publicKeys ? ['yes'] : []],
    ['datadir', dataDirs],
    ['mount', mounts],
    ['name', names],
    ['service', services],
  ];
  for (const [kind, values] of asked) {
    const paths = ['file', 'secret', 'datadir', 'mount'].includes(kind);
    const good = paths ? /^\/[^\p{Cc}\\]*$/u : /^[A-Za-z0-9_][A-Za-z0-9_.@:-]*$/;
    const bad = values.find((value) => !good.test(value));
    if (bad !== undefined)
      throw new WizardError('bad-input', `${JSON.stringify(bad)} cannot be asked about as a ${kind}`);
  }
  return Buffer.from(
    `${asked.flatMap(([kind, values]) => [...new Set(values)].map((value) => `${kind}\t${value}\n`)).join('')}end\t\n`,
  );
}

function known(word: string | undefined): Privilege {
  return word === 'root' || word === 'sudo' || word === 'sudo-password' || word === 'doas' ? word : 'none';
}

function refused(host: string, user: string, { stderr }: ExecResult): WizardError {
  return new WizardError('privilege', `${user} may not run commands as root on this host`, {
    host,
    step: 'look at the host',
    why: stderr.toString().trim().split('\n').at(-1),
    next: [`Allow ${user} to use sudo, or name another user for this host in the profile (ssh.user).`],
  });
}

function noAnswer(host: string, { stdout, stderr, code }: ExecResult): WizardError {
  const lines = (buffer: Buffer) =>
    buffer
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-5);
  return new WizardError('remote', 'The host does not answer as a Linux host with a POSIX shell does', {
    host,
    step: 'look at the host',
    why: `The script that looks at it ended early, with ${code ?? 'no'} status.`,
    next: ['Log in by hand and see whether `sh -c id` prints the user’s number.'],
    evidence: [...lines(stderr), ...lines(stdout)],
  });
}
