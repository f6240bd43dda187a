/** Ways onto hosts: users and their rights, host keys, bastions, and networks that let little through. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as runCommand, waitFor } from '../setup/process.ts';
import { CLI } from './cli.ts';
import { changeHostKey, forbidForwarding } from './faults.ts';
import { USERS } from './image.ts';
import { Lab } from './lab.ts';
import { Screen } from './screen.ts';

/** Everything that a replay could write on a host. */
const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/lib/etcd', '/var/backups', '/run/etcd-wizard.lock', '/tmp'];
const PASSWORD = USERS.pat.password;
const WRONG = 'wr0ng-Pa55word';

const trees = (lab: Lab) => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));

/** Where a password could have been left: output, the state folder, the log, and each host's log and process list. */
async function expectNowhere(lab: Lab, secret: string, ...outputs: string[]): Promise<void> {
  for (const output of outputs) expect(output).not.toContain(secret);
  const kept = await runCommand('grep', ['-rlF', '--', secret, lab.controller.home]);
  expect(kept.stdout.split('\n').filter((path) => path !== '' && !path.endsWith('/password'))).toEqual([]);
  for (const host of lab.hosts) {
    expect(await host.journal()).not.toContain(secret);
    const files = await host.exec('grep -rlF -- "$1" /var/log /etc /run/log /tmp /var/tmp /home /root 2>/dev/null', {
      args: [secret],
    });
    expect(files.stdout).toBe('');
  }
}

describe('users and their rights', () => {
  let lab: Lab;
  let password: string;
  const pat = () => lab.controller.profile({}, { user: 'pat', file: 'pat.yaml' });
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    password = join(lab.controller.home, 'password');
  });
  afterAll(async () => await lab?.stop());

  it('a user who may not use sudo is told so, and how to mend it; nothing changes', async () => {
    const before = await trees(lab);
    const profile = await lab.controller.profile({}, { user: 'guest' });
    // sudo wants the password before it tells who may use it.
    const replay = await lab.run(['replay', profile, '--yes'], {
      env: { ETCD_WIZARD_SUDO_PASSWORD: USERS.guest.password },
    });
    expect(replay.code, replay.stderr).toBe(1);
    expect(replay.stderr).toContain('guest may not use sudo there');
    expect(replay.stderr, 'it was reached').not.toContain('could not be reached');
    expect(replay.stderr).toContain('adduser guest sudo');
    expect(await trees(lab)).toEqual(before);
  });

  it('a wrong sudo password: one try a host, a clear end, nothing changed, and it is left nowhere', async () => {
    await writeFile(password, `${WRONG}\n`, { mode: 0o600 });
    const before = await trees(lab);
    const log = join(lab.controller.home, 'log');
    const replay = await lab.run([
      'replay',
      await pat(),
      '--yes',
      '--verbose',
      '--log-file',
      log,
      '--sudo-password-file',
      password,
    ]);
    expect(replay.code, replay.stderr).toBe(1);
    expect(replay.stderr).toContain('The sudo password is wrong');
    expect(await trees(lab)).toEqual(before);
    for (const host of lab.hosts) {
      const failures = (await host.journal()).match(/pam_unix\(sudo:auth\): authentication failure/g) ?? [];
      expect(failures.length, 'wrong guesses lock accounts').toBe(1);
    }
    await expectNowhere(lab, WRONG, replay.stdout, replay.stderr);
  });

  it('nobody to ask: the flag is named', async () => {
    const replay = await lab.run(['replay', await pat(), '--yes']);
    expect(replay.code, replay.stderr).toBe(64);
    expect(replay.stderr).toContain('--sudo-password-file');
  });

  it('asked on plain lines: a wrong answer is asked again, the right one is offered for the other hosts', async () => {
    const screen = await Screen.open(lab.controller, ['plan', await pat(), '--plain']);
    let text = '';
    try {
      await screen.until(/sudo password of pat on (pi\d):/);
      await screen.type(WRONG);
      await screen.until(/not accepted/);
      // The question itself comes after these words.
      await waitFor(
        'the question again',
        async () => ((await screen.text()).match(/sudo password of pat on pi\d:/g) ?? []).length >= 2,
      );
      await screen.type(PASSWORD);
      for (const nth of [1, 2]) {
        await waitFor(
          `offer ${nth}`,
          async () => ((await screen.text()).match(/Enter: the same as on pi\d/g) ?? []).length >= nth,
        );
        await screen.type('');
      }
      await screen.until(/start the member/);
      expect(await screen.exitCode()).toBe(2);
      text = await screen.text();
    } finally {
      await screen.close();
    }
    await expectNowhere(lab, PASSWORD, text);
    await expectNowhere(lab, WRONG, text);
  });

  it('sudo with a password from a file, then from the environment; it is in no output, log, journal or ps', async () => {
    await writeFile(password, `${PASSWORD}\n`, { mode: 0o600 });
    const profile = await pat();
    const log = join(lab.controller.home, 'log');
    const running = lab.controller.start([
      'replay',
      profile,
      '--yes',
      '--verbose',
      '--log-file',
      log,
      '--sudo-password-file',
      password,
    ]);
    let processes = '';
    let ended = false;
    void running.done.finally(() => {
      ended = true;
    });
    while (!ended) for (const host of lab.hosts) processes += (await host.exec('ps axeww')).stdout;
    const replay = await running.done;
    expect(replay.code, replay.stderr).toBe(0);
    expect(processes).toContain('etcd');
    await expectNowhere(lab, PASSWORD, replay.stdout, replay.stderr, processes);
    expect((await stat(log)).mode & 0o777).toBe(0o600);
    const events = (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: { type: string } });
    expect(events.at(-1)?.event.type).toBe('finished');

    const again = await lab.run(['replay', profile], { env: { ETCD_WIZARD_SUDO_PASSWORD: PASSWORD } });
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain('nothing to do');
    await expectNowhere(lab, PASSWORD, again.stdout, again.stderr);
  });

  it('root, and a user whose sudo wants no password, find nothing left to do', async () => {
    for (const user of ['root', 'pi']) {
      const replay = await lab.run(['replay', await lab.controller.profile({}, { user })]);
      expect(replay.code, replay.stderr).toBe(0);
      expect(replay.stdout).toContain('nothing to do');
    }
  });

  it('a password where sudo wants none does no harm', async () => {
    const profile = await lab.controller.profile({ certificates: { extraSans: ['etcd.example'] } });
    const replay = await lab.run(['replay', profile, '--yes', '--sudo-password-file', password]);
    expect(replay.code, replay.stderr).toBe(0);
    await expectNowhere(lab, PASSWORD, replay.stdout, replay.stderr);
  });
});

