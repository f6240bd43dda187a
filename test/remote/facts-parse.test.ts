import { describe, expect, it } from 'vitest';
import type { FactQuestions } from '../../src/facts.ts';
import { readClock, readLook } from '../../src/remote/facts-lines.ts';
import { parseFacts } from '../../src/remote/facts-parse.ts';

const questions: FactQuestions = {
  files: ['/etc/a'],
  secrets: ['/etc/k'],
  publicKeys: true,
  dataDirs: ['/d'],
  mounts: [],
  names: ['etcd.az1.home'],
  services: ['etcd', 'kubelet', 'none'],
};
const HOST_NOW = 1_700_000_000_000;
const parse = (body: string) =>
  parseFacts(`@etcd-wizard-facts\n${body}\nend\t`, {
    host: 'pi1',
    questions,
    user: 'pi',
    uid: 1000,
    privilege: 'sudo',
    clock: { skewMs: 5, errorMs: 2 },
    hostNow: HOST_NOW,
  });
const tagged = (key: string, text: string) =>
  text
    .split('\n')
    .map((line) => `${key}\t${line}`)
    .join('\n');

describe('addresses', () => {
  it.each([
    [
      'a static one',
      '2: eth0    inet 10.0.11.1/24 brd 10.0.11.255 scope global eth0\\       valid_lft forever',
      '',
      false,
    ],
    [
      'one leased by DHCP',
      '2: eth0    inet 10.0.11.1/24 brd 10.0.11.255 scope global dynamic noprefixroute eth0\\  valid_lft 3598sec',
      '',
      true,
    ],
    ['systemd-networkd’s lease', '2: eth0    inet 10.0.11.1/24 scope global eth0', 'lease\tindex\t2', true],
    [
      'another interface’s lease',
      '2: eth0    inet 10.0.11.1/24 scope global eth0',
      'lease\tindex\t3\nlease\tname\twlan0',
      false,
    ],
    ['udhcpc’s lease', '2: eth0@if7    inet 10.0.11.1/24 scope global eth0', 'lease\tname\teth0', true],
  ])('%s', (_, line, lease, dynamic) => {
    expect(parse(`${tagged('ip', line)}\n${lease}`).addresses).toEqual([
      { interface: 'eth0', address: '10.0.11.1', dynamic },
    ]);
  });
});

describe('listeners', () => {
  it.each([
    [
      'ss',
      'LISTEN 0      4096       127.0.0.1:2379       0.0.0.0:*    users:(("etcd",pid=612,fd=7))',
      { address: '127.0.0.1', port: 2379, process: 'etcd', pid: 612 },
    ],
    [
      'ss',
      'LISTEN 0      4096            [::]:2380          [::]:*    users:(("etcd",pid=612,fd=3))',
      { address: '::', port: 2380, process: 'etcd', pid: 612 },
    ],
    ['ss', 'LISTEN 0      4096               *:2381             *:*', { address: '*', port: 2381 }],
    ['ss', 'LISTEN 0      4096   127.0.0.53%lo:53         0.0.0.0:*', { address: '127.0.0.53', port: 53 }],
    [
      'netstat',
      'tcp        0      0 10.0.11.1:2379          0.0.0.0:*               LISTEN      612/etcd',
      { address: '10.0.11.1', port: 2379, process: 'etcd', pid: 612 },
    ],
    [
      'netstat',
      'tcp        0      0 :::22                   :::*                    LISTEN      -',
      { address: '::', port: 22 },
    ],
    [
      'proctcp',
      '   0: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1',
      { address: '127.0.0.1', port: 2379 },
    ],
    [
      'proctcp',
      '   0: 00000000000000000000000001000000:094C 00000000000000000000000000000000:0000 0A',
      { address: '::1', port: 2380 },
    ],
  ])('by %s: %s', (key, line, listener) => {
    expect(parse(tagged(key, line)).listeners).toEqual([listener]);
  });
  it('headings and nonsense are passed over', () => {
    expect(
      parse(tagged('ss', 'State  Recv-Q Send-Q Local Address:Port Peer\nLISTEN\n\nLISTEN 0 0 x y z')).listeners,
    ).toEqual([]);
  });
});

