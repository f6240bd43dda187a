/** Hosts that lie, hang, disagree about time or names, or print what would take a terminal over; and odd but valid names. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { must, type Result } from '../setup/process.ts';
import { clock, HOSTILE, hang, shout } from './faults.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';

const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/lib/etcd', '/var/backups', '/run/etcd-wizard.lock', '/tmp'];

/** Written down apart from the program's own table: C0 but line feed and tab, DEL, C1, zero-width, bidi. */
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

function expectClean(what: string, text: string): void {
  const at = text.search(RAW);
  expect(at < 0 ? '' : `${what}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 60))}`).toBe('');
}

/** Every string inside, too: what JSON escapes on the way out comes back raw when it is read. */
function expectCleanJson(what: string, text: string): void {
  for (const line of text.split('\n').filter((each) => each !== ''))
    JSON.parse(line, (key, value: unknown) => {
      expectClean(what, key);
      if (typeof value === 'string') expectClean(what, value);
      return value;
    });
}

const files = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe('hosts that print escape sequences wherever they can', () => {
  let lab: Lab;
  let profile: string;
  let log: string;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    profile = await lab.controller.profile();
    log = join(lab.controller.home, 'log');
    await Promise.all(lab.hosts.map(deface));
  });
  afterAll(async () => await lab?.stop());

  /** Banner, login script, os-release, hostname, etcd's version and etcd's log. */
  async function deface(host: Host): Promise<void> {
    await shout(host);
    await host.sh('cp --remove-destination /usr/lib/os-release /etc/os-release');
    await host.write(
      '/etc/os-release',
      `${(await host.read('/etc/os-release')).replace(/^(PRETTY_)?NAME=.*\n/gm, '')}PRETTY_NAME="${HOSTILE}"\nNAME="${HOSTILE}"\n`,
    );
    await host.sh('mount -o remount,rw /proc/sys; cat >/proc/sys/kernel/hostname', { input: 'pi\x1b[31m\u202e' });
    await host.sh('mv /usr/bin/etcd /usr/bin/etcd.real');
    await host.write(
      '/usr/bin/etcd',
      `#!/bin/sh\nprintf '%s\\n' '${HOSTILE}' >&2\n[ -e /broken ] && [ "$1" != --version ] && { echo '${HOSTILE} fatal: broken' >&2; exit 1; }\nexec /usr/bin/etcd.real "$@"\n`,
      { mode: 0o755 },
    );
  }

  async function clean(args: string[], code: number): Promise<Result> {
    const json = args.includes('--json');
    const result = await lab.run(args);
    expect(result.code, `${args.join(' ')}\n${result.stdout}${result.stderr}`).toBe(code);
    expectClean(`${args.join(' ')}: stdout`, result.stdout);
    expectClean(`${args.join(' ')}: stderr`, result.stderr);
    if (json) expectCleanJson(`${args.join(' ')}: stdout`, result.stdout);
    return result;
  }

  it('plan, as text, as a diff, as JSON', async () => {
    await clean(['plan', profile], 2);
    await clean(['plan', profile, '--diff', '--verbose'], 2);
    await clean(['plan', profile, '--json', '--log-file', log], 2);
  });

  it('a member that does not start, with its log', async () => {
    await lab.host(1).sh('touch /broken');
    const failed = await clean(['replay', profile, '--yes', '--verbose', '--log-file', log], 4);
    expect(failed.stderr).toContain('\\x1b[31mred');
    expect(failed.stderr).toContain('fatal: broken');
    await clean(['replay', profile, '--yes', '--json', '--log-file', log], 4);
    await lab.host(1).sh('rm /broken');
  });

  it('the replay that mends it, health, export', async () => {
    await clean(['replay', profile, '--yes', '--verbose', '--log-file', log], 0);
    await clean(['replay', profile, '--json'], 0);
    await clean(['health', profile, '--once'], 0);
    await clean(['health', profile, '--once', '--json'], 0);
  });

  it('nothing raw was written down either', async () => {
    expectClean('log', await readFile(log, 'utf8'));
    expectCleanJson('log', await readFile(log, 'utf8'));
    for (const file of await files(join(lab.controller.home, '.local/state')))
      expectClean(file, await readFile(file, 'utf8'));
  });
});

