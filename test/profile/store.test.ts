import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DraftStore } from '../../src/profile/drafts.ts';
import type { ProfileFile } from '../../src/profile/schema.ts';
import { isPath, ProfileStore } from '../../src/profile/store.ts';

const LAB: ProfileFile = { schemaVersion: 1, name: 'lab', hosts: [{ name: 'pi1', address: '10.0.11.1' }] };
const mode = (path: string) => statSync(path).mode & 0o777;

let root: string;
let store: ProfileStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'profiles-'));
  store = new ProfileStore(join(root, 'etcd-wizard'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const put = (name: string, text: string | Buffer, rights = 0o600): string => {
  mkdirSync(store.folder, { recursive: true });
  writeFileSync(join(store.folder, `${name}.yaml`), text, { mode: rights });
  return join(store.folder, `${name}.yaml`);
};
const TEXT =
  '# mine\nschemaVersion: 1\nname: lab # its name\nhosts:\n  - { name: pi1, address: 10.0.11.1 } # kitchen\n';

describe('saving', () => {
  it('writes a file of 0600 in a folder of 0700, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      const path = await store.save(LAB);
      expect(path).toBe(join(root, 'etcd-wizard/profiles/lab.yaml'));
      expect([mode(path), mode(store.folder), mode(join(root, 'etcd-wizard'))]).toEqual([0o600, 0o700, 0o700]);
      expect(readdirSync(store.folder)).toEqual(['lab.yaml']);
    } finally {
      process.umask(before);
    }
  });

  it('does not take a name that is taken, unless it is told to; comments stay then', async () => {
    put('lab', TEXT);
    await expect(store.save(LAB)).rejects.toMatchObject({ code: 'bad-input', exitCode: 65 });
    expect(readFileSync(store.path('lab'), 'utf8')).toBe(TEXT);
    await store.save({ ...LAB, topology: 'external' }, { replace: true });
    expect(readFileSync(store.path('lab'), 'utf8')).toBe(`${TEXT}topology: external\n`);
  });

  it('a bad profile is not saved, and everything that is wrong is named', async () => {
    const bad = { ...LAB, name: '../../x', topology: 'inside' } as unknown as ProfileFile;
    await expect(store.save(bad)).rejects.toMatchObject({
      code: 'bad-profile',
      why: expect.stringMatching(/name \(line \d+\).*\n.*topology/),
    });
    expect(existsSync(join(root, 'x.yaml'))).toBe(false);
    expect(existsSync(store.folder)).toBe(false);
  });

  it.each(['../../x', 'a/b', '..', '', 'A', 'a.b', '-a', 'x'.repeat(64), 'a\nb'])(
    'the name %j leads nowhere',
    (name) => {
      expect(() => store.path(name)).toThrow(/neither a saved profile nor a path/);
    },
  );
});

