/**
 * The command: argv, environment, signals, exit codes. The only file that touches `process.argv` and `process.exit`.
 * Loads next to nothing before it knows what is wanted, so that the app's first frame is there at once.
 */
import { userInfo } from 'node:os';
import type { CommandIo, GlobalFlags, Secrets } from './commands/io.ts';
import { asWizardError, EXIT } from './errors.ts';
import { controllerPaths } from './state/paths.ts';
import { VERSION } from './version.ts';

/** Where secrets may come in by environment; taken out of it before anything else happens. */
const SECRET_VARIABLES: Record<string, keyof Secrets | undefined> = {
  ETCD_WIZARD_SUDO_PASSWORD: 'sudoPassword',
  ETCD_WIZARD_SSH_PASSWORD: 'sshPassword',
  ETCD_WIZARD_CA_PASSPHRASE: 'caPassphrase',
  VAULT_TOKEN: undefined,
};

/** Runs the command line and leaves with its exit code. */
export async function main(): Promise<void> {
  const secrets = takeSecrets(process.env);
  const interruption = new AbortController();
  onSignals(interruption);
  let unwritten: NodeJS.ErrnoException | undefined;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // A closed pipe (`… | head`) and a terminal that went away are the reader's good right, but no reason to leave a host
      // half done or a lock behind: what is under way is ended as by a signal, without a word.
      if (error.code !== 'EPIPE' && error.code !== 'EIO') unwritten = error;
      interruption.abort();
    });
  const makeIo = (flags: GlobalFlags): CommandIo => ({
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    secrets,
    flags,
    paths: controllerPaths(process.env),
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    signal: interruption.signal,
    who: whoAmI(),
    version: VERSION,
  });
  const argv = process.argv.slice(2);
  let code: number;
  try {
    if (argv.length === 0) code = await (await import('./commands/app.ts')).app(makeIo(NO_FLAGS));
    else code = await (await import('./commands/program.ts')).runProgram(argv, makeIo);
  } catch (thrown) {
    code = await report(thrown, makeIo(flagsIn(argv)));
  }
  await drained(process.stdout);
  // A result that nobody could read (a full disk behind `>`) is no success.
  process.exit(unwritten === undefined ? code : EXIT.failed);
}

const NO_FLAGS: GlobalFlags = { plain: false, json: false, yes: false, color: true, verbose: false };

/** What the last resort needs of the flags, read without the parser (which may be what failed). */
const flagsIn = (argv: readonly string[]): GlobalFlags => ({
  ...NO_FLAGS,
  json: argv.includes('--json'),
  verbose: argv.includes('--verbose'),
});

async function report(thrown: unknown, io: CommandIo): Promise<number> {
  const error = asWizardError(thrown);
  if (io.flags.json) {
    const { jsonLine } = await import('./front/headless.ts');
    io.out(jsonLine(error));
  } else {
    const { errorLines } = await import('./front/text.ts');
    for (const line of errorLines(error)) io.err(line);
  }
  if (io.flags.verbose && error.cause instanceof Error && error.code === 'bug') io.err(error.cause.stack ?? '');
  return error.exitCode;
}

function takeSecrets(environment: NodeJS.ProcessEnv): Secrets {
  const secrets: Secrets = {};
  for (const [variable, field] of Object.entries(SECRET_VARIABLES)) {
    const value = environment[variable];
    delete environment[variable];
    if (field !== undefined && value !== undefined && value !== '') secrets[field] = value;
  }
  // Secrets of single hosts for Vault, `ETCD_WIZARD_VAULT_PI1_TOKEN`: children shall not inherit them either.
  for (const variable of Object.keys(environment))
    if (/^ETCD_WIZARD_VAULT_.+_(TOKEN|SECRET_ID|PASSWORD)$/.test(variable)) delete environment[variable];
  return secrets;
}

/** The first signal asks for a clean end; the second leaves at once. */
function onSignals(interruption: AbortController): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interruption.signal.aborted) process.exit(EXIT.interrupted);
      interruption.abort();
    });
  }
}

/** `user@machine`, for locks that others may meet. */
function whoAmI(): { user: string; pid: number } {
  let user = 'unknown';
  try {
    user = userInfo().username;
  } catch {
    // No entry in the password file (containers): the name is for people only.
  }
  return { user, pid: process.pid };
}

/** Output to a pipe is asynchronous; what was written must be out before the process ends, or its failure be known. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    // A write to a file fails at once, but says so one turn later.
    const told = () => setImmediate(resolve);
    if (stream.writableLength === 0) told();
    else stream.write('', told);
  });
}