describe('host keys', () => {
  let lab: Lab;
  let profile: string;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 2, knownHosts: false });
    profile = await lab.controller.profile();
  });
  afterAll(async () => await lab?.stop());
  const own = () => join(lab.controller.home, '.local/state/etcd-wizard/known_hosts');

  it('--yes does not accept unknown keys: it names the flag and every fingerprint', async () => {
    for (const json of [[], ['--json']]) {
      const replay = await lab.run(['replay', profile, '--yes', ...json]);
      expect(replay.code, replay.stderr).toBe(64);
      const said = json.length > 0 ? replay.stdout : replay.stderr;
      expect(said).toContain('--accept-new-host-keys');
      expect(said.match(/SHA256:[A-Za-z0-9+/]{43}/g), said).toHaveLength(2);
    }
    await expect(stat(own())).rejects.toThrow();
  });

  it('--accept-new-host-keys records them in a file of its own', async () => {
    const plan = await lab.run(['plan', profile, '--accept-new-host-keys']);
    expect(plan.code, plan.stderr).toBe(2);
    expect((await stat(own())).mode & 0o777).toBe(0o600);
    expect((await readFile(own(), 'utf8')).trim().split('\n')).toHaveLength(2);
    await expect(stat(join(lab.controller.home, '.ssh/known_hosts'))).rejects.toThrow();
    expect((await lab.run(['plan', profile])).code).toBe(2);
  });

  it('a changed key stops before anything secret is sent, names file and line, and leaves the other host alone', async () => {
    const host = lab.host(1);
    const before = await host.tree(...OURS);
    const host0 = lab.host(0);
    await changeHostKey(host0);
    const logged = (await host0.journal('ssh')).length;
    const replay = await lab.run(['replay', profile, '--yes', '--accept-new-host-keys'], {
      env: { ETCD_WIZARD_SUDO_PASSWORD: PASSWORD },
    });
    expect(replay.code, replay.stderr).toBe(1);
    expect(replay.stderr).toContain('has changed');
    expect(replay.stderr).toMatch(/known_hosts:\d/);
    expect(replay.stderr).toContain('ssh-keygen -R');
    expect((await host0.journal('ssh')).slice(logged), 'nobody has logged in').not.toContain('Accepted');
    expect(await host.tree(...OURS)).toEqual(before);
  });
});

