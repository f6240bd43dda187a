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