it('services of systemd, in the order asked for', () => {
  const blocks = [
    'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nFragmentPath=/etc/systemd/system/etcd.service\nDropInPaths=/etc/systemd/system/etcd.service.d/a.conf\nMainPID=612\nNeedDaemonReload=yes',
    'LoadState=masked\nActiveState=inactive\nUnitFileState=masked-runtime\nFragmentPath=/run/systemd/system/kubelet.service\nDropInPaths=\nMainPID=0\nNeedDaemonReload=no',
    'LoadState=not-found\nActiveState=inactive\nUnitFileState=\nFragmentPath=\nDropInPaths=\nMainPID=0\nNeedDaemonReload=no',
  ];
  const { services } = parse(`uptime\t1000.50\n${tagged('unit', blocks.join('\n\n'))}\nstarted\t612\t90000`);
  expect(services.etcd).toEqual({
    name: 'etcd',
    exists: true,
    active: 'active',
    enabled: true,
    masked: false,
    fragment: '/etc/systemd/system/etcd.service /etc/systemd/system/etcd.service.d/a.conf',
    mainPid: 612,
    // Started 900 s after a boot that was 1000.5 s ago.
    startedAt: HOST_NOW - 100_500,
    needsReload: true,
  });
  expect(services.kubelet).toMatchObject({ exists: true, masked: true, enabled: false });
  expect(services.none).toMatchObject({ exists: false, active: 'inactive' });
});

it.each([
  ['started\tyes\t7', { exists: true, active: 'active', enabled: true, mainPid: 7 }],
  ['crashed\tno\t7', { exists: true, active: 'failed', enabled: false }],
  ['inactive\tno\t', { exists: true, active: 'inactive' }],
])('services of OpenRC: %j', (state, expected) => {
  expect(parse(`rc\tetcd\t${state}`).services.etcd).toMatchObject(expected);
});

it.each([
  [
    'package\tapt\tarm64\ninstalled\tetcd-server\tinstalled\t3.5.16-4+b4',
    { manager: 'apt', name: 'etcd-server', installed: '3.5.16-4+b4' },
  ],
  [
    'package\tapt\tarm64\ninstalled\tetcd-server\tconfig-files\t3.4.23-4\npolicy\tetcd-server:\npolicy\t  Installed: (none)\npolicy\t  Candidate: 3.5.16-4',
    { manager: 'apt', name: 'etcd-server', candidate: '3.5.16-4' },
  ],
  [
    'package\tapt\tarm64\npolicy\tetcd-server:\npolicy\t  Candidate: (none)\npolicy\tetcd:\npolicy\t  Candidate: 3.3.25',
    { manager: 'apt', name: 'etcd', candidate: '3.3.25' },
  ],
  [
    'package\tapk\taarch64\napkinstalled\tetcd-3.5.18-r2 aarch64 {etcd} (Apache-2.0) [installed]',
    { manager: 'apk', name: 'etcd', installed: '3.5.18-r2' },
  ],
  [
    'package\tapk\taarch64\napkavailable\tetcd-ctl-3.5.18-r2 aarch64 {etcd}\napkavailable\tetcd-3.5.18-r2 aarch64 {etcd}',
    { manager: 'apk', name: 'etcd', candidate: '3.5.18-r2' },
  ],
  ['package\tnone\t', { manager: 'none' }],
])('the package: %j', (body, expected) => {
  expect(parse(body).package).toEqual(expected);
});

