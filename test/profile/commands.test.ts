import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as profile from '../../src/commands/profile.ts';
import { WizardError } from '../../src/errors.ts';
import { controllerPaths } from '../../src/state/paths.ts';

const TEXT = `# mine
schemaVersion: 1
name: lab
hosts:
  - { name: pi1, address: 10.0.11.1, ssh: { user: pi, jump: bastion } }
etcd:
  install: archive
  archives: [{ arch: arm64, url: "https://example.org/etcd.tar.gz" }]
  extraArgs: { quota-backend-bytes: 8589934592 }
`;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'commands-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A command's surroundings; `answers` is typed by the person. */
function surroundings(flags: { json?: boolean; yes?: boolean } = {}, answers?: string) {
  const [out, err]: [string[], string[]] = [[], []];
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  if (answers !== undefined) stdin.end(answers);
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    stdin: stdin as unknown as NodeJS.ReadStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    environment: { TERM: 'dumb' },
    flags: { plain: false, json: false, yes: false, color: false, verbose: false, ...flags },
    paths: controllerPaths({ HOME: root }),
    interactive: answers !== undefined,
    signal: new AbortController().signal,
  };
  return { io, out, err };
}
const file = (text = TEXT): string => {
  const path = join(root, 'given.yaml');
  writeFileSync(path, text);
  return path;
};
const imported = () => profile.importFile(surroundings({ yes: true }).io, file());
const saved = () => join(root, '.config/etcd-wizard/profiles/lab.yaml');

describe('profile import', () => {
  it('shows what it would reach, asks, and saves the text with its comments', async () => {
    const { io, out, err } = surroundings({}, 'y\n');
    expect(await profile.importFile(io, file())).toBe(0);
    expect(err.join('\n')).toMatch(
      /pi1 {2}10\.0\.11\.1 {2}over ssh pi@10\.0\.11\.1 through bastion[\s\S]*https:\/\/example\.org\/etcd\.tar\.gz {2}\(no SHA-256 given\)[\s\S]*--quota-backend-bytes=8589934592/,
    );
    expect(out).toEqual([`Saved ${saved()}`]);
    expect(readFileSync(saved(), 'utf8')).toBe(TEXT);
    expect(statSync(saved()).mode & 0o777).toBe(0o600);
  });

  it('declined: nothing is saved, exit 0', async () => {
    expect(await profile.importFile(surroundings({}, 'n\n').io, file())).toBe(0);
    expect(existsSync(saved())).toBe(false);
  });

  it('without a terminal it names --yes and ends with 64', async () => {
    await expect(profile.importFile(surroundings().io, file())).rejects.toMatchObject({
      exitCode: 64,
      next: [expect.stringContaining('--yes')],
    });
    expect(existsSync(saved())).toBe(false);
  });

  it('a name that is taken is not overwritten; another name is possible', async () => {
    await imported();
    await expect(imported()).rejects.toMatchObject({ code: 'bad-input', exitCode: 65 });
    const { io, out } = surroundings({ yes: true, json: true });
    expect(await profile.importFile(io, file(), { name: 'other' })).toBe(0);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ name: 'other' });
    expect(readFileSync(saved().replace('lab.yaml', 'other.yaml'), 'utf8')).toBe(
      TEXT.replace('name: lab', 'name: other'),
    );
  });

  it.each(['../../x', 'Lab'])('cannot be saved as %s', async (name) => {
    await expect(profile.importFile(surroundings({ yes: true }).io, file(), { name })).rejects.toMatchObject({
      exitCode: 64,
    });
  });
});

