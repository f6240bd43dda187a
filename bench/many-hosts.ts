/** `plan` over many hosts, each of which takes half a second to answer any command: time must grow with that, not with the number. */
import { readFile, writeFile } from 'node:fs/promises';
import { Lab } from '../test/lab/lab.ts';
import { type Row, time } from './report.ts';

const SLOWNESS_S = 0.5;

/**
 * Limits that all containers of a machine share, where real hosts have one each: inotify instances (every systemd holds
 * some), and neighbours that the kernel remembers (each host knows each other one).
 */
const LIMITS = {
  '/proc/sys/fs/inotify/max_user_instances': 2048,
  '/proc/sys/net/ipv4/neigh/default/gc_thresh3': 16384,
  '/proc/sys/net/ipv4/neigh/default/gc_thresh2': 8192,
};

export async function manyHosts(numbers: readonly number[]): Promise<Row[]> {
  const before = new Map<string, string>();
  try {
    for (const [path, needed] of Object.entries(LIMITS)) {
      before.set(path, await readFile(path, 'utf8'));
      await writeFile(path, String(Math.max(Number(before.get(path)), needed)));
    }
    return await measure(numbers);
  } finally {
    for (const [path, value] of before) await writeFile(path, value);
  }
}

async function measure(numbers: readonly number[]): Promise<Row[]> {
  const lab = await Lab.start({ hosts: Math.max(...numbers), etcd: 'present' });
  try {
    await Promise.all(lab.hosts.map((host) => host.sh(`sed -i '1i sleep ${SLOWNESS_S}' /home/pi/.bashrc`)));
    const times: number[] = [];
    for (const number of numbers) {
      const hosts = lab.hosts.slice(0, number).map(({ name, address }) => ({ name, address, ssh: { user: 'pi' } }));
      const profile = await lab.controller.profile({ name: `hosts${number}`, hosts }, { file: `hosts${number}.yaml` });
      const result = await lab.run(['plan', profile, '--json']);
      if (result.code !== 2)
        throw new Error(
          `plan over ${number} hosts: exit ${result.code}\n${stops(result.stdout)}\n${result.stderr.slice(-1000)}`,
        );
      times.push(result.elapsedMs);
    }
    const growth = (times.at(-1) ?? 0) / (times[0] ?? 1);
    const [few, many] = [numbers[0] ?? 1, numbers.at(-1) ?? 1];
    return [
      ...numbers.map((number, index) => ({
        what: `\`plan\` over ${number} hosts that each take ${SLOWNESS_S} s to answer a command`,
        measured: time([times[index] ?? 0]),
        bar: '',
      })),
      {
        what: `… ${many} hosts against ${few}`,
        measured: `${growth.toFixed(1)} ×`,
        bar: `far less than ${(many / few).toFixed(0)} ×`,
        met: growth < many / few / 3,
      },
    ];
  } finally {
    await lab.stop();
  }
}

/** What a plan says that keeps it from going ahead. */
function stops(stdout: string): string {
  try {
    const { findings = [] } = JSON.parse(stdout) as { findings?: { severity: string; what: string }[] };
    return findings
      .filter(({ severity }) => severity === 'stop')
      .map(({ what }) => what)
      .join('\n');
  } catch (error) {
    return error instanceof SyntaxError ? stdout.slice(-1000) : String(error);
  }
}
