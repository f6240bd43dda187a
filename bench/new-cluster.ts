/** `replay` of a new three-member cluster against the same by hand and against the bare start; then a replay with nothing to do. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Controller } from '../test/lab/controller.ts';
import { Lab } from '../test/lab/lab.ts';
import { etcdBinaries } from '../test/setup/etcd.ts';
import type { Result } from '../test/setup/process.ts';
import { median, type Row, time } from './report.ts';

const script = (name: string): string => fileURLToPath(new URL(`../../bench/${name}`, import.meta.url));

/** A lab of its own for every measurement: each starts from the same ready hosts. */
async function withLab<T>(work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.start({ hosts: 3, etcd: 'present' });
  try {
    return await work(lab);
  } finally {
    await lab.stop();
  }
}

async function sshConfig({ home }: Controller): Promise<string> {
  const path = join(home, '.ssh/config');
  await writeFile(
    path,
    `User pi\nIdentityFile ${home}/.ssh/id_ed25519\nUserKnownHostsFile ${home}/.ssh/known_hosts\nBatchMode yes\nLogLevel ERROR\n`,
  );
  return path;
}

function succeeded(what: string, result: Result): number {
  if (result.code !== 0)
    throw new Error(`${what}: exit ${result.code}\n${result.stdout.slice(-2000)}${result.stderr.slice(-2000)}`);
  return result.elapsedMs;
}

async function byHand(lab: Lab, env: Record<string, string> = {}): Promise<number> {
  const { etcdctl } = await etcdBinaries('3.5');
  const hosts = lab.hosts.map((host) => `${host.name}=${host.address}`);
  return succeeded(
    'by hand',
    await lab.controller.exec('bash', [script('by-hand.sh'), await sshConfig(lab.controller), etcdctl, ...hosts], {
      env,
    }),
  );
}

const startOnly = async (lab: Lab): Promise<number> => {
  await byHand(lab, { START: 'no' });
  return succeeded(
    'start only',
    await lab.controller.exec('bash', [
      script('start-only.sh'),
      await sshConfig(lab.controller),
      ...lab.hosts.map((host) => host.address),
    ]),
  );
};

interface Replays {
  first: number;
  again: number;
  /** Of the replay with nothing to do, per host, by sshd's own log. */
  connections: number;
  execs: number;
}

async function replays(lab: Lab): Promise<Replays> {
  for (const host of lab.hosts) {
    await host.write('/etc/ssh/sshd_config.d/verbose.conf', 'LogLevel VERBOSE\n');
    await host.sh('systemctl reload ssh');
  }
  const profile = await lab.controller.profile();
  const first = succeeded('replay', await lab.run(['replay', profile, '--yes', '--json']));
  const count = async (pattern: string): Promise<number> => {
    const counts = lab.hosts.map(async (host) =>
      Number(await host.sh(`journalctl -u ssh -o cat | grep -c '${pattern}' || true`)),
    );
    return Math.max(...(await Promise.all(counts)));
  };
  const before = { connections: await count('^Accepted publickey'), execs: await count('^Starting session: command') };
  const result = await lab.run(['replay', profile, '--yes', '--json']);
  const again = succeeded('replay again', result);
  if (!result.stdout.includes('"nothing-to-do"'))
    throw new Error(`the second replay found something to do:\n${result.stdout.slice(-2000)}`);
  return {
    first,
    again,
    connections: (await count('^Accepted publickey')) - before.connections,
    execs: (await count('^Starting session: command')) - before.execs,
  };
}

export async function newCluster(runs: number): Promise<Row[]> {
  const hand: number[] = [];
  const bare: number[] = [];
  const ours: Replays[] = [];
  // In turns, so that whatever else the machine does meets all three.
  for (let run = 0; run < runs; run += 1) {
    ours.push(await withLab(replays));
    hand.push(await withLab((lab) => byHand(lab)));
    bare.push(await withLab(startOnly));
  }
  const first = ours.map((each) => each.first);
  const again = ours.map((each) => each.again);
  const [toHand, toBare] = [median(first) / median(hand), median(first) / median(bare)];
  const connections = Math.max(...ours.map((each) => each.connections));
  const execs = Math.max(...ours.map((each) => each.execs));
  return [
    { what: 'new 3-member cluster by hand, as one script (cfssl, scp, ssh, systemctl)', measured: time(hand), bar: '' },
    { what: 'the bare minimum: three parallel ssh calls that start a prepared etcd', measured: time(bare), bar: '' },
    { what: '`replay` of a new 3-member cluster, to proven health', measured: time(first), bar: '' },
    { what: '… against by hand', measured: `${toHand.toFixed(2)} ×`, bar: 'at most 0.5 ×', met: toHand <= 0.5 },
    {
      what: '… against the bare minimum',
      measured: `${toBare.toFixed(2)} ×`,
      bar: 'at most 2.5 ×',
      met: toBare <= 2.5,
    },
    {
      what: '`replay` with nothing to do, 3 hosts',
      measured: time(again),
      bar: 'at most 1 s',
      met: median(again) <= 1000,
    },
    { what: '… SSH connections a host', measured: String(connections), bar: '1', met: connections === 1 },
    { what: '… exec calls a host', measured: String(execs), bar: 'at most 3', met: execs <= 3 },
  ];
}