describe('networks that let little through', () => {
  it('SSH elsewhere than etcd, no route to the members, no forwarding, a bastion, ~/.ssh/config', async () => {
    const lab = await Lab.start({ hosts: 3, management: 'only' });
    try {
      const profile = await lab.controller.profile();
      const replay = await lab.run(['replay', profile, '--yes']);
      expect(replay.code, replay.stderr).toBe(0);
      expect(`${replay.stdout}${replay.stderr}`).toContain('no way of its own');
      const health = await lab.run(['health', profile, '--once']);
      expect(health.code, health.stdout).toBe(0);
      expect(health.stdout).toMatch(/SSH/);

      // Through a bastion, by ~/.ssh/config alone: user, port, key and jump.
      const { home } = lab.controller;
      await lab.host(1).sh('printf "Port 22\\nPort 2222\\n" >/etc/ssh/sshd_config.d/port.conf; systemctl restart ssh');
      await runCommand('mv', [join(home, '.ssh/id_ed25519'), join(home, '.ssh/lab')]);
      const config = [
        `Host etcd-*\n  User pi\n  IdentityFile ~/.ssh/lab`,
        ...lab.hosts.map(
          (host, index) =>
            `Host etcd-${host.name}\n  HostName ${host.sshAddress}\n  HostKeyAlias ${host.name}\n  Port ${index === 1 ? 2222 : 22}${index === 0 ? '' : `\n  ProxyJump etcd-${lab.host(0).name}`}`,
        ),
      ];
      await writeFile(join(home, '.ssh/config'), `${config.join('\n')}\n`, { mode: 0o600 });
      const hosts = lab.hosts.map((host) => ({
        name: host.name,
        address: host.address,
        ssh: { host: `etcd-${host.name}` },
      }));
      const before = (await lab.host(2).journal('ssh')).length;
      const jumped = await lab.run(['replay', await lab.controller.profile({ hosts }, { file: 'jump.yaml' })]);
      expect(jumped.code, jumped.stderr).toBe(0);
      expect(jumped.stdout).toContain('nothing to do');
      expect((await lab.host(2).journal('ssh')).slice(before)).toContain(`from ${lab.host(0).sshAddress}`);
    } finally {
      await lab.stop();
    }
  });

  it('forwarding forbidden everywhere: the cluster is made, and what was not checked is said', async () => {
    const lab = await Lab.start({ hosts: 3 });
    try {
      await Promise.all(lab.hosts.map(forbidForwarding));
      const profile = await lab.controller.profile();
      // A reader that leaves after the first event ends the run as Ctrl-C would: no lock stays, and the next run goes on.
      const cut = await lab.controller.exec('bash', [
        '-c',
        '"$@" | head -1',
        '-',
        process.execPath,
        CLI,
        'replay',
        profile,
        '--yes',
        '--json',
      ]);
      expect(JSON.parse(cut.stdout)).toMatchObject({ type: 'host' });
      for (const host of lab.hosts) expect(await host.exists('/run/etcd-wizard.lock')).toBe(false);
      const replay = await lab.run(['replay', profile, '--yes']);
      expect(replay.code, replay.stderr).toBe(0);
      expect(`${replay.stdout}${replay.stderr}`).toContain('Not checked: from pi1, pi2, pi3 to the other members');
      const again = await lab.run(['replay', profile]);
      expect(again.code, again.stderr).toBe(0);
      expect(again.stdout).toContain('nothing to do');
    } finally {
      await lab.stop();
    }
  });
});
