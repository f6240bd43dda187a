import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WizardError } from '../../src/errors.ts';
import { putBundle } from '../../src/remote/bundle.ts';
import { anchorOf, bundleStream } from '../../src/remote/bundle-stream.ts';
import { localTransport } from '../../src/remote/local.ts';
import { BOOT, scriptThenInput } from '../../src/remote/scripts/boot.ts';
import { PUT_SCRIPT } from '../../src/remote/scripts/put.ts';
import type { FileBundle, RemoteFile } from '../../src/remote/transport.ts';
import { prependPath, shells, temporary } from './shells.ts';

const root = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = temporary();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const transport = localTransport('pi1');
const put = (bundle: Partial<FileBundle>) =>
  putBundle(transport, { folders: [], files: [], versioned: [], ...bundle }, { privileged: false });
const file = (name: string, content: string, more: Partial<RemoteFile> = {}): RemoteFile => ({
  path: join(folder, name),
  content: Buffer.from(content),
  mode: 0o640,
  ...more,
});
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const mode = (name: string) => lstatSync(join(folder, name)).mode & 0o7777;
/** Everything below the folder that is ours and temporary. */
const leftovers = () =>
  execFileSync('find', [folder, '-name', '.etcd-wizard.*']).toString().trim().split('\n').filter(Boolean);
const versioned = (version: string, files: Record<string, string>) => ({
  folder: join(folder, 'ssl'),
  version,
  mode: 0o750,
  files: Object.entries(files).map(([name, content]) => file(`ssl/${name}`, content, { mode: 0o400 })),
});

async function failure(promise: Promise<unknown>): Promise<WizardError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof WizardError)) throw new Error(`no WizardError but ${thrown}`);
  return thrown;
}

