/** The command line: names and flags of DESIGN's contract, each command loaded when it is called. Examples come first in help. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, WizardError } from '../errors.ts';
import type { CommandIo, GlobalFlags } from './io.ts';

type MakeIo = (flags: GlobalFlags) => CommandIo;

/** @returns the exit code. @throws whatever the command throws */
export async function runProgram(argv: readonly string[], makeIo: MakeIo): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('etcd-wizard')
    .description('From a few hosts to a healthy, mutually authenticated etcd cluster.')
    .version(makeIo(flagsOf({})).version, '--version', 'print the version')
    .option('--plain', 'lines instead of screens')
    .option('--json', 'write JSON only: one document, or one event a line')
    .option('-y, --yes', 'agree to the plan')
    .option('--no-color', 'no colours')
    .option('--verbose', 'say more')
    .option('--log-file <file>', 'append what is done to a file')
    .helpOption('-h, --help', 'show help')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'before',
      examples(
        'etcd-wizard                        open the app',
        'etcd-wizard try                    a real TLS cluster on this machine, no root',
        'etcd-wizard replay homelab         bring the hosts to what the profile says',
        'etcd-wizard health homelab         watch it',
      ),
    );
  const run = (command: Command, work: (io: CommandIo, ...args: never[]) => Promise<number>) =>
    command.action(async (...args: unknown[]) => {
      // commander appends the options and the command itself to the arguments.
      const io = makeIo(flagsOf(program.opts()));
      code = await (work as (io: CommandIo, ...args: unknown[]) => Promise<number>)(io, ...args.slice(0, -1));
    });

  run(
    program
      .command('new')
      .description('the wizard: from questions to a healthy cluster')
      .addHelpText('before', examples('etcd-wizard new', 'etcd-wizard new --plain')),
    async (io) => (await import('./app.ts')).newCluster(io),
  );

  run(
    program
      .command('try')
      .description('a real TLS cluster on this machine: no root, no SSH')
      .option('--members <n>', 'how many members', positive, 3)
      .option('--once', 'prove it healthy, then stop and clean up')
      .addHelpText('before', examples('etcd-wizard try', 'etcd-wizard try --once --members 5')),
    async (io, options: { members: number; once?: boolean }) => (await import('./try.ts')).tryHere(io, options),
  );

  run(
    withAccess(
      program
        .command('plan')
        .argument('<profile>', 'saved name or path')
        .description('what a replay would change; touches nothing (0 nothing, 2 changes)'),
    )
      .option('--diff', 'show the diff of every file')
      .addHelpText('before', examples('etcd-wizard plan homelab', 'etcd-wizard plan ./three-pis.yaml --diff')),
    async (io, profile: string, options: AccessOptions & { diff?: boolean }) =>
      (await import('./replay.ts')).plan(io, profile, options),
  );

  run(
    withAccess(
      program
        .command('replay')
        .argument('<profile>', 'saved name or path')
        .description('bring the hosts to what the profile says; goes on after an interruption'),
    )
      .option('--dry-run', 'show the plan and stop')
      .option(
        '--take-over <host>',
        'agree that the etcd or data found on this host is moved aside (repeatable)',
        collect,
        [],
      )
      .option('--encrypt-ca', 'keep the CA’s key under a passphrase when it is made')
      .addHelpText(
        'before',
        examples('etcd-wizard replay homelab', 'etcd-wizard replay ./three-pis.yaml --yes --accept-new-host-keys'),
      ),
    async (
      io,
      profile: string,
      options: AccessOptions & { dryRun?: boolean; takeOver: string[]; encryptCa?: boolean },
    ) => (await import('./replay.ts')).replay(io, profile, options),
  );

  run(
    program
      .command('health')
      .argument('[profile]', 'saved name or path')
      .description('the live pane, or one look (0 healthy, 3 degraded, 1 no quorum, 6 could not look)')
      .option('--endpoints <urls>', 'comma separated; also ETCDCTL_ENDPOINTS')
      .option('--cacert <file>', 'CA certificate; also ETCDCTL_CACERT')
      .option('--cert <file>', 'client certificate; also ETCDCTL_CERT')
      .option('--key <file>', 'client key; also ETCDCTL_KEY')
      .addOption(new Option('--watch', 'the live pane (default in a terminal)').conflicts('once'))
      .option('--once', 'one look')
      .option('--interval <seconds>', 'between two looks', seconds, 2)
      .addHelpText(
        'before',
        examples(
          'etcd-wizard health homelab',
          'etcd-wizard health homelab --once --json',
          'etcd-wizard health --endpoints https://10.0.11.1:2379 --cacert ca.pem --cert root.pem --key root-key.pem',
        ),
      ),
    async (io, profile: string | undefined, options: HealthOptions) =>
      (await import('./health.ts')).health(io, profile, options),
  );

  const exportExample = 'etcd-wizard certs export homelab --client root --out ./root';
  const certs = program
    .command('certs')
    .description('certificates of a cluster')
    .addHelpText('before', examples(exportExample));
  run(
    certs
      .command('export')
      .argument('<profile>', 'saved name or path')
      .description('write a client’s bundle: ca.pem, NAME.pem, NAME-key.pem (0600)')
      .requiredOption('--client <name>', 'common name of the client')
      .requiredOption('--out <folder>', 'where to write')
      .option('--p12', 'also NAME.p12, for browsers and Java')
      .option('--p12-password-file <file>', 'the password for the .p12, instead of asking')
      .option('--force', 'replace files of other content')
      .addHelpText('before', examples(exportExample, `${exportExample} --p12`)),
    async (
      io,
      profile: string,
      options: { client: string; out: string; p12?: boolean; p12PasswordFile?: string; force?: boolean },
    ) => (await import('./certs.ts')).exportClient(io, profile, options),
  );

  await addProfileCommands(program, run);

  const isJson = argv.includes('--json');
  for (const command of [program, ...program.commands, ...program.commands.flatMap((each) => each.commands)]) {
    command
      .exitOverride((error) => {
        throw usageError(command, error, isJson);
      })
      .configureOutput({
        writeOut: (text) => makeIo(flagsOf({})).out(text.replace(/\n+$/, '\n')),
        // Only help comes here: what is wrong is told as every other error.
        writeErr: (text) => isJson || makeIo(flagsOf({})).err(text.replace(/\n+$/, '\n')),
        outputError: () => undefined,
      })
      .showSuggestionAfterError(true);
  }
  try {
    const { operands, unknown } = program.parseOptions([...argv]);
    // Flags alone: the app, as without any.
    if (operands.length === 0 && unknown.length === 0)
      return await (await import('./app.ts')).app(makeIo(flagsOf(program.opts())));
    await program.parseAsync([...argv], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    // Help and version end here too, with exit code 0.
    return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}

/** The parser's complaint in our words, with the next step; help and version pass as they are. */
function usageError(command: Command, error: CommanderError, isJson: boolean): Error {
  if (error.exitCode === 0) return error;
  const path = [...ancestors(command), command].map((each) => each.name()).join(' ');
  const next = ['See how it is used:', `${path} --help`];
  if (error.code === 'commander.help') {
    // A group of commands without a command: its help has been shown.
    if (!isJson) return error;
    const names = command.commands.map((each) => each.name()).join(', ');
    return new WizardError('usage', `${path} needs one of: ${names}.`, { next });
  }
  const [what = '', ...why] = error.message.replace(/^error: /, '').split('\n');
  return new WizardError('usage', `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.$/, '')}.`, {
    ...(why.length > 0 && { why: why.join(' ').replace(/^\((.*)\)$/, '$1') }),
    next,
  });
}

const ancestors = (command: Command): Command[] =>
  command.parent === null ? [] : [...ancestors(command.parent), command.parent];

/** How hosts are reached: the same for every command that connects. */
export interface AccessOptions {
  acceptNewHostKeys?: boolean;
  sudoPasswordFile?: string;
  sshPasswordFile?: string;
  caPassphraseFile?: string;
}

export interface HealthOptions {
  endpoints?: string;
  cacert?: string;
  cert?: string;
  key?: string;
  watch?: boolean;
  once?: boolean;
  interval: number;
}

const withAccess = (command: Command): Command =>
  command
    .option('--accept-new-host-keys', 'take unknown SSH host keys without asking (changed ones still stop)')
    .option('--sudo-password-file <file>', 'the sudo password, instead of asking; also ETCD_WIZARD_SUDO_PASSWORD')
    .option('--ssh-password-file <file>', 'the SSH password, instead of asking')
    .option('--ca-passphrase-file <file>', 'the passphrase of the CA’s key, instead of asking');

const examples = (...lines: string[]): string => `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

const collect = (value: string, before: string[]): string[] => [...before, value];

function positive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 9)
    throw new InvalidArgumentError('Expected a number between 1 and 9.');
  return number;
}

function seconds(value: string): number {
  const number = Number(value.replace(/s$/, ''));
  if (!Number.isFinite(number) || number < 0.2 || number > 3600)
    throw new InvalidArgumentError('Expected seconds between 0.2 and 3600.');
  return number;
}

const flagsOf = (options: Record<string, unknown>): GlobalFlags => ({
  plain: options.plain === true,
  json: options.json === true,
  yes: options.yes === true,
  color: options.color !== false,
  verbose: options.verbose === true,
  logFile: typeof options.logFile === 'string' ? options.logFile : undefined,
});

async function addProfileCommands(
  program: Command,
  run: (command: Command, work: (io: CommandIo, ...args: never[]) => Promise<number>) => void,
): Promise<void> {
  const profile = program
    .command('profile')
    .description('saved profiles')
    .addHelpText(
      'before',
      examples(
        'etcd-wizard profile list',
        'etcd-wizard profile validate ./three-pis.yaml',
        'etcd-wizard profile import ./three-pis.yaml',
      ),
    );
  const commands = () => import('./profile.ts');
  const add = (usage: string, description: string, ...lines: string[]): Command =>
    profile
      .command(usage)
      .description(description)
      .addHelpText('before', examples(...lines.map((line) => `etcd-wizard profile ${line}`)));
  run(add('list', 'saved profiles', 'list', 'list --json'), async (io) => (await commands()).list(io));
  run(add('show <profile>', 'print it', 'show homelab'), async (io, name: string) => (await commands()).show(io, name));
  run(
    add('validate <profile>', 'check it and name everything that is wrong', 'validate ./three-pis.yaml'),
    async (io, name: string) => (await commands()).validate(io, name),
  );
  run(add('path <profile>', 'where it lies', 'path homelab'), async (io, name: string) =>
    (await commands()).path(io, name),
  );
  run(add('delete <profile>', 'forget it; hosts and certificates stay', 'delete homelab'), async (io, name: string) =>
    (await commands()).remove(io, name),
  );
  run(
    add('import <file>', 'check a file, show what it would reach, save it', 'import ./three-pis.yaml').option(
      '--name <name>',
      'save under another name',
    ),
    async (io, file: string, options: { name?: string }) => (await commands()).importFile(io, file, options),
  );
  run(
    add(
      'export <profile> [file]',
      'write it to a file or to standard output',
      'export homelab',
      'export homelab ./homelab.yaml',
    ),
    async (io, name: string, file: string | undefined) => (await commands()).exportFile(io, name, file),
  );
}
