/** The program as a person meets it: a real terminal, real hosts, from the first key to the prompt that is left. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../setup/process.ts';
import type { Controller } from './controller.ts';
import { hang } from './faults.ts';
import { USERS } from './image.ts';
import { Lab } from './lab.ts';
import { Screen } from './screen.ts';

const CLEAN = ' ; echo status $?; stty -a | grep -o " .icanon\\| icanon"';
/** A run under way: the share in the title, and what a host does. */
const RESTARTING = /\d %[\s\S]*pi\d +restart the member/;

let lab: Lab;
let screen: Screen;
beforeAll(async () => {
  lab = await Lab.start({ hosts: 4 });
});
afterAll(async () => await lab?.stop());
afterEach(async () => await screen?.close());

/** The terminal is as it was: cooked, its cursor shown, nothing of the frame's keys left. */
async function expectPrompt(status: number): Promise<void> {
  await screen.until(new RegExp(`^status ${status}$`, 'm'));
  await screen.until(/^ icanon$/m);
  expect(await screen.cursorShown()).toBe(true);
}

const lockedHosts = async (): Promise<string[]> => {
  const looks = lab.hosts.map(async (host) =>
    (await host.exec('test -e /run/etcd-wizard.lock')).code === 0 ? host.name : '',
  );
  return (await Promise.all(looks)).filter((name) => name !== '');
};

describe('the wizard', () => {
  it('left half-way it keeps what was answered, and goes on there', async () => {
    screen = await Screen.shell(lab.controller);
    await screen.type(`$EW${CLEAN}`);
    await screen.shows(/❯ New cluster/);
    await screen.press('Enter');
    await screen.shows(/What shall the cluster be called/);
    await screen.press('Enter');
    await screen.shows(/Which hosts will run etcd/);
    await screen.type('pi@10.77.0.11');
    await screen.shows(/pi1 +pi@10.77.0.11 +● Debian 12, amd64, systemd, clock [+−]\d/);
    await screen.press('C-c');
    await expectPrompt(130);
  });

  it('from its first key to a healthy cluster and its pane, in 80 x 24', async () => {
    screen = await Screen.shell(lab.controller);
    await screen.type(`$EW${CLEAN}`);
    await screen.shows(/❯ New cluster/);
    await screen.press('Enter');
    await screen.shows(/pi1 +pi@10.77.0.11 +● Debian/);
    await screen.paste('pi@10.77.0.12', 'pi3=pi@10.77.0.13');
    await screen.shows(/pi2 .*● Debian[\s\S]*pi3 .*● Debian[\s\S]*3 members/);
    await screen.press('Enter');
    await screen.shows(/How shall members find each other/);
    await screen.press('Enter');
    await screen.shows(/Use the usual certificates/);
    await screen.press('Enter');
    await screen.shows(/Where does the etcd program come from/);
    await screen.press('Enter');
    await screen.shows(/Is this right/);
    await screen.press('Enter');
    await screen.shows(/Plan for homelab[\s\S]*y do it/);
    expect(await lockedHosts()).toEqual([]);
    expect((await lab.host(0).exec('test -e /etc/etcd/ssl')).code).not.toBe(0);
    await screen.press('y');
    await screen.shows(/100 %[\s\S]*done: every member is up and proved/, 90_000);
    await screen.press('Enter');
    await screen.shows(/homelab +● healthy +3 of 3 up, 1 may fail/);
    await screen.press('q');
    await expectPrompt(0);
    const left = await screen.visible();
    expect(left).toContain('homelab is healthy: 3 of 3 up, 1 may fail');
    expect(left).toContain('etcd-wizard health homelab');
    expect(left).not.toContain('q quit');
    expect(await lab.run(['health', 'homelab', '--once'])).toMatchObject({ code: 0 });
  });

  it('on plain lines, with another name since the first is taken', async () => {
    screen = await Screen.shell(lab.controller);
    await screen.type(`$EW new --plain${CLEAN}`);
    await screen.until(/\[homelab-2\]/);
    await screen.type('single');
    await screen.until(/host 1>/);
    await screen.type('pi4=pi@10.77.0.14');
    await screen.until(/pi4: Debian 12/);
    await screen.type('');
    for (const question of [
      /How shall members find each other\?/,
      /usual certificates\?/,
      /etcd program come from\?/,
    ]) {
      await screen.until(question);
      await screen.press('Enter');
    }
    await screen.until(/Enter when it is right/);
    await screen.type('');
    await screen.until(/Plan for single/);
    await screen.shows(/\(y\/N\)|\[y\/N\]/i);
    await screen.type('y');
    await expectPrompt(0);
    expect(await screen.text()).toContain('single is healthy: 1 of 1 up');
  });

  it('on a terminal that cannot move its cursor: no escape sequence, and no is no', async () => {
    screen = await Screen.shell(lab.controller, { env: { TERM: 'dumb' } });
    await screen.type(`$EW new${CLEAN}`);
    for (const answer of ['third', 'pi@10.77.0.14']) {
      await screen.until(answer === 'third' ? /\[homelab-2\]/ : /host 1>/);
      await screen.type(answer);
    }
    await screen.until(/: Debian 12/);
    await screen.type('<');
    await screen.until(/\[third\]/);
    await screen.press('C-c');
    await expectPrompt(130);
    expect(await screen.text()).toContain('Your answers are kept');
  });
});