describe.each(shells())('under $name', ({ use }) => {
  let undo: () => void;
  beforeEach(() => {
    undo = use();
  });
  afterEach(() => undo());

  it('puts thirty files with folders, modes and odd names, and nothing else', async () => {
    const odd = ['it\'s $(touch x) `y` "z".pem', '-rf', '*', '.hidden', ' lead and trail ', 'a;b&c|d', '#x', '~'];
    const names = [...odd, ...Array.from({ length: 22 }, (_, index) => `f${index}`)];
    await put({
      folders: [{ path: join(folder, 'a b/$c'), mode: 0o750 }],
      files: names.map((name, index) =>
        file(`a b/$c/${name}`, `content of ${name}\n\0`, { mode: index % 2 ? 0o400 : 0o644 }),
      ),
    });
    expect(readdirSync(join(folder, 'a b/$c')).sort()).toEqual(names.toSorted());
    expect(mode('a b/$c')).toBe(0o750);
    names.forEach((name, index) => {
      expect(read(`a b/$c/${name}`)).toBe(`content of ${name}\n\0`);
      expect(mode(`a b/$c/${name}`)).toBe(index % 2 ? 0o400 : 0o644);
    });
  });

  it.runIf(root)('sets owners, and keeps owner and mode of what it backs up', async () => {
    mkdirSync(join(folder, 'etc'));
    writeFileSync(join(folder, 'etc/old'), 'before');
    chmodSync(join(folder, 'etc/old'), 0o604);
    chownSync(join(folder, 'etc/old'), 65534, 65534);
    symlinkSync('/etc/passwd', join(folder, 'etc/link'));
    const backupFolder = join(folder, 'backups/homelab/1');
    const bundle = {
      folders: [{ path: join(folder, 'etc'), mode: 0o750, owner: 'root', group: 'nogroup' }],
      files: [
        file('etc/old', 'after', { owner: 'daemon', group: 'daemon' }),
        file('etc/link', 'mine'),
        file('etc/new', ''),
      ],
      backupFolder,
    };
    await put(bundle);
    await put({ ...bundle, files: [file('etc/old', 'later')] });
    const kept = join(backupFolder, folder, 'etc');
    expect(readdirSync(kept).sort()).toEqual(['link', 'old']);
    expect(readFileSync(join(kept, 'old'), 'utf8'), 'the first backup stays').toBe('before');
    expect(lstatSync(join(kept, 'old'))).toMatchObject({ uid: 65534, gid: 65534, mode: 0o100604 });
    expect(readlinkSync(join(kept, 'link'))).toBe('/etc/passwd');
    expect(lstatSync(backupFolder).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(folder, 'etc/link')).isFile(), 'a link is replaced, not followed').toBe(true);
    expect(lstatSync(join(folder, 'etc')).gid).toBe(65534);
    expect(leftovers()).toEqual([]);
  });

  it('switches a versioned folder as a whole, keeps the version before and carries over what is not replaced', async () => {
    const current = () => readlinkSync(join(folder, 'ssl/.current'));
    await put({ versioned: [versioned('v1', { 'server.pem': 'one', 'ca.pem': 'ca' })] });
    expect(current()).toBe('.versions/v1');
    expect(readlinkSync(join(folder, 'ssl/server.pem'))).toBe('.current/server.pem');
    await put({ versioned: [versioned('v2', { 'server.pem': 'two' })] });
    expect([read('ssl/server.pem'), read('ssl/ca.pem'), current()]).toEqual(['two', 'ca', '.versions/v2']);
    await put({ versioned: [versioned('v3', { 'server.pem': 'three', '.dot': 'x' })] });
    expect(readdirSync(join(folder, 'ssl/.versions')).sort()).toEqual(['v2', 'v3']);
    await put({ versioned: [versioned('v3', { 'server.pem': 'again' })] });
    expect([read('ssl/server.pem'), read('ssl/ca.pem'), read('ssl/.dot')]).toEqual(['again', 'ca', 'x']);
    expect(mode('ssl/.current/server.pem')).toBe(0o400);
    expect(mode('ssl/.versions')).toBe(0o750);
    expect(leftovers()).toEqual([]);
  });

  it('makes plain files the first version before it turns them into links', async () => {
    mkdirSync(join(folder, 'ssl'));
    writeFileSync(join(folder, 'ssl/server.pem'), 'plain');
    writeFileSync(join(folder, 'ssl/other.pem'), 'not ours');
    await put({
      versioned: [versioned('v1', { 'server.pem': 'one', 'server-key.pem': 'key' })],
      backupFolder: join(folder, 'backup'),
    });
    expect([read('ssl/server.pem'), read('ssl/server-key.pem'), read('ssl/other.pem')]).toEqual([
      'one',
      'key',
      'not ours',
    ]);
    expect(read('ssl/.versions/v1.before/server.pem')).toBe('plain');
    expect(readFileSync(join(folder, 'backup', folder, 'ssl/server.pem'), 'utf8')).toBe('plain');
  });

  it('runs what comes afterwards with its output and status', async () => {
    expect(await put({ files: [file('a', 'a')], after: 'cat; echo done; echo "$#"' })).toEqual({ output: 'done\n0\n' });
    const error = await failure(put({ files: [file('a', 'b')], after: 'echo said; echo why >&2; exit 7' }));
    expect(error).toMatchObject({ code: 'remote', host: 'pi1', why: 'It ended with 7.', evidence: ['said', 'why'] });
    expect(read('a'), 'the files stay').toBe('b');
  });

  it.each([
    ['a folder in a file’s place', (path: string) => mkdirSync(path), 'is a folder where a file has to be'],
    ['a pipe in a file’s place', (path: string) => execFileSync('/usr/bin/mkfifo', [path]), 'is not a regular file'],
  ])('refuses %s before anything is replaced', async (_, make, why) => {
    writeFileSync(join(folder, 'first'), 'old');
    mkdirSync(join(folder, 'z'));
    make(join(folder, 'z/second'));
    const error = await failure(put({ files: [file('first', 'new'), file('z/second', 'new')] }));
    expect(error.why).toContain(`${join(folder, 'z/second')} ${why}`);
    expect(error.why).toContain('Nothing that was there has been changed.');
    expect(read('first')).toBe('old');
    expect(leftovers()).toEqual([]);
  });

  it('replaces a link to a folder instead of writing into the folder', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync('elsewhere', join(folder, 'target'));
    await put({ files: [file('target', 'x')] });
    expect(lstatSync(join(folder, 'target')).isFile()).toBe(true);
    expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
  });

  it.runIf(root)('does not follow a folder link that another account made', async () => {
    mkdirSync(join(folder, 'victim'));
    symlinkSync('victim', join(folder, 'link'));
    execFileSync('/usr/bin/chown', ['-h', 'daemon', join(folder, 'link')]);
    const error = await failure(
      put({ folders: [{ path: join(folder, 'link'), mode: 0o777 }], files: [file('link/f', 'x')] }),
    );
    expect(error.why).toContain('link that another account made');
    expect(mode('victim')).toBe(0o755);
    expect(readdirSync(join(folder, 'victim'))).toEqual([]);
    execFileSync('/usr/bin/chown', ['-h', 'root', join(folder, 'link')]);
    await put({ files: [file('link/f', 'x')] });
    expect(read('victim/f'), 'root’s own links are').toBe('x');
  });

  it.runIf(root)('names a full file system and leaves it as it was', async () => {
    mkdirSync(join(folder, 'small'));
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(folder, 'small')]);
    try {
      writeFileSync(join(folder, 'small/a'), 'old');
      for (const files of [
        [file('small/a', 'new'), file('small/b', 'x'.repeat(2_000_000))],
        [file('first', 'new'), file('small/a', 'new'), file('small/b', 'x'.repeat(2_000_000))],
      ]) {
        const error = await failure(put({ files }));
        expect(error.message).toBe(`The file system ${join(folder, 'small')} is full`);
        expect(read('small/a')).toBe('old');
        expect(existsSync(join(folder, 'first'))).toBe(false);
        expect(leftovers()).toEqual([]);
      }
    } finally {
      execFileSync('/usr/bin/umount', [join(folder, 'small')]);
    }
  });

  it('changes nothing when the stream is cut, wherever it is cut', async () => {
    writeFileSync(join(folder, 'a'), 'old');
    const bundle = {
      folders: [],
      files: [file('a', 'new'), file('b', 'y'.repeat(600))],
      versioned: [versioned('v1', { k: '1' })],
      after: 'echo ran',
    };
    const tar = await bundleStream(bundle);
    const stream = scriptThenInput(PUT_SCRIPT, tar);
    const whole = stream.length - 1024;
    const cuts = [0, 1, 511, 512, 700, 1024, 1536, 2048, 2560, 3072, 3500].map(
      (bytes) => stream.length - tar.length + bytes,
    );
    const inScript = [
      0,
      100,
      PUT_SCRIPT.indexOf('tar -x'),
      PUT_SCRIPT.indexOf('switch()'),
      PUT_SCRIPT.length,
      PUT_SCRIPT.length + 4,
    ];
    for (const bytes of [...inScript, ...cuts, whole - 512, whole - 1]) {
      const result = await transport.exec(BOOT, { input: stream.subarray(0, bytes), args: [anchorOf(bundle)] });
      expect(result.code, `cut at ${bytes}`).not.toBe(0);
      expect(result.stdout.toString()).toBe('');
      expect(readdirSync(folder), `cut at ${bytes}`).toEqual(['a']);
      expect(read('a')).toBe('old');
    }
  });

  it('refuses bytes that are not what was sent', async () => {
    const bundle = { folders: [], files: [file('a', 'the bytes')], versioned: [] };
    const stream = await bundleStream(bundle);
    stream[stream.indexOf('the bytes')] = 0x54;
    const result = await transport.exec(PUT_SCRIPT, { input: stream, args: [anchorOf(bundle)] });
    expect(result.stderr.toString()).toContain('@! the files did not arrive whole');
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('killed at any command, leaves old or new files, and the next put cleans up and ends the same', async () => {
  // Wrappers that count what the script calls and kill the script itself (their parent) at one of them.
  // In memory where there is such a folder: a hundred runs that each wait for the disk take long.
  const bin = temporary();
  if (existsSync('/dev/shm')) {
    rmSync(folder, { recursive: true });
    folder = temporary('/dev/shm');
  }
  for (const name of ['tar', 'mkdir', 'mv', 'cp', 'ln', 'chmod', 'sync', 'rm', 'sha256sum']) {
    const real = execFileSync('sh', ['-c', `command -v ${name}`])
      .toString()
      .trim();
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nread n <"${folder}/count"; read stop <"${folder}/stop"\necho $((n + 1)) >"${folder}/count"\n[ "$n" != "$stop" ] || { kill -9 $PPID; exit 1; }\nexec ${real} "$@"\n`,
      { mode: 0o755 },
    );
  }
  const start = () => {
    rmSync(join(folder, 'etc'), { recursive: true, force: true });
    rmSync(join(folder, 'ssl'), { recursive: true, force: true });
    mkdirSync(join(folder, 'etc'));
    mkdirSync(join(folder, 'ssl'));
    for (const name of ['etc/a', 'etc/b', 'ssl/cert', 'ssl/key']) writeFileSync(join(folder, name), 'old');
  };
  const bundle = (text: string): FileBundle => ({
    folders: [{ path: join(folder, 'etc'), mode: 0o755 }],
    files: [file('etc/a', text), file('etc/b', text)],
    versioned: [versioned(text, { cert: text, key: text })],
    backupFolder: join(folder, 'backups'),
  });
  const undo = prependPath(bin);
  let killed = 0;
  try {
    for (let stop = 1; ; stop++) {
      start();
      writeFileSync(join(folder, 'count'), '1\n');
      writeFileSync(join(folder, 'stop'), `${stop}\n`);
      const done = await put(bundle('new')).then(
        () => true,
        () => false,
      );
      const seen = ['etc/a', 'etc/b', 'ssl/cert', 'ssl/key'].map(read);
      expect(seen.every((text) => text === 'old' || text === 'new')).toBe(true);
      expect(seen[2], 'certificate and key change together').toBe(seen[3]);
      writeFileSync(join(folder, 'stop'), '0\n');
      await put(bundle('new'));
      expect(['etc/a', 'etc/b', 'ssl/cert', 'ssl/key'].map(read)).toEqual(['new', 'new', 'new', 'new']);
      expect(leftovers(), `killed at command ${stop}`).toEqual([]);
      if (done) break;
      killed++;
    }
  } finally {
    undo();
    rmSync(bin, { recursive: true });
  }
  expect(killed).toBeGreaterThan(15);
}, 120_000);

it.each(['relative', '/a/../b', '/a//b', '/a/b\nc', '/a\\b', '/a/', `/${'n'.repeat(81)}`, '/a/.etcd-wizard.1', '/ä'])(
  'refuses the path %j before anything is sent',
  async (path) => {
    expect(await failure(put({ files: [{ path, content: Buffer.alloc(0), mode: 0o644 }] }))).toMatchObject({
      code: 'bad-input',
    });
  },
);
