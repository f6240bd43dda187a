import { describe, expect, it } from 'vitest';
import { WizardError } from '../../src/errors.ts';
import { checkProfile, problemLine, readProfile } from '../../src/profile/read.ts';

const GOOD = `schemaVersion: 1
name: lab
hosts:
  - name: pi1
    address: 10.0.11.1
  - name: pi2
    address: 10.0.11.2
`;

const problems = (text: string): string[] => {
  const checked = checkProfile(text, 'lab.yaml');
  return checked.ok ? [] : checked.problems.map(problemLine);
};
const errorOf = (text: string): WizardError => {
  try {
    readProfile(text, 'lab.yaml');
  } catch (error) {
    if (error instanceof WizardError) return error;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('a profile that is wrong', () => {
  it.each([
    [
      'a host without an address',
      GOOD.replace('    address: 10.0.11.2\n', ''),
      'hosts[1].address (line 6) is missing: expected an IPv4 or IPv6 address such as 10.0.11.1',
    ],
    [
      'an address that is none',
      GOOD.replace('10.0.11.2', '10.0.11'),
      'hosts[1].address (line 7) is «10.0.11»: expected an IPv4 or IPv6 address such as 10.0.11.1',
    ],
    [
      'every address',
      GOOD.replace('10.0.11.2', '0.0.0.0'),
      'hosts[1].address (line 7) is «0.0.0.0»: expected an IPv4 or IPv6 address such as 10.0.11.1',
    ],
    [
      'a name that escapes',
      GOOD.replace('name: lab', 'name: ../../x'),
      'name (line 2) is «../../x»: expected a name of at most 63 lower-case letters, digits and «-», neither first nor last a «-»',
    ],
    [
      'a field that does not exist',
      `${GOOD}topologie: external\n`,
      'topologie (line 8) is «external»: expected no such field; the README lists the fields of a profile',
    ],
    [
      'an unknown topology',
      `${GOOD}topology: inside\n`,
      'topology (line 8) is «inside»: expected one of external, stacked',
    ],
    [
      'a version that YAML reads as a number',
      `${GOOD}etcd: { version: 3.5 }\n`,
      'etcd.version (line 8) is 3.5: expected a version in quotes, such as "3.5.16"',
    ],
    [
      'a port too high',
      `${GOOD}etcd: { clientPort: 70000 }\n`,
      'etcd.clientPort (line 8) is 70000: expected a port between 1 and 65535',
    ],
    [
      'the same port twice',
      `${GOOD}etcd: { clientPort: 2380 }\n`,
      'etcd.peerPort (line 8) is 2380: expected another port than the client port',
    ],
    [
      'a system folder',
      `${GOOD}etcd: { dataDir: /etc }\n`,
      'etcd.dataDir (line 8) is «/etc»: expected an absolute folder without «..», «//» or a trailing slash, and not one of the system’s own',
    ],
    [
      'a folder that climbs',
      `${GOOD}etcd: { dataDir: /var/lib/../../etc }\n`,
      'etcd.dataDir (line 8) is «/var/lib/../../etc»: expected an absolute folder without «..», «//» or a trailing slash, and not one of the system’s own',
    ],
    [
      'the same name',
      GOOD.replace('pi2', 'pi1'),
      'hosts[1].name (line 6) is «pi1»: expected a name of its own; hosts[0] has the same',
    ],
    [
      'names that differ by case',
      GOOD.replace('pi2', 'PI1'),
      'hosts[1].name (line 6) is «PI1»: expected a name that differs from hosts[0]’s by more than upper and lower case',
    ],
    [
      'the same address',
      GOOD.replace('10.0.11.2', '10.0.11.1'),
      'hosts[1].address (line 7) is «10.0.11.1»: expected an address of its own; hosts[0] has the same, with the same peer port',
    ],
    [
      'a login that ssh could read as an option',
      GOOD.replace('name: pi1', 'name: pi1\n    ssh: { user: -oProxyCommand=x }'),
      'hosts[0].ssh.user (line 5) is «-oProxyCommand=x»: expected a login name, not beginning with «-»',
    ],
    [
      'a jump that is an option',
      GOOD.replace('name: pi1', 'name: pi1\n    ssh: { jump: -oProxyCommand=x }'),
      'hosts[0].ssh.jump (line 5) is «-oProxyCommand=x»: expected a bastion as [user@]host[:port], not beginning with «-»',
    ],
    [
      'a zone with an escape sequence',
      GOOD.replace('name: pi1', 'name: pi1\n    zone: "az\\e[2J"'),
      'hosts[0].zone (line 5) is «az\\x1b[2J»: expected a zone name, without control or invisible characters',
    ],
    [
      'TLS flags',
      `${GOOD}etcd: { extraArgs: { cert-file: /tmp/x } }\n`,
      'etcd.extraArgs.cert-file (line 8) is «/tmp/x»: expected another flag: the wizard sets the certificate files itself',
    ],
    [
      'a password',
      GOOD.replace('name: pi1', 'name: pi1\n    ssh: { password: hunter2 }'),
      'hosts[0].ssh.password (line 5) is (not shown; a profile holds no secrets): expected no such field; the README lists the fields of a profile',
    ],
    [
      'dns without names',
      `${GOOD}addressing: dns\n`.replace('address: 10.0.11.2', 'address: 10.0.11.2\n    dnsNames: [pi2.home]'),
      'hosts[0].dnsNames (line 4) is missing: expected at least one DNS name, because addressing is dns',
    ],
    [
      'Vault without settings',
      `${GOOD}ca: { source: vault }\n`,
      'ca.vault (line 8) is missing: expected address and roles, because ca.source is vault',
    ],
    [
      'archives that are missing',
      `${GOOD}etcd: { install: archive }\n`,
      'etcd.archives (line 8) is missing: expected one entry per architecture, because install is archive',
    ],
    [
      'hosts that are no list',
      'schemaVersion: 1\nname: lab\nhosts: pi1\n',
      'hosts (line 3) is «pi1»: expected a list of hosts, each with name and address',
    ],
    [
      'a list instead of fields',
      '- schemaVersion: 1\n',
      '(the whole file) (line 1) is [{"schemaVersion":1}]: expected fields, indented below it',
    ],
    [
      'a user instead of fields',
      GOOD.replace('name: pi1', 'name: pi1\n    ssh: pi'),
      'hosts[0].ssh (line 5) is «pi»: expected fields, indented below it',
    ],
  ])('%s', (_title, text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it('names everything at once, cross-field rules too, in the order of the file', () => {
    const text =
      'schemaVersion: "1"\nname: Lab\nhosts:\n  - {name: a, address: 10.0.0.1}\n  - {name: a, address: nonsense}\n  - {name: b, address: 10.0.0.1}\netcd: {extraArgs: {name: x}}\n';
    expect(problems(text)).toEqual([
      'schemaVersion (line 1) is «1»: expected the number 1',
      'name (line 2) is «Lab»: expected a name of at most 63 lower-case letters, digits and «-», neither first nor last a «-»',
      'hosts[1].address (line 5) is «nonsense»: expected an IPv4 or IPv6 address such as 10.0.11.1',
      'hosts[1].name (line 5) is «a»: expected a name of its own; hosts[0] has the same',
      'hosts[2].address (line 6) is «10.0.0.1»: expected an address of its own; hosts[0] has the same, with the same peer port',
      'etcd.extraArgs.name (line 7) is «x»: expected another flag: it comes from other fields of the profile',
    ]);
    expect(errorOf(text)).toMatchObject({ code: 'bad-profile', exitCode: 65, message: 'lab.yaml has 6 problems.' });
  });

  it('a private key is never shown, wherever it stands', () => {
    const text = GOOD.replace('name: lab', 'name: "-----BEGIN PRIVATE KEY-----MIIsecret"');
    expect(problems(text).join()).not.toContain('MIIsecret');
  });

  it('a long value is shortened', () => {
    expect(problems(GOOD.replace('10.0.11.2', 'x'.repeat(10_000)))[0]?.length).toBeLessThan(250);
  });
});

describe('what is no profile at all', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
    .split('')
    .map((name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]}, `.repeat(9)}]`)
    .join('\n')}\n`;
  it.each([
    ['empty', '', 'lab.yaml is empty.', /at least schemaVersion, name and hosts/],
    ['comments only', '# nothing\n', 'lab.yaml is empty.', /at least schemaVersion/],
    ['half written', 'schemaVersion: 1\nname: lab\nhosts: [\n', 'lab.yaml is not valid YAML.', /line 4, column 1/],
    ['binary', 'a: 1\nb\0c', 'lab.yaml is not a text file.', /Line 2, column 2/],
    ['not UTF-8', 'name: \ufffd', 'lab.yaml is not a text file.', /Line 1, column 7/],
    ['a key twice', 'name: a\nname: b\n', 'lab.yaml is not valid YAML.', /line 2, column 1.*unique/],
    ['a tag', 'name: !!js/function x\n', 'lab.yaml is not valid YAML.', /line 1, column 7/],
    ['two documents', 'a: 1\n---\nb: 2\n', 'lab.yaml is not valid YAML.', /line 2, column 1/],
    ['an alias bomb', bomb, 'lab.yaml cannot be read.', /aliases/],
    ['an alias to nothing', 'name: *nobody\n', 'lab.yaml cannot be read.', /aliases.*nobody/],
    ['more than a megabyte', `# ${'x'.repeat(1_000_001)}\n`, 'lab.yaml is too big for a profile.', /1000 kB/],
    ['nested without end', `a: ${'['.repeat(100_000)}`, /lab\.yaml (is|cannot)/, /./],
    ['nested too deeply', `a: ${'['.repeat(200)}${']'.repeat(200)}`, 'lab.yaml is nested too deeply.', /line 1/],
    [
      'a newer version’s',
      GOOD.replace('schemaVersion: 1', 'schemaVersion: 7'),
      'This profile was made by a newer etcd-wizard.',
      /schemaVersion is 7/,
    ],
  ])('%s', (_title, text, what, why) => {
    const error = errorOf(text);
    expect(error.message).toMatch(what);
    expect(error.why).toMatch(why);
    expect(error.exitCode).toBe(65);
  });

  it('a prototype is not reached', () => {
    expect(problems(`${GOOD}__proto__: { topology: stacked }\n`)).toEqual([
      expect.stringContaining('__proto__ (line 8)'),
    ]);
    expect(({} as Record<string, unknown>).topology).toBeUndefined();
  });
});
