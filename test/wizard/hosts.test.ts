import { describe, expect, it } from 'vitest';
import { editHost, hostField, hostLine, parseHosts } from '../../src/wizard/hosts.ts';
import type { HostAnswer } from '../../src/wizard/types.ts';

const host = (name: string, address: string, more: Partial<HostAnswer> = {}): HostAnswer => ({
  name,
  address,
  dnsNames: [],
  ssh: {},
  ...more,
});
const messages = (text: string, existing: HostAnswer[] = []) =>
  parseHosts(text, existing).failed.map(({ message }) => message);

describe('lines that name hosts', () => {
  it.each<[string, HostAnswer[]]>([
    ['10.0.11.1', [host('pi1', '10.0.11.1')]],
    ['pi@10.0.11.1', [host('pi1', '10.0.11.1', { ssh: { user: 'pi' } })]],
    ['pi@10.0.11.1:2222', [host('pi1', '10.0.11.1', { ssh: { user: 'pi', port: 2222 } })]],
    ['garage=10.0.11.1', [host('garage', '10.0.11.1')]],
    ['garage = pi@10.0.11.1', [host('garage', '10.0.11.1', { ssh: { user: 'pi' } })]],
    ['garage 10.0.11.1', [host('garage', '10.0.11.1')]],
    ['etcd.az1.home=10.0.11.1', [host('etcd', '10.0.11.1', { dnsNames: ['etcd.az1.home'] })]],
    ['10.0.11.1 pi-a.home pi-a # kitchen', [host('pi-a', '10.0.11.1', { dnsNames: ['pi-a.home'] })]],
    ['10.0.11.1\tpi-a.home', [host('pi-a', '10.0.11.1', { dnsNames: ['pi-a.home'] })]],
    ['fd00::11', [host('pi1', 'fd00::11')]],
    ['[fd00::11]', [host('pi1', 'fd00::11')]],
    ['pi@[fd00::11]:2222', [host('pi1', 'fd00::11', { ssh: { user: 'pi', port: 2222 } })]],
    [
      'pi@10.0.0.1\r\n10.0.0.2\n\n# no host\nroot@10.0.0.3',
      [
        host('pi1', '10.0.0.1', { ssh: { user: 'pi' } }),
        host('pi2', '10.0.0.2', { ssh: { user: 'pi' } }),
        host('pi3', '10.0.0.3', { ssh: { user: 'root' } }),
      ],
    ],
    ['10.0.0.1, 10.0.0.2; 10.0.0.3', [host('pi1', '10.0.0.1'), host('pi2', '10.0.0.2'), host('pi3', '10.0.0.3')]],
    ['pi2=10.0.0.1\n10.0.0.2\n10.0.0.3', [host('pi2', '10.0.0.1'), host('pi3', '10.0.0.2'), host('pi4', '10.0.0.3')]],
  ])('%j', (text, hosts) => {
    expect(parseHosts(text, [])).toEqual({ hosts, failed: [] });
  });

  it.each([
    ['10.0.11.999', '«10.0.11.999» is not an IPv4 address: four numbers from 0 to 255.'],
    ['10.0.11', '«10.0.11» is not an IPv4 address: four numbers from 0 to 255.'],
    ['pi1.lan', '«pi1.lan» is a name; etcd listens on an address. Type both, such as pi1=10.0.11.1.'],
    ['pi@', 'An address is missing: type one such as 10.0.11.1, or pi@10.0.11.1.'],
    ['10.0.11.1:99999', '«99999» is not a port between 1 and 65535.'],
    ['10.0.11.1:ssh', '«ssh» is not a port between 1 and 65535.'],
    ['-oProxyCommand=x@10.0.0.1', '«-oProxyCommand» cannot be a name: letters, digits, «-» and «.».'],
    ['-l@10.0.0.1', '«-l» cannot be a login name.'],
    ['0.0.0.0', '«0.0.0.0» means every address; the other members need one that they can dial.'],
    ['::', '«::» means every address; the other members need one that they can dial.'],
    ['127.0.0.1', '«127.0.0.1» is reachable on its own host only; give the address in your network.'],
    ['::1', '«::1» is reachable on its own host only; give the address in your network.'],
    ['169.254.3.4', '«169.254.3.4» is a link-local address and may change; give the host a fixed one.'],
    ['fe80::1', '«fe80::1» is a link-local address and may change; give the host a fixed one.'],
    ['fe80::1%eth0', '«fe80::1%eth0» holds a zone index; etcd needs an address that every host can reach.'],
    ['224.0.0.1', '«224.0.0.1» is not the address of a single host.'],
    ['a$b=10.0.0.1', '«a$b» cannot be a name: letters, digits, «-» and «.».'],
    ['pi1\x1b[2J=10.0.0.1', '«pi1\\x1b[2J=10.0.0.1» contains a control or invisible character.'],
    ['x'.repeat(10_000), `«${'x'.repeat(39)}…» is too long for a host.`],
    ['!?', '«!?» is not an address such as 10.0.11.1 or fd00::11.'],
  ])('%j is refused with a sentence', (text, message) => {
    expect(messages(text)).toEqual([message]);
  });

  it('names and addresses must be new, also within a pasted list', () => {
    const existing = [host('pi1', '10.0.0.1')];
    expect(messages('PI1=10.0.0.2', existing)).toEqual(['There is already a host named pi1 (10.0.0.1).']);
    expect(messages('10.0.0.1', existing)).toEqual(['10.0.0.1 is already the address of pi1.']);
    expect(parseHosts('10.0.0.5\n10.0.0.5', []).hosts).toHaveLength(1);
  });

  it('at most 99', () => {
    const many = Array.from({ length: 120 }, (_, index) => `10.0.1.${index + 1}`).join('\n');
    const { hosts, failed } = parseHosts(many, []);
    expect([hosts.length, failed.length]).toEqual([99, 21]);
  });

  it.each([
    host('a', '10.0.0.1', { ssh: { user: 'pi', port: 2222 }, dnsNames: ['a.home', 'b.home'] }),
    host('v6', 'fd00::1', { ssh: { port: 22 } }),
  ])('$name is written as it is read', (each) => {
    expect(parseHosts(hostLine(each), []).hosts).toEqual([each]);
  });
});

