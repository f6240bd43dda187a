import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendFileSync } from 'node:fs';
import type { Result } from '../setup/process.ts';
import { sleep } from '../setup/process.ts';
import { cable } from './faults.ts';
import { startAgain } from './interruption.ts';
import { Lab } from './lab.ts';

const OURS = ['/etc/etcd', '/etc/systemd/system', '/var/backups', '/run/etcd-wizard.lock', '/tmp', '/var/tmp'];
const say = (what: string, r: Result) => appendFileSync('/tmp/res/resilience.log', `\n=== ${what}: ${r.code} ${Math.round(r.elapsedMs)} ms\n${r.stdout}--- stderr\n${r.stderr}`);
const log = (t: string) => appendFileSync('/tmp/res/resilience.log', t + '\n');

describe('resilience', () => {
  let lab: Lab;
  let profile: string;
  const look = () => Promise.all(lab.hosts.map((host) => host.tree(...OURS)));
  const settle = async (what: string) => {
    say(`${what}: next`, await lab.run(['replay', profile, '--yes']));
    say(`${what}: noop`, await lab.run(['replay', profile]));
  };
  beforeAll(async () => {
    lab = await Lab.start({ hosts: 3 });
    profile = await lab.controller.profile();
  });
  afterAll(async () => await lab?.stop());

  it('unreachable from the start, new', async () => {
    const b = await look();
    await cable(lab.host(2), 'down');
    say('unreachable, new', await lab.run(['replay', profile, '--yes']));
    expect(await look()).toEqual(b);
    await cable(lab.host(2), 'up');
  });
  it('link lost in files', async () => {
    const r = lab.controller.start(['replay', profile, '--yes', '--verbose']);
    await r.until(/… pi3  write/);
    await cable(lab.host(2), 'down');
    say('link lost in files', await r.done);
    log(await lab.host(2).sh('ls -la /run/etcd-wizard.lock /etc/etcd; systemctl is-active etcd; true'));
    await cable(lab.host(2), 'up');
    await settle('link lost in files');
  });
  it('link lost in start', async () => {
    await startAgain(lab);
    const r = lab.controller.start(['replay', profile, '--yes', '--verbose']);
    await r.until(/… pi3  start/);
    await cable(lab.host(2), 'down');
    say('link lost in start', await r.done);
    await cable(lab.host(2), 'up');
    await settle('link lost in start');
  });
  it('power cut in start', async () => {
    await startAgain(lab);
    const r = lab.controller.start(['replay', profile, '--yes', '--verbose']);
    await r.until(/… pi3  start/);
    await lab.host(2).kill();
    say('power cut in start', await r.done);
    await lab.host(2).boot();
    await settle('power cut in start');
  });
  it('unreachable, running', async () => {
    await cable(lab.host(2), 'down');
    say('unreachable, running', await lab.run(['replay', profile, '--yes']));
    say('unreachable, plan', await lab.run(['plan', profile]));
    say('unreachable, health', await lab.run(['health', profile, '--once']));
    await cable(lab.host(2), 'up');
    await sleep(3000);
  });
  it('one stopped', async () => {
    const pids = () => Promise.all(lab.hosts.map((h) => h.sh('systemctl show -p MainPID --value etcd')));
    const b = await look(); const p = await pids();
    await lab.host(1).sh('systemctl stop etcd');
    say('one stopped', await lab.run(['replay', profile, '--yes']));
    log(JSON.stringify([b.join() === (await look()).join(), p, await pids()]));
    for (const h of lab.hosts) await h.sh('systemctl stop etcd');
    say('all stopped', await lab.run(['replay', profile, '--yes']));
    log(JSON.stringify([b.join() === (await look()).join()]));
  });
  it('wal lost', async () => {
    await lab.host(1).sh('systemctl stop etcd; mv /var/lib/etcd/homelab/member/wal /root/wal');
    const b = await look();
    say('wal lost', await lab.run(['replay', profile, '--yes']));
    expect(await look()).toEqual(b);
    for (const i of [0, 2]) await lab.host(i).sh('systemctl stop etcd');
    say('wal lost, others stopped', await lab.run(['replay', profile, '--yes']));
    await lab.host(1).sh('mv /root/wal /var/lib/etcd/homelab/member/wal');
    await settle('wal back');
    await lab.host(1).sh('systemctl stop etcd; mv /var/lib/etcd/homelab /root/homelab');
    say('data dir lost', await lab.run(['replay', profile, '--yes']));
    await lab.host(1).sh('mv /root/homelab /var/lib/etcd/homelab');
    await settle('data back');
  });
});