describe('replay in a terminal', () => {
  let person: Controller;
  let quota = 2;
  beforeAll(async () => {
    // Another person's machine that was given the cluster's folder; it knows no host.
    person = await lab.newController('person', { knownHosts: false });
    const state = '.local/state/etcd-wizard/homelab';
    await cp(join(lab.controller.home, state), join(person.home, state), { recursive: true });
  });

  /** The profile with something to do: another quota restarts each member. */
  async function change(user = 'pi'): Promise<void> {
    const token = /token: (\S+)/.exec(
      await readFile(join(lab.controller.home, '.config/etcd-wizard/profiles/homelab.yaml'), 'utf8'),
    );
    const hosts = lab.hosts.slice(0, 3).map(({ name, address }) => ({ name, address, ssh: { user } }));
    const etcd = { token: token?.[1], extraArgs: { 'quota-backend-bytes': String(++quota * 1_000_000_000) } };
    await writeFile(
      join(person.home, 'cluster.yaml'),
      JSON.stringify({ schemaVersion: 1, name: 'homelab', hosts, etcd }),
    );
  }

  async function restarting(): Promise<void> {
    await change();
    screen = await Screen.shell(person);
    await screen.type(`$EW replay cluster.yaml${CLEAN}`);
    await screen.shows(/y do it/);
    await screen.press('y');
    await screen.shows(RESTARTING);
  }

  it('asks for host keys and the password, masked; done; again: nothing to do; colourless; in every size', async () => {
    await change('pat');
    screen = await Screen.shell(person, { env: { NO_COLOR: '1' } });
    await screen.type(`$EW replay cluster.yaml${CLEAN}`);
    for (let host = 0; host < 3; host++) {
      await screen.shows(/is not known yet/);
      const [asked = ''] = /pi\d/.exec(await screen.visible()) ?? [];
      const file = '/etc/ssh/ssh_host_ed25519_key.pub';
      const [fingerprint = ''] =
        /SHA256:\S+/.exec(await lab.host(Number(asked.slice(2)) - 1).sh(`ssh-keygen -lf ${file}`)) ?? [];
      expect(await screen.visible()).toContain(fingerprint);
      // The key that agrees is there once the question has been on the screen for a moment.
      await screen.shows(/it is right/);
      await screen.press('y');
      await screen.shows(new RegExp(`(?<!${asked}) is not known yet|A password is needed`));
    }
    await screen.shows(/sudo password of pat on pi\d/);
    await screen.type(USERS.pat.password);
    for (let host = 1; host < 3; host++) {
      await screen.shows(/of pat on pi\d \(Enter: the same as on pi\d\)/);
      const [asked = ''] = /on pi\d \(Enter/.exec(await screen.visible()) ?? [];
      await screen.press('Enter');
      await waitFor('the next', async () => !(await screen.visible()).includes(asked));
    }
    await screen.shows(/Plan for homelab[\s\S]*y do it/);
    for (const [columns, rows, words] of [
      [60, 20, /y do it/],
      [20, 5, /window too small/],
      [80, 24, /y do it/],
    ] as const) {
      await screen.resize(columns, rows);
      await screen.shows(words);
    }
    expect(await screen.styled()).not.toMatch(/\x1b\[[0-9;]*3[0-7]m/);
    await screen.press('y');
    await screen.shows(RESTARTING);
    await screen.resize(60, 20);
    await screen.shows(/c stop cleanly/);
    await screen.resize(80, 24);
    await expectPrompt(0);
    expect(await screen.text()).toContain('homelab is healthy: 3 of 3 up');
    expect(await screen.text()).not.toContain(USERS.pat.password);
  });

  it('with nothing to do it asks nothing', async () => {
    screen = await Screen.shell(person);
    await writeFile(
      join(person.home, 'cluster.yaml'),
      (await readFile(join(person.home, 'cluster.yaml'), 'utf8')).replaceAll('"pat"', '"pi"'),
    );
    await screen.type(`$EW replay cluster.yaml${CLEAN}`);
    await expectPrompt(0);
    expect(await screen.text()).toMatch(/nothing to do/);
  });

  it('Ctrl-C winds down: locks gone, how to go on, 130, the terminal as before', async () => {
    await restarting();
    await screen.press('C-c');
    await expectPrompt(130);
    expect(await screen.text()).toContain('etcd-wizard replay cluster.yaml');
    expect(await lockedHosts()).toEqual([]);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('%s is a Ctrl-C', async (signal) => {
    await restarting();
    process.kill(await screen.commandPid(), signal);
    await expectPrompt(130);
    expect(await lockedHosts()).toEqual([]);
  });

  it('a terminal that is closed is a Ctrl-C', async () => {
    await restarting();
    const pid = await screen.commandPid();
    await screen.close();
    await expect.poll(() => processRuns(pid), { timeout: 20_000 }).toBe(false);
    expect(await lockedHosts()).toEqual([]);
  });

  it('a second Ctrl-C leaves at once, also when a host hangs', async () => {
    await restarting();
    const free = await hang(lab.host(2), 'sshd');
    await screen.press('C-c');
    await screen.shows(/Stopping: what has begun/);
    await screen.press('C-c');
    await expectPrompt(130);
    await free();
  });

  it('the next replay ends it', async () => {
    const end = await person.run(['replay', 'cluster.yaml', '--yes'], { cwd: person.home });
    expect(end, end.stderr).toMatchObject({ code: 0 });
  });
});

const processRuns = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the health pane', () => {
  it('says it in words when a host loses power, and when it is back', async () => {
    screen = await Screen.shell(lab.controller, { columns: 60, rows: 20 });
    await screen.type(`$EW health homelab --watch --interval 1${CLEAN}`);
    await screen.shows(/● healthy +3 of 3 up, 1 may fail/);
    await lab.host(1).kill();
    await screen.shows(/▲ degraded +2 of 3 up, none may fail[\s\S]*pi2 +✗ down/);
    await screen.resize(20, 5);
    await screen.shows(/window too small/);
    await screen.resize(80, 24);
    await lab.host(1).boot();
    await screen.shows(/● healthy +3 of 3 up, 1 may fail/, 60_000);
    await screen.press('q');
    await expectPrompt(0);
  });
});
