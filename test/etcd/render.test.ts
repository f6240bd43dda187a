import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memberConfig } from '../../src/etcd/config.ts';
import { parseEnvironmentFile } from '../../src/etcd/environment-file.ts';
import { renderEnvironmentFile, renderUnit, writtenFor } from '../../src/etcd/render.ts';
import { hostOf, profileOf } from './fixtures.ts';

const profile = profileOf();
const { host, layout } = hostOf(profile);
const settings = memberConfig(profile, host, { version: '3.4.23', token: 'homelab-1', layout });
const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('files of a member', () => {
  it('puts every setting into the environment file and none on the command line', () => {
    const values = parseEnvironmentFile(renderEnvironmentFile('homelab', settings));
    expect(Object.keys(values)).toHaveLength(settings.length);
    expect(values.ETCD_INITIAL_CLUSTER_TOKEN).toBe('homelab-1');
    expect(renderUnit('homelab', layout, '/usr/bin/etcd')).toMatch(/^ExecStart=\/usr\/bin\/etcd$/m);
  });

  it('carries ETCD_UNSUPPORTED_ARCH to the service where it is needed', () => {
    expect(parseEnvironmentFile(renderEnvironmentFile('homelab', settings, 'arm64')).ETCD_UNSUPPORTED_ARCH).toBe(
      'arm64',
    );
  });

  it('knows its own files and for which cluster they are', () => {
    expect(writtenFor(renderEnvironmentFile('homelab', settings))).toBe('homelab');
    expect(writtenFor(renderUnit('garage', layout, '/usr/bin/etcd'))).toBe('garage');
    expect(writtenFor('ETCD_NAME="default"\n')).toBeUndefined();
  });

  it.skipIf(!analyze)('is a unit that systemd accepts without a word', () => {
    const folder = mkdtempSync(join(tmpdir(), 'unit-'));
    try {
      // Verified with a program that exists on every machine; `man:` pages are not looked up.
      writeFileSync(
        join(folder, 'etcd.service'),
        renderUnit('homelab', { ...layout, confFile: '/etc/hostname' }, '/bin/true'),
      );
      const { status, stderr } = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', '--recursive-errors=no', join(folder, 'etcd.service')],
        { encoding: 'utf8' },
      );
      expect(stderr.split('\n').filter((line) => line.includes('etcd.service'))).toEqual([]);
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
