import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendFileSync } from 'node:fs';
import { cp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result } from '../setup/process.ts';
import type { Controller } from './controller.ts';
import { startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups', '/run/etcd-wizard.lock', '/tmp', '/var/tmp'];
const say = (what: string, r: Result) => appendFileSync('/tmp/res/state.log', `\n=== ${what}: ${r.code} ${Math.round(r.elapsedMs)} ms\n${r.stdout}--- stderr\n${r.stderr}`);

describe('controller state', () => {
  let lab: Lab;
  let profile: string;
  let other: Controller;
  const folder = (c: Controller) => join(c.home, '.local/state/etcd-wizard/homelab');
  const look = () => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
  const untouched = async (work: () => Promise<void>) => { const b = await look(); await work(); expect(await look()).toEqual(b); };

  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    profile = await lab.controller.profile();
    other = await lab.newController('other');
    await other.profile();
  });
  afterAll(async () => await lab?.stop());

  it('two from one', async () => {
    const r = await Promise.all([1, 2].map(() => lab.run(['replay', profile, '--yes'])));
    r.forEach((x) => say('two from one', x));
    say('then', await lab.run(['replay', profile]));
  });
  it('two from two', async () => {
    await startAgain(lab);
    const r = await Promise.all([lab.controller, other].map((c) => c.run(['replay', 'homelab.yaml', '--yes'])));
    r.forEach((x) => say('two from two', x));
    say('then A', await lab.run(['replay', profile]));
    say('then B', await other.run(['replay', 'homelab.yaml', '--yes']));
    await rm(join(lab.controller.home, '.local/state/etcd-wizard'), {recursive: true, force: true});
    await rm(join(other.home, '.local/state/etcd-wizard'), {recursive: true, force: true});
    await startAgain(lab);
    say('fresh', await lab.run(['replay', profile, '--yes']));
  });
  it('live lock', async () => {
    const changed = await lab.controller.profile({ certificates: { extraSans: ['etcd.example'] } }, { file: 'changed.yaml' });
    const content = (await lab.host(1).sh(`printf 'x\\t%s\\thomelab\\tann@laptop (pid 5)\\n' "$(date +%s)" | tee /run/etcd-wizard.lock`));
    say('live lock', await lab.run(['replay', changed, '--yes']));
    expect(await lab.host(1).read('/run/etcd-wizard.lock')).toBe(content);
    for (const i of [0, 2]) expect(await lab.host(i).exists('/run/etcd-wizard.lock')).toBe(false);
    say('plan', await lab.run(['plan', changed]));
    say('noop beside lock', await lab.run(['replay', profile]));
    await lab.host(1).sh('rm /run/etcd-wizard.lock');
  });
  it('second controller', async () => {
    await untouched(async () => {
      say('second plan', await other.run(['plan', 'homelab.yaml']));
      say('second replay', await other.run(['replay', 'homelab.yaml', '--yes']));
      await cp(folder(lab.controller), folder(other), { recursive: true });
      say('second with folder', await other.run(['replay', 'homelab.yaml']));
      say('second health', await other.run(['health', 'homelab.yaml', '--once']));
    });
  });
  it('damaged', async () => {
    const f = folder(lab.controller);
    const cases: [string, () => Promise<void>][] = [
      ['cluster.json cut', () => truncate(join(f, 'cluster.json'), 20)],
      ['cluster.json missing', () => rm(join(f, 'cluster.json'))],
      ['issued.json empty', () => writeFile(join(f, 'issued.json'), '')],
      ['issued.json missing', () => rm(join(f, 'issued.json'))],
      ['client cut', () => truncate(join(f, 'clients/root.pem'), 300)],
      ['client empty', () => truncate(join(f, 'clients/root.pem'), 0)],
      ['client cut in certificate', () => truncate(join(f, 'clients/root.pem'), 600)],
      ['ca-key missing', () => rm(join(f, 'ca-key.pem'))],
      ['peer ca-key missing', () => rm(join(f, 'peer-ca-key.pem'))],
      ['ca-key empty', () => truncate(join(f, 'ca-key.pem'), 0)],
      ['ca-key cut', () => truncate(join(f, 'ca-key.pem'), 100)],
      ['ca.pem cut', () => truncate(join(f, 'ca.pem'), 100)],
      ['ca.pem missing', () => rm(join(f, 'ca.pem'))],
      ['peer-ca.pem missing', () => rm(join(f, 'peer-ca.pem'))],
      ['journal cut', () => truncate(join(f, 'journal.ndjson'), 30)],
      ['all lost', () => rename(f, `${f}.away`)],
    ];
    for (const [what, damage] of cases) {
      await cp(f, `${f}.bak`, { recursive: true });
      await damage();
      const b = await look();
      say(`${what}: replay`, await lab.run(['replay', profile, '--yes']));
      const same = JSON.stringify(b) === JSON.stringify(await look());
      say(`${what}: health`, await lab.run(['health', profile, '--once']));
      if (what.includes('ca')) {
        const changed = await lab.controller.profile({ certificates: { extraSans: ['etcd.example'] } }, { file: 'changed.yaml' });
        say(`${what}: SAN change`, await lab.run(['replay', changed, '--yes']));
      }
      appendFileSync('/tmp/res/state.log', `hosts the same after ${what}: ${same}, then ${JSON.stringify(b) === JSON.stringify(await look())}\n`);
      await rm(f, { recursive: true, force: true });
      await rename(`${f}.bak`, f);
      if (!same) say('repair', await lab.run(['replay', profile, '--yes']));
    }
  });
  it('encrypt', async () => {
    await startAgain(lab);
    const p = join(lab.controller.home, 'pass'); await writeFile(p, 'correct horse\n', { mode: 0o600 });
    const w = join(lab.controller.home, 'wrong'); await writeFile(w, 'wrong\n', { mode: 0o600 });
    say('encrypt without file', await lab.run(['replay', profile, '--yes', '--encrypt-ca']));
    say('encrypt', await lab.run(['replay', profile, '--yes', '--encrypt-ca', '--ca-passphrase-file', p]));
    appendFileSync('/tmp/res/state.log', (await readFile(join(folder(lab.controller), 'ca-key.pem'), 'utf8')).split('\n')[0] + '\n');
    say('noop', await lab.run(['replay', profile]));
    const changed = await lab.controller.profile({ certificates: { extraSans: ['etcd.example'] } }, { file: 'changed.yaml' });
    await untouched(async () => {
    say('no passphrase', await lab.run(['replay', changed, '--yes']));
    say('wrong passphrase', await lab.run(['replay', changed, '--yes', '--ca-passphrase-file', w]));
    });
    say('right', await lab.run(['replay', changed, '--yes', '--ca-passphrase-file', p]));
    say('right noop', await lab.run(['replay', changed]));
  });
});
