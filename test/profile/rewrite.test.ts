import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readProfile } from '../../src/profile/read.ts';
import { rewriteProfile, writeProfile } from '../../src/profile/rewrite.ts';
import type { ProfileFile } from '../../src/profile/schema.ts';

const TEXT = `# my cluster
schemaVersion: 1
name: lab # the name

hosts:
  # the one in the kitchen
  - name: pi1
    address: 10.0.11.1 # fixed in the router
  # the one in the attic
  - name: pi2
    address: 10.0.11.2
  # the one in the cellar
  - name: pi3
    address: '10.0.11.3'
etcd:
  version: "3.5.16" # in quotes
`;
const file = (): ProfileFile => readProfile(TEXT, 'lab.yaml').file;
const rewritten = (change: (file: ProfileFile) => void): string => {
  const changed = file();
  change(changed);
  const text = rewriteProfile(TEXT, changed);
  expect(parse(text)).toEqual(JSON.parse(JSON.stringify(changed)));
  return text;
};

describe('rewriting a profile', () => {
  it('the same values leave the text as it is', () => {
    expect(rewritten(() => undefined)).toBe(TEXT);
  });

  it('a value that changes keeps the comment on its line, and every other line', () => {
    const text = rewritten((profile) => {
      profile.hosts[0] = { ...profile.hosts[0], name: 'pi1', address: '10.0.11.9' };
    });
    expect(text).toBe(TEXT.replace('10.0.11.1 #', '10.0.11.9 #'));
  });

  it('what is recorded is added, comments stay', () => {
    const text = rewritten((profile) => {
      profile.etcd = { ...profile.etcd, token: 'lab-1f0c' };
      profile.ca = { fingerprint: 'SHA256:AB' };
    });
    expect(text).toBe(`${TEXT}  token: lab-1f0c\nca:\n  fingerprint: SHA256:AB\n`);
  });

  const ETCD = 'etcd:\n  token: a-b\n  extraArgs:\n    note: "x: y, # z"\n';
  it.each([
    [
      'aligned comments',
      'schemaVersion: 1\nname: lab            # its name\nhosts:\n  - name: a           # first\n    address: 10.0.0.1 # fixed\n\n# the end\n',
      `schemaVersion: 1\nname: lab            # its name\nhosts:\n  - name: a           # first\n    address: 10.0.0.9 # fixed\n${ETCD}\n# the end\n`,
    ],
    [
      'no newline at the end',
      'schemaVersion: 1\nhosts: [{name: a,   address: 10.0.0.1}]\nname: lab',
      `schemaVersion: 1\nhosts: [{name: a,   address: 10.0.0.9}]\nname: lab\n${ETCD}`,
    ],
    [
      'Windows line ends',
      'schemaVersion: 1\r\nname: lab\r\nhosts: [ {name: a, address: 10.0.0.1} ]\r\n',
      `schemaVersion: 1\r\nname: lab\r\nhosts: [ {name: a, address: 10.0.0.9} ]\r\n${ETCD}`,
    ],
  ])('%s: every other byte stays', (_title, before, expected) => {
    const after = readProfile(before, 'x.yaml').file;
    after.hosts[0] = { ...after.hosts[0], name: 'a', address: '10.0.0.9' };
    after.etcd = { token: 'a-b', extraArgs: { note: 'x: y, # z' } };
    expect(rewriteProfile(before, after)).toBe(expected);
    expect(readProfile(expected, 'x.yaml').file).toEqual(after);
  });

  it('a sum is added inside braces, a version inside a block', () => {
    const before =
      'schemaVersion: 1\nname: lab\nhosts: [ { name: a, address: 10.0.0.1 } ]\netcd:\n  # from the web\n  install: archive   # not the package\n  archives: [ { arch: arm64, path: ./x.tgz } ]  # here\nca: { source: self-signed }\n';
    const after = readProfile(before, 'x.yaml').file;
    after.etcd = {
      ...after.etcd,
      archives: [{ arch: 'arm64', path: './x.tgz', sha256: 'a'.repeat(64) }],
      version: '3.5.16',
    };
    after.ca = { source: 'self-signed', fingerprint: 'SHA256:AB:CD' };
    expect(rewriteProfile(before, after)).toBe(
      before
        .replace('./x.tgz }', `./x.tgz, sha256: ${'a'.repeat(64)} }`)
        .replace('# here\n', '# here\n  version: 3.5.16\n')
        .replace('self-signed }', 'self-signed, fingerprint: SHA256:AB:CD }'),
    );
  });

  it('a host that goes takes its own comment along, not its neighbour’s', () => {
    const text = rewritten((profile) => {
      profile.hosts.splice(1, 1);
    });
    expect(text).toContain('# the one in the cellar');
    expect(text).toContain('# the one in the kitchen');
    expect(text).toMatch(/pi3\n {4}address: '10.0.11.3'/);
  });

  it('text that looks like a number stays text', () => {
    const text = rewritten((profile) => {
      profile.etcd = { extraArgs: { 'quota-backend-bytes': '8589934592', note: '0x10' } };
    });
    expect(text).toContain('quota-backend-bytes: "8589934592"');
  });

  it('values shared by an anchor are written out rather than changed for both', () => {
    const shared = `schemaVersion: 1\nname: lab\nhosts:\n  - { name: a, address: 10.0.0.1, ssh: &way { user: pi } }\n  - { name: b, address: 10.0.0.2, ssh: *way }\n`;
    const { file: before } = readProfile(shared, 'x.yaml');
    const after = structuredClone(before);
    after.hosts[0] = { ...after.hosts[0], name: 'a', address: '10.0.0.1', ssh: { user: 'root' } };
    const read = readProfile(rewriteProfile(shared, after), 'x.yaml').profile;
    expect(read.hosts.map(({ ssh }) => ssh.user)).toEqual(['root', 'pi']);
  });

  it('a new profile says what it is and reads back as it was', () => {
    const text = writeProfile(file());
    expect(text).toContain('etcd-wizard replay lab');
    expect(readProfile(text, 'lab.yaml').file).toEqual(file());
  });
});