describe('a cell of the host table', () => {
  const hosts = [host('pi1', '10.0.0.1', { ssh: { user: 'pi', identityFile: '~/.ssh/id' } }), host('pi2', '10.0.0.2')];
  it.each([
    ['name', 'attic', { name: 'attic' }],
    ['address', '10.0.0.9', { address: '10.0.0.9' }],
    ['dnsNames', 'a.home, b.home a.home', { dnsNames: ['a.home', 'b.home'] }],
    ['zone', 'az1', { zone: 'az1' }],
    ['zone', '', { zone: undefined }],
    ['ssh', 'root@pi1.lan:2222', { ssh: { identityFile: '~/.ssh/id', host: 'pi1.lan', user: 'root', port: 2222 } }],
    ['ssh', '[fd00::1]:22', { ssh: { identityFile: '~/.ssh/id', host: 'fd00::1', port: 22 } }],
    ['ssh', 'fd00::1', { ssh: { identityFile: '~/.ssh/id', host: 'fd00::1' } }],
    ['ssh', 'root@', { ssh: { identityFile: '~/.ssh/id', user: 'root' } }],
    ['ssh', '', { ssh: { identityFile: '~/.ssh/id' } }],
  ] as const)('%s becomes «%s»', (field, text, change) => {
    expect(editHost(hosts, 0, field, text)).toEqual({ ok: true, value: [{ ...hosts[0], ...change }, hosts[1]] });
  });

  it.each([
    ['name', 'pi2', 'There is already a host named pi2 (10.0.0.2).'],
    ['name', 'a b', '«a b» cannot be a member name: letters, digits, «-», «_» and «.».'],
    ['address', '10.0.0.2', '10.0.0.2 is already the address of pi2.'],
    ['address', 'pi1', '«pi1» is a name; etcd listens on an address. Type both, such as pi1=10.0.11.1.'],
    ['dnsNames', 'a.home 10.0.0.1', '«10.0.0.1» is not a DNS name such as pi1.home.'],
    ['zone', 'z'.repeat(64), 'A zone is a short name such as az1.'],
    ['ssh', '-oProxyCommand=x', '«-oProxyCommand=x» is not a way to log in such as pi@pi1.lan:22.'],
    ['ssh', 'pi@host:0', '«0» is not a port between 1 and 65535.'],
  ] as const)('%s «%s» is refused', (field, text, message) => {
    expect(editHost(hosts, 0, field, text)).toEqual({ ok: false, message });
  });

  it('shows what stands there', () => {
    const each = host('pi1', '10.0.0.1', {
      ssh: { user: 'pi', host: 'pi1.lan', port: 22 },
      dnsNames: ['a.home', 'b.home'],
    });
    expect((['name', 'address', 'dnsNames', 'zone', 'ssh'] as const).map((field) => hostField(each, field))).toEqual([
      'pi1',
      '10.0.0.1',
      'a.home b.home',
      '',
      'pi@pi1.lan:22',
    ]);
  });
});