describe('profile validate', () => {
  it('a good one', async () => {
    const { io, out } = surroundings();
    expect(await profile.validate(io, file())).toBe(0);
    expect(out).toEqual([`${join(root, 'given.yaml')} is a valid profile: lab, 1 host.`]);
  });

  it('every problem, a line each, and 65; the same as JSON', async () => {
    const path = file(TEXT.replace('10.0.11.1', '10.0.11').replace('arm64', 'arm'));
    const lines = surroundings();
    expect(await profile.validate(lines.io, path)).toBe(65);
    expect(lines.out).toEqual([
      expect.stringMatching(/^hosts\[0\]\.address \(line 5\)/),
      expect.stringMatching(/^etcd\.archives\[0\]\.arch \(line 8\)/),
    ]);
    const json = surroundings({ json: true });
    expect(await profile.validate(json.io, path)).toBe(65);
    expect(JSON.parse(json.out.join(''))).toEqual({
      valid: false,
      path,
      problems: [
        {
          field: 'hosts[0].address',
          value: '«10.0.11»',
          expected: 'an IPv4 or IPv6 address such as 10.0.11.1',
          line: 5,
        },
        { field: 'etcd.archives[0].arch', value: '«arm»', expected: 'one of amd64, arm64, ppc64le, s390x', line: 8 },
      ],
    });
  });

  it('what is no YAML at all', async () => {
    const path = file('name: [');
    await expect(profile.validate(surroundings().io, path)).rejects.toMatchObject({
      code: 'bad-profile',
      exitCode: 65,
    });
    const { io, out } = surroundings({ json: true });
    expect(await profile.validate(io, path)).toBe(65);
    expect(JSON.parse(out.join(''))).toMatchObject({
      valid: false,
      path,
      problems: [],
      error: { code: 'bad-profile' },
    });
  });

  it('what is not there', async () => {
    for (const work of [profile.validate, profile.path, profile.show])
      await expect(work(surroundings().io, 'gone')).rejects.toMatchObject({ code: 'no-such-profile', exitCode: 65 });
    const folder = profile.validate(surroundings().io, root);
    await expect(folder).rejects.toMatchObject({ message: expect.stringContaining('is not a file'), exitCode: 65 });
  });
});

describe('saved profiles', () => {
  it('list, show, path, export', async () => {
    await imported();
    const run = async (work: (io: profile.ProfileIo) => Promise<number>, json = false): Promise<string> => {
      const { io, out } = surroundings({ json });
      expect(await work(io)).toBe(0);
      return out.join('\n');
    };
    expect(await run(profile.list)).toBe('lab  1 host, external');
    expect(JSON.parse(await run(profile.list, true))).toEqual({
      profiles: [{ name: 'lab', path: saved(), hosts: 1, topology: 'external' }],
    });
    expect(await run((io) => profile.show(io, 'lab'))).toBe(TEXT.trimEnd());
    expect(JSON.parse(await run((io) => profile.show(io, 'lab'), true))).toMatchObject({
      name: 'lab',
      etcd: { clientPort: 2379 },
    });
    expect(await run((io) => profile.path(io, 'lab'))).toBe(saved());
    expect(await run((io) => profile.exportFile(io, 'lab'))).toBe(TEXT.trimEnd());
    const target = join(root, 'out.yaml');
    expect(await run((io) => profile.exportFile(io, 'lab', target))).toBe(target);
    expect(readFileSync(target, 'utf8')).toBe(TEXT);
  });

  it('an empty list says how to begin', async () => {
    const { io, out, err } = surroundings();
    expect(await profile.list(io)).toBe(0);
    expect([out, err]).toEqual([[], ['No profile is saved yet. Make one: etcd-wizard new']]);
  });

  it('export does not replace another file without asking', async () => {
    await imported();
    const target = join(root, 'out.yaml');
    writeFileSync(target, 'precious');
    await expect(profile.exportFile(surroundings().io, 'lab', target)).rejects.toBeInstanceOf(WizardError);
    expect(await profile.exportFile(surroundings({}, '\n').io, 'lab', target)).toBe(0);
    expect(readFileSync(target, 'utf8')).toBe('precious');
  });

  it('delete asks, and says what stays', async () => {
    await imported();
    const declined = surroundings({}, '\n');
    expect(await profile.remove(declined.io, 'lab')).toBe(0);
    expect(existsSync(saved())).toBe(true);
    expect(declined.err.join('\n')).toContain('certificates stay');
    await expect(profile.remove(surroundings().io, 'lab')).rejects.toMatchObject({ exitCode: 64 });
    expect(await profile.remove(surroundings({ yes: true }).io, 'lab')).toBe(0);
    expect(existsSync(saved())).toBe(false);
    await expect(profile.remove(surroundings({ yes: true }).io, 'lab')).rejects.toMatchObject({ exitCode: 65 });
  });

  it('show cannot carry escapes to the terminal', async () => {
    const path = file(`${TEXT}# \x1b[2J\u202e\n`);
    const { io, out } = surroundings();
    expect(await profile.show(io, path)).toBe(0);
    expect(out.join('')).toContain('# \\x1b[2J\\u{202e}');
  });
});