describe('hosts that hang, disagree, or have odd names', () => {
  let lab: Lab;
  let profile: string;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 4 });
    profile = await lab.controller.profile();
  });
  afterAll(async () => await lab?.stop());

  /** A replay that must stop before anything changes, within a minute. */
  async function stopped(path = profile): Promise<Result> {
    const before = await Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
    const replay = await lab.run(['replay', path, '--yes']);
    expect(replay.code, replay.stderr).toBe(1);
    expect(replay.stderr).toContain('Next:');
    expect(await Promise.all(lab.hosts.map((host) => host.tree(...OURS)))).toEqual(before);
    return replay;
  }

  it('hosts that hang at every stage: one clear error each, within a minute', async () => {
    const [silent, swallowing, closing, stuck] = lab.hosts as [Host, Host, Host, Host];
    const goOn = await hang(silent, 'sshd');
    await must('ip', ['-n', swallowing.ns, 'route', 'add', 'blackhole', '10.77.0.1/32']);
    await closing.write('/etc/hosts.deny', 'sshd: ALL\n');
    await stuck.sh('sed -i "1i sleep 1000" /home/pi/.bashrc');
    try {
      const replay = await stopped();
      expect(replay.elapsedMs).toBeLessThan(60_000);
      for (const [host, words] of [
        [silent, 'takes the connection but says nothing'],
        [swallowing, 'does not answer: the host is off'],
        [closing, 'closed the connection'],
        [stuck, 'given up after 30 s'],
      ] as const) {
        const told = replay.stderr.split('\n').filter((line) => line.includes(words));
        expect(told.join('\n'), replay.stderr).toContain(host.name);
      }
    } finally {
      await goOn();
      await must('ip', ['-n', swallowing.ns, 'route', 'del', 'blackhole', '10.77.0.1/32']);
      await closing.sh('rm /etc/hosts.deny');
      await stuck.sh('sed -i 1d /home/pi/.bashrc');
    }
  });

  it('a clock that is two hours off stops it, with the remedy; all clocks off mean this machine', async () => {
    await clock(lab.host(2), 7200);
    const one = await stopped();
    expect(one.stderr).toContain('pi3’s clock is');
    expect(one.stderr).toContain('timedatectl set-ntp true');
    await Promise.all(lab.hosts.map((host) => clock(host, 7200)));
    const all = await stopped();
    expect(all.stderr).toMatch(/probably this machine/);
    await Promise.all(lab.hosts.map((host) => clock(host, 0)));
  });

  it('names that lead elsewhere, nowhere, or to the host itself: host, name and remedy', async () => {
    const dns = await lab.controller.profile({}, { dns: true, file: 'dns.yaml' });
    const [one, two, three] = lab.hosts as [Host, Host, Host];
    await two.sh(`cp /etc/hosts /etc/hosts.bak; echo "10.77.0.99 ${one.dnsName}" >>/etc/hosts`);
    const wrong = await stopped(dns);
    expect(wrong.stderr).toMatch(new RegExp(`pi2.*${one.dnsName}|${one.dnsName}.*pi2`));
    expect(wrong.stderr).toContain('10.77.0.99');
    await two.sh('mv /etc/hosts.bak /etc/hosts');

    await lab.dns({ [three.dnsName]: null });
    const missing = await stopped(dns);
    expect(missing.stderr).toContain(three.dnsName);
    expect(missing.stderr).toMatch(/does not resolve|has no address|unknown/);
    await lab.dns({ [three.dnsName]: three.address });

    await one.sh(`sed -i 's/^127.0.1.1.*/& ${one.dnsName}/' /etc/hosts`);
    const loop = await stopped(dns);
    expect(loop.stderr).toContain(`On pi1 its own name ${one.dnsName} means 127.0.1.1`);
    await one.sh(`sed -i 's/ ${one.dnsName}//' /etc/hosts`);
  });

  it('names with dots, underscores and capitals, odd clients and folders, and a clock 10 s off: works end to end', async () => {
    await clock(lab.host(1), 10);
    const names = ['pi-1.lab', 'Pi_2', 'PI3.lab.example', '4'];
    const hosts = lab.hosts.map((host, index) => ({
      name: names[index],
      address: host.address,
      dnsNames: [index === 1 ? 'pi2.lan' : host.dnsName],
      zone: 'Küche «links» $(reboot)',
      ssh: { user: 'pi' },
    }));
    const odd = await lab.controller.profile(
      {
        name: 'a-0',
        addressing: 'ip',
        hosts,
        etcd: {
          dataDir: '/var/lib/etcd/A+b@c_d.e',
          extraArgs: { 'heartbeat-interval': 200, 'election-timeout': 2000 },
        },
        certificates: {
          directory: '/etc/etcd/A+b@c_d',
          extraSans: ['*.etcd.lab', 'fd00::1'],
          clients: [{ commonName: 'Ann.B_c:d@e' }],
        },
      },
      { file: 'odd & even $(x).yaml' },
    );
    const replay = await lab.run(['replay', odd, '--yes']);
    expect(replay.code, replay.stderr).toBe(0);
    expect(replay.stdout).toContain('4 of 4 up');
    const again = await lab.run(['replay', odd]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain('nothing to do');
    const health = await lab.run(['health', odd, '--once', '--json']);
    expect(health.code).toBe(0);
    const { members } = JSON.parse(health.stdout) as { members: { name: string }[] };
    expect(members.map(({ name }) => name)).toEqual(names);
    const out = join(lab.controller.home, 'Ann’s bundle');
    const exported = await lab.run(['certs', 'export', odd, '--client', 'Ann.B_c:d@e', '--out', out]);
    expect(exported.code, exported.stderr).toBe(0);
    expect((await readdir(out)).sort()).toEqual(['Ann.B_c:d@e-key.pem', 'Ann.B_c:d@e.pem', 'ca.pem']);
  });
});
