import { describe, expect, it } from 'vitest';
import { goArchOf, unsupportedArch } from '../../src/etcd/arch.ts';
import { memberConfig } from '../../src/etcd/config.ts';
import { layoutOf, unsupportedBy } from '../../src/etcd/layout.ts';
import { compareVersions, flagProblem, upstreamVersion } from '../../src/etcd/versions.ts';
import { hostOf, profileOf } from './fixtures.ts';

const configOf = (changes: Record<string, unknown> = {}, version = '3.5.16') => {
  const profile = profileOf(changes);
  return Object.fromEntries(
    memberConfig(profile, hostOf(profile).host, { version, token: 't', layout: hostOf(profile).layout }),
  );
};

describe('configuration of a member', () => {
  it('listens on addresses only and asks everybody for a certificate', () => {
    expect(configOf()).toMatchObject({
      name: 'pi1',
      'data-dir': '/var/lib/etcd/homelab',
      'listen-client-urls': 'https://10.0.11.1:2379,https://127.0.0.1:2379',
      'listen-peer-urls': 'https://10.0.11.1:2380',
      'client-cert-auth': 'true',
      'peer-client-cert-auth': 'true',
      'trusted-ca-file': '/etc/etcd/ssl/ca.pem',
      'peer-trusted-ca-file': '/etc/etcd/ssl/peer-ca.pem',
      'initial-cluster-state': 'new',
      'initial-cluster': 'pi1=https://10.0.11.1:2380,pi2=https://10.0.21.1:2380,pi3=https://10.0.31.1:2380',
    });
  });

  it('advertises names where the profile says so, and still binds to the address', () => {
    const config = configOf({ addressing: 'dns' });
    expect(config['advertise-client-urls']).toBe('https://etcd.az1.home:2379');
    expect(config['initial-cluster']).toContain('pi2=https://etcd.az2.home:2380');
    expect(config['listen-peer-urls']).toBe('https://10.0.11.1:2380');
  });

  it('writes IPv6 in brackets, with the loopback of its family', () => {
    const config = configOf({ hosts: [{ name: 'pi1', address: 'fd00::11' }] });
    expect(config['listen-client-urls']).toBe('https://[fd00::11]:2379,https://[::1]:2379');
    expect(config['initial-advertise-peer-urls']).toBe('https://[fd00::11]:2380');
  });

  it('does not bind loopback twice', () => {
    expect(configOf({ hosts: [{ name: 'pi1', address: '127.0.0.1' }] })['listen-client-urls']).toBe(
      'https://127.0.0.1:2379',
    );
  });

  it('sets every flag once, and extra ones in a stable order', () => {
    const profile = profileOf({
      etcd: { extraArgs: { 'quota-backend-bytes': 4e9, 'heartbeat-interval': 250, 'election-timeout': 2500 } },
    });
    const flags = memberConfig(profile, hostOf(profile).host, {
      version: '3.5.16',
      token: 't',
      layout: hostOf(profile).layout,
    }).map(([flag]) => flag);
    expect(new Set(flags).size).toBe(flags.length);
    expect(flags.slice(-3)).toEqual(['election-timeout', 'heartbeat-interval', 'quota-backend-bytes']);
  });

  it.each([
    ['3.3.25', undefined],
    ['3.4.23', 'zap'],
    ['3.5.16', undefined],
  ])('etcd %s logs by %s', (version, logger) => {
    expect(configOf({}, version).logger).toBe(logger);
  });

  it('has one trust file where peers have no CA of their own', () => {
    expect(configOf({ ca: { peers: 'same' } })['peer-trusted-ca-file']).toBe('/etc/etcd/ssl/ca.pem');
  });

  it('keeps everything below one folder, without owners, for try', () => {
    const layout = layoutOf(
      profileOf(),
      { name: 'pi2' },
      { root: '/tmp/x', etcdPath: '/usr/bin/etcd', etcdVersion: '3.4.23' },
    );
    const paths = [
      layout.confFile,
      layout.dataDir,
      ...Object.values(layout.certificates).flatMap(Object.values),
      ...layout.folders.map(({ path }) => path),
    ];
    expect(paths.every((path) => path.startsWith('/tmp/x/pi2'))).toBe(true);
    expect(
      [layout.conf, layout.certificateFile, ...layout.folders].every(
        ({ owner, group }) => owner === undefined && group === undefined,
      ),
    ).toBe(true);
    expect(layout.unitFile).toBeUndefined();
  });

  it.each([
    [{}, []],
    [
      { topology: 'stacked' },
      ['topology: stacked', 'kubeadm’s file layout (certificates.directory: /etc/kubernetes/pki)'],
    ],
    [{ runtime: 'openrc' }, ['runtime: openrc']],
    [{ ca: { source: 'existing', existing: { certFile: 'a' } } }, ['ca.source: existing']],
  ])('names what is not there yet: %j', (changes, expected) => {
    expect(unsupportedBy(profileOf(changes))).toEqual(expected);
  });
});

describe('architecture', () => {
  it.each([
    [{ kernelArch: 'aarch64', packageArch: 'arm64', userlandBits: 64 as const }, 'arm64'],
    [{ kernelArch: 'aarch64', packageArch: 'armhf', userlandBits: 32 as const }, 'arm'],
    [{ kernelArch: 'aarch64', userlandBits: 32 as const }, 'arm'],
    [{ kernelArch: 'armv7l', userlandBits: 32 as const }, 'arm'],
    [{ kernelArch: 'x86_64', userlandBits: 64 as const }, 'amd64'],
  ])('%j is %s', (facts, expected) => expect(goArchOf(facts)).toBe(expected));

  it.each([
    ['arm64', '3.4.23', 'arm64'],
    ['arm64', '3.5.16', undefined],
    ['arm', '3.6.10', 'arm'],
    ['amd64', '3.3.25', undefined],
    ['s390x', '3.4.23', 's390x'],
  ])('%s with etcd %s needs %s', (arch, version, expected) => expect(unsupportedArch(arch, version)).toBe(expected));
});

describe('flags by version', () => {
  it.each([
    ['quota-backend-bytes', '3.3.25', undefined],
    ['tls-min-version', '3.4.23', /3\.4\.25/],
    ['tls-min-version', '3.4.30', undefined],
    ['tls-min-version', '3.5.7', /3\.5\.8/],
    ['tls-min-version', '3.6.0', undefined],
    ['feature-gates', '3.5.16', /3\.6/],
    ['corrupt-check-time', '3.5.16', /experimental-corrupt-check-time/],
    ['experimental-corrupt-check-time', '3.7.1', /use corrupt-check-time/],
    ['experimental-initial-corrupt-check', '3.6.14', undefined],
    ['experimental-initial-corrupt-check', '3.7.0', /InitialCorruptCheck=true/],
    ['debug', '3.5.16', /log-level/],
    ['hartbeat-interval', '3.5.16', /spelling/],
    ['something-new', '3.9.0', undefined],
  ])('%s in etcd %s', (flag, version, expected) => {
    const problem = flagProblem(flag, version);
    if (expected === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(expected);
  });

  it.each([
    ['3.4.23-4+b4', '3.4.23'],
    ['3.3.25+dfsg-7', '3.3.25'],
    ['1:3.5.16-4', '3.5.16'],
    ['(none)', undefined],
  ])('upstream version of %s', (version, expected) => expect(upstreamVersion(version)).toBe(expected));

  it('compares by number', () => expect(compareVersions('3.10.0', '3.9.9')).toBeGreaterThan(0));
});
