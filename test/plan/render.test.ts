import { describe, expect, it } from 'vitest';
import { planCluster } from '../../src/plan/plan.ts';
import { planJson, planLines, renderDiff } from '../../src/plan/render.ts';
import { factsOf, healthyWorld, newWorld } from './fixtures.ts';

describe('a plan in words', () => {
  it('puts hosts that do the same on one line', () => {
    expect(planLines(planCluster(newWorld().input))).toEqual([
      'Plan for homelab: nothing has been changed yet',
      '  controller   make two CAs: one for clients and servers, one for peers',
      '  controller   issue the client certificate root',
      '  pi1 pi2 pi3  write certificates and keys in /etc/etcd/ssl, /etc/etcd/etcd.conf, /etc/systemd/system/etcd.service  (30 files)',
      '  pi1 pi2 pi3  measure how fast the disk under /var/lib/etcd/homelab is',
      '  pi1 pi2 pi3  start the member, together with the others',
    ]);
  });

  it('gives the reasons where a cluster is there already', () => {
    const world = healthyWorld();
    world.input.profile.certificates.extraSans.push('etcd.example');
    factsOf(world, 'pi2').services.etcd = {
      name: 'etcd',
      exists: true,
      active: 'active',
      enabled: false,
      masked: false,
    };
    const why = 'server certificate: etcd.example is not in it';
    expect(planLines(planCluster(world.input)).slice(1)).toEqual([
      '  pi2 pi3 pi1  write certificates and keys in /etc/etcd/ssl  (24 files)',
      `                 pi2: ${why}; etcd is not started at boot.`,
      `                 pi3: ${why}.`,
      `                 pi1: ${why}.`,
    ]);
  });

  it('says so when there is nothing to do', () => {
    expect(planLines(planCluster(healthyWorld().input))).toEqual([
      'homelab: nothing to do, the hosts are as the profile says.',
    ]);
  });

  it('tells first what stops it, with the remedy, and plans nothing', () => {
    const world = newWorld();
    factsOf(world, 'pi2').init = 'openrc';
    const lines = planLines(planCluster(world.input));
    expect(lines[0]).toBe('STOP: pi2 does not run systemd.');
    expect(lines.at(-1)).toBe('homelab: nothing is done until this is settled.');
  });

  it('never lets what a host says reach the terminal as it is', () => {
    const world = newWorld();
    factsOf(world, 'pi2').listeners.push({ port: 2379, address: '*', process: 'x\u001b[2J\u202e\nroot#', pid: 1 });
    const conf = {
      path: '/etc/etcd/etcd.conf',
      kind: 'file' as const,
      mode: 0o644,
      owner: 'root',
      group: 'root',
      size: 1,
      content: '# \u001b]0;x\u0007\n',
    };
    const plan = planCluster(world.input);
    const other = newWorld();
    factsOf(other, 'pi1').files[conf.path] = conf;
    const shown = [
      ...planLines(plan, { diff: true }),
      ...planLines(planCluster(other.input), { diff: true }),
      JSON.stringify(planJson(plan)),
      JSON.stringify(planJson(planCluster(other.input))),
    ];
    for (const line of shown) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]|\\u001b|\\u202e/);
    expect(shown.join()).toContain('\\x1b');
  });
});

describe('the diff', () => {
  it('shows public text line by line, certificates in words and keys not at all', () => {
    const world = healthyWorld();
    const { etcd } = world.input.profile;
    world.input.profile = {
      ...world.input.profile,
      etcd: { ...etcd, extraArgs: { 'quota-backend-bytes': 4096 } },
      certificates: { ...world.input.profile.certificates, extraSans: ['vip.home'] },
    };
    const action = planCluster(world.input).actions.find(({ id }) => id === 'files:pi2');
    const lines = action ? renderDiff(action) : [];
    expect(lines.filter((line) => line.startsWith('==='))).toEqual([]);
    expect(lines).toContain('--- /etc/etcd/etcd.conf');
    expect(lines).toContain('+ETCD_QUOTA_BACKEND_BYTES="4096"');
    expect(lines.filter((line) => line.startsWith('-') && !line.startsWith('---'))).toEqual([]);
    expect(lines).toContain('  good for 10.0.21.1 127.0.0.1 ::1 etcd.az2.home vip.home localhost');
    expect(lines).toContain('  because vip.home is not in it');
    expect(lines.filter((line) => line === '  private key, not shown')).toHaveLength(3);
  });

  it('shows a mode in words', () => {
    const world = healthyWorld();
    Object.assign(factsOf(world, 'pi1').files['/etc/etcd/etcd.conf'] ?? {}, { mode: 0o666 });
    const [action] = planCluster(world.input).actions;
    expect(action && renderDiff(action)).toEqual(
      expect.arrayContaining(['/etc/etcd/etcd.conf: mode 0644 root:root', '  has mode 0666 instead of 0644']),
    );
  });
});

describe('JSON', () => {
  it('has actions and findings, and survives its own printing', () => {
    const plan = planCluster(newWorld().input);
    const json = JSON.parse(JSON.stringify(planJson(plan))) as {
      actions: { id: string; kind: string }[];
      findings: unknown[];
    };
    expect(json.actions.map(({ id }) => id)).toEqual(plan.actions.map(({ id }) => id));
    expect(json.findings).toEqual([]);
  });
});
