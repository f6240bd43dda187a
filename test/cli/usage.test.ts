/** What is typed wrongly, and files that are not what they should be: exit code, words, next step, JSON. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openssl } from '../pki/support.ts';
import type { Result } from '../setup/process.ts';
import { Home } from './command.ts';

const home = new Home();
const at = (name: string) => join(home.path, name);

const PROFILE = `schemaVersion: 1
name: homelab
hosts:
  - { name: pi1, address: 127.0.0.9, ssh: { port: 1 } }
`;

beforeAll(async () => {
  await writeFile(at('ok.yaml'), PROFILE);
  for (const name of ['a', 'b']) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}-key.pem`)];
    expect(openssl(['req', '-x509', ...key, '-out', at(`${name}.pem`), '-subj', `/CN=${name}`]).code).toBe(0);
  }
  await writeFile(at('cut.pem'), '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');
  await writeFile(at('secret'), 'hunter2\n', { mode: 0o644 });
  await mkdir(at('folder'));
});

/** One JSON document on standard output, and it is the error. */
function errorIn({ stdout }: Result): { code: string; what: string; next: string[] } {
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return (JSON.parse(stdout) as { error: { code: string; what: string; next: string[] } }).error;
}

describe('usage errors end with 64, say what is wrong and what to type next', () => {
  it.each<[args: string, words: RegExp]>([
    ['bogus', /Unknown command 'bogus'/],
    ['repla x', /Did you mean replay/],
    ['--bogus', /Unknown option '--bogus'/],
    ['plan', /Missing required argument 'profile'/],
    ['plan a b', /Too many arguments/],
    ['plan x --bogus', /Unknown option/],
    ['replay x --take-over', /argument missing/],
    ['replay ./ok.yaml --take-over pi9', /names no host of homelab: pi9/],
    ['replay ./ok.yaml --log-file', /argument missing/],
    ['certs export ok.yaml', /--client/],
    ['certs bogus', /Unknown command/],
    ['profile bogus', /Unknown command/],
    ['profile show', /Missing required argument/],
    ['try --members 0', /between 1 and 9/],
    ['try --members two', /between 1 and 9/],
    ['health --interval 0', /between 0.2 and 3600/],
    ['health --watch --once', /cannot be used with/],
    ['health --endpoints ftp://x', /is no endpoint/],
    ['health --endpoints ,', /No endpoint/],
    ['health ok.yaml --endpoints https://127.0.0.1:1', /Either a profile or --endpoints/],
    ['health --endpoints https://127.0.0.1:1 --cert a.pem', /without its key/],
    ['plan .', /neither a saved profile nor a path/],
    ['profile delete homelab --json', /./],
    ['new', /input ended/],
  ])('%s', async (args, words) => {
    const plain = await home.run(args.split(' '));
    // A profile that is not saved is bad input, not bad usage.
    const code = args.startsWith('profile delete') ? 65 : 64;
    expect(plain.code, plain.stderr).toBe(code);
    if (args.includes('--json')) return;
    expect(plain.stderr).toMatch(words);
    expect(plain.stderr).toContain('Next:');
    const json = await home.run(['--json', ...args.split(' ')]);
    expect(json.code).toBe(code);
    expect(errorIn(json).what.length).toBeGreaterThan(0);
    expect(errorIn(json).next.length).toBeGreaterThan(0);
  });

  it('no terminal: the app and questions name what to type instead', async () => {
    for (const args of [[], ['--plain'], ['--no-color']]) {
      const app = await home.run(args);
      expect(app.code).toBe(64);
      expect(app.stderr).toContain('etcd-wizard try --once');
    }
    const imported = await home.run(['profile', 'import', './ok.yaml']);
    expect(imported.code).toBe(64);
    expect(imported.stderr).toContain('--yes');
  });

  it('a group of commands without a command shows its help', async () => {
    for (const group of ['certs', 'profile']) {
      const result = await home.run([group]);
      expect(result.code).toBe(64);
      expect(result.stdout).toBe('');
      expect(result.stderr).toMatch(/^Examples:\n {2}etcd-wizard /);
      expect(errorIn(await home.run([group, '--json'])).next.join()).toContain(`etcd-wizard ${group} --help`);
    }
  });
});