describe('data directory of a process', () => {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  it.each([
    ['the flag', ['etcd', '--data-dir=/a', '--name', 'n'], 'ETCD_DATA_DIR=/b\n', undefined, '/a'],
    ['the flag in two words, one dash', ['etcd', '-data-dir', '/a'], '', undefined, '/a'],
    ['the environment', ['etcd', '--name', 'n'], 'ETCD_DATA_DIR=/b\n', undefined, '/b'],
    ['the name', ['etcd', '--name=n'], '', undefined, '/srv/n.etcd'],
    [
      'the configuration file alone',
      ['etcd', '--config-file', 'c', '--data-dir=/a'],
      'ETCD_DATA_DIR=/b\n',
      'name: x\ndata-dir: "/c" # kept\n',
      '/c',
    ],
    [
      'a configuration file that does not name it',
      ['etcd', '--config-file', 'c'],
      '',
      "name: 'x y'\n",
      '/srv/x y.etcd',
    ],
  ])('%s', (_, argv, environment, config, expected) => {
    const lines = [
      'etcdprocess\t7\tetcd\tetcd\t/srv',
      'argv\t',
      encode(argv.map((word) => `${word}\0`).join('')),
      'environ\t',
      encode(environment),
    ];
    if (config !== undefined) lines.push('config\t', encode(config));
    const [found] = parse(lines.join('\n')).etcdProcesses;
    expect(found).toMatchObject({ pid: 7, user: 'etcd', service: 'etcd', argv, dataDir: expected });
  });

  it.each([
    ['asked for its version by another look', ['/usr/bin/etcd', '--version']],
    ['that has ended meanwhile', []],
  ])('a process %s is no member', (_, argv) => {
    const lines = [
      'etcdprocess\t7\tpi\tssh.service\t/home/pi',
      'argv\t',
      encode(argv.map((word) => `${word}\0`).join('')),
    ];
    expect(parse(lines.join('\n')).etcdProcesses).toEqual([]);
  });
});

it('mounts: the deepest, of several on one point the last, with escaped names', () => {
  const body = [
    'mount\t/var/lib/etcd/x\t/var/lib/my disk',
    'fs\t4096\t1000\t10\text2/ext3\t/var/lib/my disk',
    'mounted\t/\text4\t/dev/root',
    'mounted\t/var/lib/my\\040disk\txfs\t/dev/sda1',
    'mounted\t/var/lib/my\\040disk\ttmpfs\ttmpfs',
    'mounted\t/var/lib/my\\040disk2\tbtrfs\t/dev/sdb',
  ].join('\n');
  expect(parse(body).mounts).toEqual([
    { path: '/var/lib/etcd/x', fsType: 'tmpfs', source: 'tmpfs', availableBytes: 40_960, sizeBytes: 4_096_000 },
  ]);
});

it('never takes a secret’s content, even when it is sent', () => {
  const { files } = parse(
    `stat\t400\tetcd\tetcd\t5\tregular file\t/etc/k\ncontent\t/etc/k\n${Buffer.from('secret').toString('base64')}`,
  );
  expect(files['/etc/k']).toEqual({ path: '/etc/k', mode: 0o400, owner: 'etcd', group: 'etcd', size: 5, kind: 'file' });
});

it('takes only answers to what was asked', () => {
  const facts = parse(
    'address\t__proto__\t6.6.6.6\naddress\tother\t6.6.6.6\naddress\tetcd.az1.home\t10.0.11.1\naddress\tetcd.az1.home\t10.0.11.1\nrc\tforeign\tstarted\tyes\t1',
  );
  expect(facts.resolves).toEqual({ 'etcd.az1.home': ['10.0.11.1'] });
  expect(Object.keys(facts.services)).toEqual(questions.services);
});

it.each(['', 'banner only', '@etcd-wizard-facts', 'a\tb\n@etcd-wizard-facts\nuid\t0'])(
  'knows that %j is not a whole look',
  (text) => {
    expect(readLook(text).complete).toBe(false);
  },
);

it.each([
  ['1795262511123456789', { epochMs: 1_795_262_511_123.4568, resolutionMs: 0 }],
  ['1795262511%N', { epochMs: 1_795_262_511_500, resolutionMs: 500 }],
  ['1795262511', { epochMs: 1_795_262_511_500, resolutionMs: 500 }],
  ['0%N', undefined],
  ['-', undefined],
])('reads the clock %j', (word, expected) => {
  const clock = readClock(`banner\n@etcd-wizard-clock ${word}\nrest`);
  if (expected === undefined) expect(clock).toBeUndefined();
  else expect(clock).toEqual({ epochMs: expect.closeTo(expected.epochMs, 3), resolutionMs: expected.resolutionMs });
});
