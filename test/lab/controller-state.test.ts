/** The controller's side: its state folder lost, copied, damaged or under a passphrase; two runs at the same time. */
import { cp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Controller } from './controller.ts';
import { startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups', '/run/etcd-wizard.lock', '/var/tmp'];
const NAME = 'homelab.yaml';

let lab: Lab;
/** The first machine, and another one with nothing of its state. */
let mine: Controller;
let other: Controller;
/** The same cluster with one name more in every server certificate: something has to be signed for it. */
let changed: string;
beforeAll(async () => {
  lab = await Lab.start({ hosts: 3 });
  mine = lab.controller;
  other = await lab.newController('other');
  for (const each of [mine, other]) await each.profile({}, { file: NAME });
  changed = await mine.profile({ certificates: { extraSans: ['etcd.example'] } }, { file: 'changed.yaml' });
});
afterAll(async () => await lab?.stop());

const folder = (controller: Controller) => join(controller.home, '.local/state/etcd-wizard/homelab');
const look = () => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
const replay = (controller: Controller, ...more: string[]) => controller.run(['replay', NAME, ...more]);

async function nothingToDo(controller: Controller): Promise<void> {
  const again = await replay(controller);
  expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
  expect(again.stdout).toContain('nothing to do');
}

describe('two runs at the same time', () => {
  it.each(['one machine', 'two machines'])(
    'of %s: one makes the cluster, the other stops and says who is at work',
    async (from) => {
      await startAgain(lab);
      await rm(folder(other), { recursive: true, force: true });
      const pair = from === 'one machine' ? [mine, mine] : [mine, other];
      const runs = await Promise.all(pair.map((controller) => replay(controller, '--yes')));
      const winner = runs.findIndex(({ code }) => code === 0);
      const loser = runs[1 - winner];
      const both = runs.map(({ stdout, stderr }) => stdout + stderr).join('\n=====\n');
      expect(runs.map(({ code }) => code).sort(), both).toEqual([0, 1]);
      expect(loser?.stderr).toMatch(
        /is being worked on by another run|carry homelab’s CAs, which this machine does not have/,
      );
      expect(loser?.stderr).not.toContain('Changed so far');
      await nothingToDo(pair[winner] ?? mine);
      // From now on `mine` is the machine that has the cluster.
      if (pair[winner] === other) [mine, other] = [other, mine];
    },
  );

  it('somebody else’s lock stops a run with owner and age, and is left alone; the other hosts’ locks are given back', async () => {
    const theirs = await lab
      .host(1)
      .sh('printf "a-run\\t%s\\thomelab\\tann@laptop (pid 5)\\n" "$(($(date +%s) - 30))" | tee /run/etcd-wizard.lock');
    const profile = await mine.profile({ certificates: { extraSans: ['etcd.example'] } }, { file: 'changed.yaml' });
    changed = profile;
    const stopped = await mine.run(['replay', profile, '--yes']);
    expect(stopped, stopped.stderr).toMatchObject({ code: 1 });
    expect(stopped.stderr).toMatch(
      /pi2 is being worked on by another run\n.*held by ann@laptop \(pid 5\), for the cluster homelab, and was last refreshed 3\d s ago/,
    );
    expect(stopped.stderr).toContain('Nothing has been changed on any host.');
    expect(await lab.host(1).read('/run/etcd-wizard.lock')).toBe(theirs);
    for (const index of [0, 2]) expect(await lab.host(index).exists('/run/etcd-wizard.lock')).toBe(false);
    // What changes nothing needs no lock.
    await nothingToDo(mine);
    await lab.host(1).sh('rm /run/etcd-wizard.lock');
  });
});

describe('the state folder', () => {
  it('is not on a second machine: no second CA, the folder to copy is named; copied, all works and nothing is issued again', async () => {
    const before = await look();
    await rm(folder(other), { recursive: true, force: true });
    const stopped = await replay(other, '--yes');
    expect(stopped, stopped.stdout).toMatchObject({ code: 1 });
    expect(stopped.stderr).toContain('pi1, pi2 and pi3 carry homelab’s CAs, which this machine does not have.');
    expect(stopped.stderr).toContain(
      'scp -rp THAT-MACHINE:.local/state/etcd-wizard/homelab ~/.local/state/etcd-wizard/',
    );
    expect(await other.exec('ls', ['.local/state/etcd-wizard/homelab'])).not.toMatchObject({ code: 0 });
    await cp(folder(mine), folder(other), { recursive: true });
    await nothingToDo(other);
    expect(await other.run(['health', NAME, '--once'])).toMatchObject({ code: 0 });
    expect(await look()).toEqual(before);
  });

  /** What is damaged, how, and what a replay, health, and a change that needs a signature then do. */
  const damages: [
    string,
    string,
    (path: string) => Promise<void>,
    { replay: number; says?: string; health: number; change?: number },
  ][] = [
    [
      'cluster.json',
      'cut off',
      (path) => truncate(path, 20),
      { replay: 1, says: 'cluster.json is damaged', health: 0 },
    ],
    ['cluster.json', 'lost', rm, { replay: 0, health: 0 }],
    ['issued.json', 'empty', (path) => truncate(path, 0), { replay: 1, says: 'issued.json is damaged', health: 6 }],
    ['issued.json', 'lost', rm, { replay: 0, health: 0 }],
    [
      'clients/root.pem',
      'cut off',
      (path) => truncate(path, 300),
      { replay: 0, says: 'issue the client certificate root', health: 0 },
    ],
    ['ca.pem', 'cut off', (path) => truncate(path, 100), { replay: 1, says: 'ca.pem is damaged', health: 6 }],
    ['ca-key.pem', 'lost', rm, { replay: 1, says: 'The key of homelab’s CA is not on this machine.', health: 0 }],
    ['ca-key.pem', 'empty', (path) => truncate(path, 0), { replay: 0, says: 'ca-key.pem', health: 0, change: 1 }],
    [
      'peer-ca-key.pem',
      'cut off',
      (path) => truncate(path, 100),
      { replay: 0, says: 'peer-ca-key.pem', health: 0, change: 1 },
    ],
  ];
  it.each(damages)('%s is %s', async (file, _, damage, expected) => {
    const state = folder(mine);
    await cp(state, `${state}.whole`, { recursive: true });
    try {
      await damage(join(state, file));
      const before = await look();
      const ran = await replay(mine, '--yes');
      expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: expected.replay });
      const health = await mine.run(['health', NAME, '--once']);
      expect(health, health.stdout + health.stderr).toMatchObject({ code: expected.health });
      let said = ran.stdout + ran.stderr;
      if (expected.change !== undefined) {
        const change = await mine.run(['replay', changed, '--yes']);
        expect(change, change.stdout + change.stderr).toMatchObject({ code: expected.change });
        expect(change.stderr).toContain('Nothing has been changed on any host.');
        said = change.stderr;
      }
      if (expected.says !== undefined) expect(said).toContain(expected.says);
      expect(await look(), 'nothing on the hosts is touched').toEqual(before);
    } finally {
      await rm(state, { recursive: true });
      await rename(`${state}.whole`, state);
    }
  });
});