describe('loading', () => {
  it('a saved name and a path lead to the same profile', async () => {
    const path = put('lab', TEXT);
    const byName = await store.load('lab');
    const byPath = await store.load(path);
    expect(byName.profile).toEqual(byPath.profile);
    expect([byName.stored, byPath.stored]).toEqual([true, false]);
    expect(byName.text).toBe(TEXT);
  });

  it.each([
    ['lab', false],
    ['./lab', true],
    ['lab.yaml', true],
    ['lab.YML', true],
    ['/x/lab', true],
  ])('%s is a path: %s', (reference, expected) => {
    expect(isPath(reference)).toBe(expected);
  });

  it('takes others’ rights away from a file that was left open', async () => {
    const path = put('lab', TEXT, 0o644);
    chmodSync(path, 0o644);
    chmodSync(store.folder, 0o755);
    await store.load('lab');
    expect([mode(path), mode(store.folder)]).toEqual([0o600, 0o700]);
  });

  it.each([
    ['a half-written file', 'schemaVersion: 1\nhosts: [', /not valid YAML/],
    ['an empty file', '', /is empty/],
    ['a list', '- 1\n', /a problem/],
    ['bytes', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]), /not a text file/],
    ['more than a megabyte', 'x'.repeat(1_000_001), /too big/],
    ['another cluster’s profile', TEXT.replace('name: lab', 'name: other'), /another name/],
  ])('%s gives an error and stays as it is', async (_title, content, message) => {
    const path = put('lab', content);
    await expect(store.load('lab')).rejects.toMatchObject({
      code: 'bad-profile',
      message: expect.stringMatching(message),
    });
    expect(readFileSync(path).equals(Buffer.from(content))).toBe(true);
  });

  it.each([
    ['gone', 'There is no saved profile named gone.'],
    ['./gone.yaml', /There is no file .*gone\.yaml/],
  ])('%s is not there', async (reference, message) => {
    await expect(store.load(reference)).rejects.toMatchObject({
      code: 'no-such-profile',
      exitCode: 65,
      message: expect.stringMatching(message),
    });
    expect(existsSync(store.folder)).toBe(false);
  });

  it('a folder is no profile', async () => {
    await expect(store.load(root)).rejects.toMatchObject({ code: 'bad-profile' });
  });

  it('the list names what cannot be used, and leaves out what is no profile', async () => {
    put('lab', TEXT);
    put('broken', 'name: [');
    writeFileSync(join(store.folder, 'notes.txt'), '');
    writeFileSync(join(store.folder, '.lab.yaml.tmp'), '');
    expect(await store.list()).toEqual([
      {
        name: 'broken',
        path: store.path('broken'),
        hosts: 0,
        topology: '',
        problem: expect.stringContaining('not valid YAML'),
      },
      { name: 'lab', path: store.path('lab'), hosts: 1, topology: 'external' },
    ]);
  });
});

describe('recording what was decided once', () => {
  const withToken = (file: ProfileFile): ProfileFile => ({ ...file, etcd: { ...file.etcd, token: 'lab-1' } });

  it('a stored profile is rewritten with its comments, and only when something changed', async () => {
    const path = put('lab', TEXT);
    expect(await store.record(await store.load('lab'), withToken)).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(`${TEXT}etcd:\n  token: lab-1\n`);
    const { ino, mtimeMs } = statSync(path);
    expect(await store.record(await store.load('lab'), withToken)).toBe(false);
    expect(statSync(path)).toMatchObject({ ino, mtimeMs });
  });

  it('one given by path is never rewritten', async () => {
    const path = join(root, 'given.yaml');
    writeFileSync(path, TEXT);
    expect(await store.record(await store.load(path), withToken)).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe(TEXT);
  });

  it('a link to the file stays a link', async () => {
    mkdirSync(store.folder, { recursive: true });
    writeFileSync(join(root, 'real.yaml'), TEXT);
    symlinkSync(join(root, 'real.yaml'), store.path('lab'));
    await store.record(await store.load('lab'), withToken);
    expect(readFileSync(join(root, 'real.yaml'), 'utf8')).toContain('lab-1');
    expect(readFileSync(store.path('lab'), 'utf8')).toContain('lab-1');
  });
});

describe('the draft of a wizard', () => {
  const draft = {
    version: 1,
    answers: { name: 'lab', hosts: [{ name: 'pi1', address: '10.0.11.1', dnsNames: [], ssh: {} }] },
    answered: ['name'],
    typed: { hosts: '10.0.' },
    current: 'hosts',
  } as const;

  it('is kept with 0600 and given back; nothing worth keeping forgets it', async () => {
    const drafts = new DraftStore(join(root, 'state'));
    expect(await drafts.load()).toBeUndefined();
    await drafts.save(structuredClone(draft) as never);
    expect(mode(drafts.path)).toBe(0o600);
    expect(await drafts.load()).toEqual(draft);
    await drafts.save(undefined);
    expect(existsSync(drafts.path)).toBe(false);
  });

  it.each([
    '',
    '{',
    'null',
    '{"version":2}',
    JSON.stringify({ ...draft, current: 'nothing' }),
    JSON.stringify({ ...draft, answers: { hosts: 'x' } }),
  ])('%s is not offered', async (text) => {
    const drafts = new DraftStore(root);
    writeFileSync(drafts.path, text);
    expect(await drafts.load()).toBeUndefined();
  });
});
