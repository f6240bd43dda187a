/** What the app costs in a terminal of its own (a pty made by script(1)): its first frame, and the health pane while it runs. */
import { readFile } from 'node:fs/promises';
import { CLI } from '../test/lab/cli.ts';
import type { Controller } from '../test/lab/controller.ts';
import { Lab } from '../test/lab/lab.ts';
import { type Running, run, sleep, start } from '../test/setup/process.ts';
import { median, type Row, time } from './report.ts';

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Arguments of script(1) that run a command in a pty of 80 columns and 24 rows. */
const inPty = (command: readonly string[]): string[] => [
  '-qefc',
  `stty cols 80 rows 24; exec ${command.map(quote).join(' ')}`,
  '/dev/null',
];

const TERMINAL = { TERM: 'xterm-256color', LANG: 'C.UTF-8', PATH: process.env.PATH ?? '' };

export async function firstFrame(runs: number, home: string): Promise<Row[]> {
  const env = { ...TERMINAL, HOME: home };
  const frames: number[] = [];
  const bare: number[] = [];
  for (let turn = 0; turn < runs; turn += 1) {
    const begun = performance.now();
    const app = start('script', inPty([process.execPath, CLI]), { env });
    app.done.catch(() => undefined);
    await app.until(/New cluster|new cluster/);
    frames.push(performance.now() - begun);
    app.child.kill('SIGTERM');
    await app.done;
    bare.push((await run('script', inPty([process.execPath, '-e', '0']), { env })).elapsedMs);
  }
  return [
    { what: 'Node itself starting and ending in a pty', measured: time(bare), bar: '' },
    {
      what: 'first frame of the app, from the bundle, in a pty',
      measured: time(frames),
      bar: 'under 250 ms',
      met: median(frames) < 250,
    },
  ];
}

interface Usage {
  /** Seconds of processor time so far. */
  cpu: number;
  /** Bytes resident. */
  resident: number;
}

async function usage(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return { cpu: (user + system) / 100, resident: kilobytes * 1024 };
}

async function nodeBelow(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  for (const child of children) {
    if (
      (await readFile(`/proc/${child}/comm`, 'utf8')).trim() === 'node' ||
      (await readFile(`/proc/${child}/cmdline`, 'utf8')).includes('cli.js')
    )
      return child;
  }
  throw new Error(`no node below ${pid}`);
}

/** Five members, one look a second. */
export async function healthPane(seconds: number): Promise<Row[]> {
  const lab = await Lab.start({ hosts: 5, etcd: 'present' });
  try {
    const profile = await lab.controller.profile();
    const replay = await lab.run(['replay', profile, '--yes', '--json']);
    if (replay.code !== 0)
      throw new Error(`replay: exit ${replay.code}\n${replay.stdout.slice(-2000)}${replay.stderr}`);
    const pane = openPane(lab.controller, profile);
    await pane.until(/5 of 5/);
    // The first seconds pay for compiling; what lasts is measured.
    await sleep(5_000);
    const node = await nodeBelow(pane.child.pid ?? 0);
    const before = { ...(await usage(node)), bytes: pane.output().length, at: performance.now() };
    await sleep(seconds * 1000);
    const after = { ...(await usage(node)), bytes: Buffer.byteLength(pane.output()), at: performance.now() };
    pane.child.kill('SIGTERM');
    await pane.done;
    const elapsed = (after.at - before.at) / 1000;
    const share = ((after.cpu - before.cpu) / elapsed) * 100;
    const rate = (after.bytes - before.bytes) / elapsed;
    const resident = after.resident / 1e6;
    return [
      {
        what: `health pane, 5 members each second, over ${seconds} s: processor`,
        measured: `${share.toFixed(1)} % of a core`,
        bar: 'under 4 %',
        met: share < 4,
      },
      { what: '… to the terminal', measured: `${rate.toFixed(0)} bytes/s`, bar: 'under 1 kB/s', met: rate < 1000 },
      { what: '… resident', measured: `${resident.toFixed(0)} MB`, bar: 'under 100 MB', met: resident < 100 },
    ];
  } finally {
    await lab.stop();
  }
}

function openPane(controller: Controller, profile: string): Running {
  const [command, args] = controller.command(
    'script',
    inPty([process.execPath, CLI, 'health', profile, '--watch', '--interval', '1']),
  );
  const pane = start(command, args, { env: controller.env(), timeoutMs: 300_000 });
  pane.done.catch(() => undefined);
  return pane;
}