it.each([
  '',
  'new',
  'try',
  'plan',
  'replay',
  'health',
  'certs',
  'certs export',
  'profile',
  'profile list',
  'profile show',
  'profile validate',
  'profile path',
  'profile delete',
  'profile import',
  'profile export',
])('%s --help begins with examples of that command', async (command) => {
  const help = await home.run([...command.split(' ').filter(Boolean), '--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toMatch(new RegExp(`^Examples:\n {2}etcd-wizard ${command}`));
  expect(help.stdout).toContain('--json');
});

describe('files that are not what they should be end with 65', () => {
  it.each<[name: string, content: string | Buffer, words: RegExp]>([
    ['not YAML', 'schemaVersion: 1\nhosts:\n  - name: a\n   address: b\n', /line 4, column 1/],
    ['empty', '', /is empty/],
    ['binary', Buffer.from([0xff, 0xfe, 0, 0x41]), /not a text file/],
    ['a list', '- 1\n', /expected fields/],
    ['of a later version', 'schemaVersion: 2\n', /newer etcd-wizard/],
    [
      'wrong everywhere',
      'schemaVersion: 1\nname: X\nhosts: []\nfoo: 1\n',
      /name .*line 2.*\n(.*\n)*.*hosts.*line 3.*\n(.*\n)*.*foo.*line 4/,
    ],
    ['too big', Buffer.alloc(1_100_000, 'a'), /too big/],
    [
      'an explosion of aliases',
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]\n',
      /aliases/,
    ],
  ])('a profile that is %s', async (_name, content, words) => {
    await writeFile(at('bad.yaml'), content);
    for (const command of ['plan', 'replay', 'health']) {
      const result = await home.run([command, './bad.yaml']);
      expect(result.code).toBe(65);
      expect(result.stdout).toBe('');
      expect(result.stderr).toMatch(words);
      expect(result.stderr).toContain('Next:');
    }
    expect(errorIn(await home.run(['plan', './bad.yaml', '--json'])).code).toBe('bad-profile');
    const validated = await home.run(['profile', 'validate', './bad.yaml', '--json']);
    expect(validated.code).toBe(65);
    expect(() => JSON.parse(validated.stdout) as unknown).not.toThrow();
  });

  it.each<[args: string, words: RegExp]>([
    ['plan nosuch', /no saved profile named nosuch/],
    ['plan ./nosuch.yaml', /no file/],
    ['plan ../../etc/passwd', /./],
    ['certs export ok.yaml --client nobody --out out', /no client «nobody»/],
    ['replay ok.yaml --sudo-password-file nosuch', /secret file nosuch/],
    ['replay ok.yaml --sudo-password-file secret', /Other users of this machine may read it/],
    ['health --endpoints h:1 --cacert nosuch', /no such file/],
    ['health --endpoints h:1 --cacert folder', /It is a folder/],
    ['health --endpoints h:1 --cacert a-key.pem', /holds no certificate/],
    ['health --endpoints h:1 --cacert cut.pem', /damaged/],
    ['health --endpoints h:1 --cacert a.pem --cert a.pem --key b-key.pem', /does not belong to the certificate/],
    ['health --endpoints h:1 --cacert a.pem --cert a.pem --key a.pem', /holds no private key/],
  ])('%s', async (args, words) => {
    const result = await home.run(args.split(' '));
    expect(result.code, result.stderr).toBe(65);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(words);
    expect(result.stderr).not.toContain('hunter2');
    const json = await home.run([...args.split(' '), '--json']);
    expect(json.code).toBe(65);
    expect(errorIn(json).what).not.toBe('');
  });
});

describe('--json writes JSON alone to standard output', () => {
  it.each<[args: string, code: number]>([
    ['plan ./ok.yaml', 1],
    ['replay ./ok.yaml --yes', 1],
    ['replay ./ok.yaml --dry-run', 1],
    ['health ./ok.yaml', 6],
    ['health --endpoints https://127.0.0.1:1 --once', 1],
    ['certs export ./ok.yaml --client root --out out', 1],
    ['profile import ./ok.yaml --yes', 0],
    ['profile list', 0],
    ['profile show homelab', 0],
    ['profile path homelab', 0],
    ['profile validate homelab', 0],
    ['profile export homelab', 0],
    ['profile export homelab ./copy.yaml', 0],
    ['profile delete homelab --yes', 0],
  ])('%s', async (args, code) => {
    const result = await home.run([...args.split(' '), '--json']);
    expect(result.code, result.stderr).toBe(code);
    const lines = result.stdout.trim().split('\n');
    // Long work is one event a line, everything else one document.
    if (!args.startsWith('replay') || args.includes('--dry-run')) expect(lines).toHaveLength(1);
    for (const line of lines) expect(typeof JSON.parse(line)).toBe('object');
  });
});
