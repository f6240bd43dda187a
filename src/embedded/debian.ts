/** etcd from the distribution's package, without root and without installing (an installed one would start at once). */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Emit } from '../apply/events.ts';
import { WizardError } from '../errors.ts';
import { quoteAll } from '../quote.ts';
import { childEnvironment } from '../remote/local.ts';

const PACKAGE = 'etcd-server';
const MINUTES = 60_000;

/**
 * Downloads with the package lists that are there; a fresh machine has none, so then with lists of its own, from the system's
 * sources. apt checks signatures and sums as ever.
 * @returns the path of etcd below `folder`
 * @throws WizardError `install`
 */
export async function unpackDebian(
  folder: string,
  { emit, signal }: { emit: Emit; signal: AbortSignal },
): Promise<string> {
  const runner = { emit, signal, folder: join(folder, 'debs') };
  await mkdir(runner.folder);
  if (!(await exists('apt-get')) || !(await exists('dpkg'))) {
    throw new WizardError('install', 'The distribution’s package cannot be used here.', {
      why: 'Only Debian and its relatives are known so far: apt-get or dpkg is missing.',
    });
  }
  emit({ type: 'note', text: `Fetching ${PACKAGE} from the distribution; nothing is installed.` });
  // As root apt would drop to a user of its own, who may not enter a private folder.
  const sandbox = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  const first = await run('apt-get', [...sandbox, '-qq', 'download', PACKAGE], runner, 5 * MINUTES);
  if (first.code !== 0) await downloadWithOwnLists(folder, sandbox, runner);

  const deb = (await readdir(runner.folder)).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw failed('apt-get downloaded nothing.', first.output);
  const unpacked = await run('dpkg', ['-x', join(runner.folder, deb), join(folder, 'root')], runner, MINUTES);
  if (unpacked.code !== 0) throw failed('The package could not be unpacked.', unpacked.output);
  return join(folder, 'root/usr/bin/etcd');
}

interface Runner {
  emit: Emit;
  signal: AbortSignal;
  folder: string;
}

async function downloadWithOwnLists(folder: string, sandbox: readonly string[], runner: Runner): Promise<void> {
  const state = join(folder, 'apt');
  for (const each of ['lists/partial', 'cache/archives/partial']) await mkdir(join(state, each), { recursive: true });
  const own = [
    `Dir::State::Lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    // Only the index of packages is needed.
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
  ].flatMap((option) => ['-o', option]);
  runner.emit({ type: 'note', text: 'This machine has no package lists; fetching lists into a folder of this run.' });
  const updated = await run('apt-get', [...sandbox, ...own, '-qq', 'update'], runner, 10 * MINUTES);
  const second = await run('apt-get', [...sandbox, ...own, '-qq', 'download', PACKAGE], runner, 5 * MINUTES);
  if (second.code !== 0)
    throw failed('The distribution’s package could not be downloaded.', `${updated.output}${second.output}`);
}

const failed = (what: string, output: string) =>
  new WizardError('install', what, {
    why: output
      .split('\n')
      .filter((line) => /^(E|Err|W):?/.test(line))
      .slice(0, 3)
      .join(' '),
    evidence: output.split('\n').filter(Boolean).slice(-10),
  });

function exists(command: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(command, ['--version'], { env: childEnvironment(), timeout: 10_000 }, (error) => resolve(error === null));
  });
}

/** apt's words in English, so that what they mean can be told. */
function run(
  command: string,
  args: readonly string[],
  { emit, signal, folder }: Runner,
  timeout: number,
): Promise<{ code: number; output: string }> {
  emit({ type: 'log', host: 'controller', stream: 'command', line: quoteAll([command, ...args]) });
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...args],
      {
        cwd: folder,
        env: { ...childEnvironment(), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
        timeout,
        signal,
        maxBuffer: 1 << 22,
      },
      (error, stdout, stderr) => {
        if (signal.aborted) return reject(new WizardError('interrupted', 'Interrupted while etcd was fetched.'));
        for (const line of stderr.split('\n').filter(Boolean))
          emit({ type: 'log', host: 'controller', stream: 'stderr', line });
        resolve({
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
          output: `${stdout}${stderr}`,
        });
      },
    );
  });
}