describe('a CA key under a passphrase', () => {
  it('is stored encrypted, is asked for only when something is signed, and a wrong passphrase changes nothing', async () => {
    await startAgain(lab);
    await rm(folder(mine), { recursive: true, force: true });
    const right = join(mine.home, 'passphrase');
    const wrong = join(mine.home, 'wrong');
    await writeFile(right, 'correct horse\n', { mode: 0o600 });
    await writeFile(wrong, 'correct hose\n', { mode: 0o600 });
    const unasked = await replay(mine, '--yes', '--encrypt-ca');
    expect(unasked).toMatchObject({ code: 64 });
    expect(unasked.stderr).toContain('--ca-passphrase-file FILE');
    const made = await replay(mine, '--yes', '--encrypt-ca', '--ca-passphrase-file', right);
    expect(made, made.stdout + made.stderr).toMatchObject({ code: 0 });
    for (const file of ['ca-key.pem', 'peer-ca-key.pem'])
      expect(await readFile(join(folder(mine), file), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    await nothingToDo(mine);

    const before = await look();
    const missing = await mine.run(['replay', changed, '--yes']);
    expect(missing, missing.stdout).toMatchObject({ code: 64 });
    expect(missing.stderr).toContain('The passphrase of the CA’s key is needed.');
    const refused = await mine.run(['replay', changed, '--yes', '--ca-passphrase-file', wrong]);
    expect(refused, refused.stdout).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('The passphrase of the CA’s key was refused.');
    for (const { stderr } of [missing, refused]) {
      expect(stderr).toContain('Nothing has been changed on any host.');
      expect(stderr, 'found out before a host’s turn').not.toContain('failed  pi');
      expect(stderr).not.toContain('correct ho');
    }
    expect(await look()).toEqual(before);
    const done = await mine.run(['replay', changed, '--yes', '--ca-passphrase-file', right]);
    expect(done, done.stdout + done.stderr).toMatchObject({ code: 0 });
  });
});
