import { execFileSync, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { arch } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FactQuestions } from '../../src/facts.ts';
import { gatherFacts } from '../../src/remote/facts.ts';
import { localTransport } from '../../src/remote/local.ts';
import type { Transport } from '../../src/remote/transport.ts';
import { prependPath, shells, temporary } from './shells.ts';

const root = process.getuid?.() === 0;
const nothing: FactQuestions = {
  files: [],
  secrets: [],
  publicKeys: false,
  dataDirs: [],
  mounts: [],
  names: [],
  services: [],
};
let folder: string;
let restore: () => void;
beforeEach(() => {
  folder = temporary();
  // An etcd that is there: the package's candidate, slow to find out, is then not asked for.
  restore = wrapped('etcd', 'echo "etcd Version: 3.5.16"; echo "Git SHA: x"');
});
afterEach(() => {
  restore();
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string) => join(folder, name);
const local = (): Transport => localTransport('pi1');
const sum = (content: string) => createHash('sha256').update(content).digest('hex');

/** A program in front of PATH, replaced by a script. */
function wrapped(name: string, script: string): () => void {
  mkdirSync(at('wrapped'), { recursive: true });
  writeFileSync(at(`wrapped/${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return prependPath(at('wrapped'));
}

describe.each(shells())('under $name', ({ name: shell, use }) => {
  let undo: () => void;
  beforeEach(() => {
    undo = use();
  });
  afterEach(() => undo());

  it('knows the machine', async () => {
    const facts = await gatherFacts(local(), {
      ...nothing,
      names: ['localhost'],
      mounts: [at('not/there'), '/'],
      services: ['etcd'],
    });
    expect(facts).toMatchObject({ host: 'pi1', uid: process.getuid?.(), userlandBits: 64 });
    expect(facts.kernelArch).toBe(arch() === 'arm64' ? 'aarch64' : 'x86_64');
    expect(facts.os.id).toMatch(/^[a-z]+$/);
    expect(facts.etcd).toEqual(shell === 'busybox' ? undefined : { path: at('wrapped/etcd'), version: '3.5.16' });
    expect(facts.cores).toBeGreaterThan(0);
    expect(facts.memoryBytes).toBeGreaterThan(1e8);
    expect(facts.resolves.localhost).toEqual(expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]));
    expect(facts.addresses).toContainEqual({ interface: 'lo', address: '127.0.0.1', dynamic: false });
    expect(facts.mounts).toHaveLength(2);
    expect(facts.mounts[0]).toMatchObject({
      path: at('not/there'),
      availableBytes: expect.any(Number),
      fsType: expect.stringMatching(/^[a-z0-9]+$/),
    });
    expect(facts.mounts[0]?.sizeBytes).toBeGreaterThan(1e6);
    expect(facts.services.etcd).toMatchObject({ name: 'etcd', enabled: false });
    expect(Math.abs(facts.clock.skewMs), 'the same clock').toBeLessThanOrEqual(facts.clock.errorMs + 1);
    expect(facts.clock.errorMs >= 500, 'whole seconds only under busybox').toBe(
      shell === 'busybox' || facts.clock.errorMs >= 500,
    );
  });

  it('reads public files, sums secrets without their content, and sees links', async () => {
    const odd = at("odd 'name' $(x) *;\"");
    writeFileSync(odd, 'hostile\nend\t\nuid\t0\n@etcd-wizard-facts\n\x1b[31m\0\tü');
    writeFileSync(at('key'), 'the secret');
    writeFileSync(at('large'), 'x'.repeat(262_145));
    symlinkSync('key', at('link'));
    symlinkSync('gone\nuid\t12345\nend\t', at('dangling'));
    chmodSync(at('key'), 0o400);
    const questions = {
      ...nothing,
      files: [odd, at('large'), at('missing'), at('dangling'), folder],
      secrets: [at('key'), at('link')],
    };
    const { files, uid } = await gatherFacts(local(), questions);
    expect(uid).toBe(process.getuid?.());
    expect(files[odd]).toMatchObject({ kind: 'file', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(files[odd]?.content).toBe('hostile\nend\t\nuid\t0\n@etcd-wizard-facts\n\x1b[31m\0\tü');
    expect(files[at('key')]).toMatchObject({ mode: 0o400, size: 10, sha256: sum('the secret'), kind: 'file' });
    expect(files[at('link')]).toMatchObject({ target: 'key', sha256: sum('the secret'), mode: 0o400 });
    expect(files[at('dangling')]).toMatchObject({ kind: 'link', target: 'gone\nuid\t12345\nend\t' });
    expect(files[at('large')]).toMatchObject({ size: 262_145, sha256: sum('x'.repeat(262_145)) });
    expect(files[at('large')]).not.toHaveProperty('content');
    expect(files[folder]).toMatchObject({ kind: 'folder', mode: 0o700 });
    expect(files[at('missing')]).toBeUndefined();
    expect(JSON.stringify(files)).not.toContain('the secret');
  });

  it('tells data directories apart', async () => {
    for (const name of ['empty', 'used/member/wal', 'other/member/wal', 'a b*/member/wal'])
      mkdirSync(at(name), { recursive: true });
    for (const name of ['used', 'a b*'])
      writeFileSync(at(`${name}/member/wal/0000000000000000-0000000000000000.wal`), '');
    const dataDirs = ['empty', 'used', 'other', 'a b*', 'missing'].map(at);
    const facts = await gatherFacts(local(), { ...nothing, dataDirs });
    const seen = dataDirs.map((path) => facts.dataDirs[path]).map((dir) => [dir?.exists, dir?.empty, dir?.hasWal]);
    expect(seen).toEqual([
      [true, true, false],
      [true, false, true],
      [true, false, false],
      [true, false, true],
      [false, false, false],
    ]);
  });

  it('survives a banner, and a clock that is off', async () => {
    const banner = 'Welcome!\nend\t\nuid\t0\n@etcd-wizard-look root uid=0(root)\n';
    const noisy: Transport = {
      ...local(),
      exec: async (script, options) =>
        local().exec(`printf '%s' "$BANNER" ; ${script}`.replace('"$BANNER"', `'${banner}'`), options),
    };
    const unwrap = wrapped('date', 'exec /usr/bin/date -d "now + 90 seconds" "$@"');
    try {
      const facts = await gatherFacts(noisy, nothing);
      expect(Math.abs(facts.clock.skewMs - 90_000)).toBeLessThanOrEqual(facts.clock.errorMs + 1);
      expect(facts.uid).toBe(process.getuid?.());
    } finally {
      unwrap();
    }
  });

  it('writes nothing', async () => {
    writeFileSync(at('mark'), '');
    await gatherFacts(local(), { ...nothing, files: [at('x')], dataDirs: [folder], mounts: [folder] });
    const changed = execFileSync('/usr/bin/find', [
      '/run',
      '/etc',
      '/tmp',
      '-xdev',
      '-newer',
      at('mark'),
      '-name',
      '*etcd-wizard*',
      '-not',
      '-path',
      '*test*',
    ]);
    expect(changed.toString()).toBe('');
  });
});

it('says which package could be installed where etcd is missing', async () => {
  restore();
  wrapped('apt-cache', 'printf "etcd-server:\\n  Installed: (none)\\n  Candidate: 3.5.16-4\\n"');
  rmSync(at('wrapped/etcd'));
  restore = prependPath(at('wrapped'));
  wrapped('dpkg', 'echo arm64');
  const facts = await gatherFacts(local(), nothing);
  expect(facts.package).toEqual({ manager: 'apt', name: 'etcd-server', candidate: '3.5.16-4' });
  expect(facts.packageArch).toBe('arm64');
});

it('finds running etcd processes with their arguments, environment and data directory', async () => {
  // A stand-in of the same process name: what is read is the process, not what it does.
  cpSync('/usr/bin/sleep', at('etcd'));
  writeFileSync(at('etcd.yml'), `name: x\n"data-dir": '/srv/from file' # here\n`);
  const children = [
    spawn(at('etcd'), ['60'], { env: { ETCD_NAME: 'pi1', ETCD_DATA_DIR: '/srv/env', SECRET: 'no' }, argv0: 'etcd' }),
    spawn('/bin/sh', ['-c', `exec "${at('etcd')}" 60`], {
      cwd: folder,
      env: { ETCD_CONFIG_FILE: 'etcd.yml' },
    }),
    spawn(at('etcd'), ['60'], { cwd: folder, env: {} }),
  ];
  try {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { etcdProcesses } = await gatherFacts(local(), nothing);
    const [first, second, third] = children.map(({ pid }) => etcdProcesses.find((process) => process.pid === pid));
    expect(first).toMatchObject({
      argv: ['etcd', '60'],
      environment: { ETCD_NAME: 'pi1', ETCD_DATA_DIR: '/srv/env' },
      dataDir: '/srv/env',
    });
    expect(first?.environment).not.toHaveProperty('SECRET');
    expect(second?.dataDir).toBe('/srv/from file');
    expect(third?.dataDir).toBe(at('default.etcd'));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});

it('sees who listens, and derives public keys on the host', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(at('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(
    at('locked.pem'),
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
  );
  try {
    const facts = await gatherFacts(local(), {
      ...nothing,
      secrets: [at('key.pem'), at('locked.pem')],
      publicKeys: true,
    });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect(facts.listeners).toContainEqual(expect.objectContaining({ port, address: '127.0.0.1' }));
    expect(facts.files[at('key.pem')]?.publicKey).toBe(
      publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    );
    expect(facts.files[at('locked.pem')]).not.toHaveProperty('publicKey');
  } finally {
    server.close();
  }
});

it('passes the lock’s content on', async () => {
  writeFileSync(at('lock'), 'run\t1\thomelab\tme@here\n');
  expect((await gatherFacts(local(), nothing, { lockPath: at('lock') })).lock).toContain('run');
});

it.each([
  ['a file', { files: ['relative'] }],
  ['a file', { files: ['/a\nend'] }],
  ['a name', { names: ['-x'] }],
  ['a service', { services: ['a b'] }],
])('refuses to ask about %s that a line cannot carry', async (_, questions) => {
  await expect(gatherFacts(local(), { ...nothing, ...questions })).rejects.toMatchObject({ code: 'bad-input' });
});

it('says what it got when the host is no Linux host', async () => {
  const odd: Transport = {
    ...local(),
    exec: async () => ({
      code: 127,
      stdout: Buffer.from('RouterOS'),
      stderr: Buffer.from('bad command name'),
      elapsedMs: 1,
    }),
  };
  await expect(gatherFacts(odd, nothing)).rejects.toMatchObject({
    code: 'remote',
    host: 'pi1',
    evidence: ['bad command name', 'RouterOS'],
  });
});

describe.runIf(root)('as another user', () => {
  /** Runs everything as `nobody`, as an SSH login would; sudo is a stand-in with the answers of the real one. */
  const asNobody = (privileged: Transport['exec']): Transport => {
    const transport = { ...local(), kind: 'ssh' as const };
    transport.exec = (script, options = {}) =>
      options.privileged
        ? privileged(script, options)
        : local().exec(
            `exec setpriv --reuid=65534 --regid=65534 --clear-groups -- sh -c "$0" sh "$@"`
              .replace('"$0"', '"$1"')
              .replace('"$@"', '"$2" "$3" "$4" "$5"'),
            { ...options, args: [script, ...(options.args ?? [])] },
          );
    return transport;
  };
  const never = async () => {
    throw new Error('not asked for');
  };
  const questions = () => ({
    ...nothing,
    files: [at('open')],
    secrets: [at('closed/key')],
    dataDirs: [at('closed/data')],
  });
  let unwrap: () => void = () => {};
  beforeEach(() => {
    mkdirSync(at('closed/data'), { recursive: true });
    writeFileSync(at('closed/key'), 'secret');
    writeFileSync(at('open'), 'open');
    chmodSync(at('closed'), 0o700);
    chmodSync(folder, 0o755);
  });
  afterEach(() => unwrap());

  it('calls what it may not see unreadable, never missing', async () => {
    const transport = asNobody(never);
    transport.privilege = 'none';
    const facts = await gatherFacts(transport, questions());
    expect(facts).toMatchObject({ user: 'nobody', uid: 65534, privilege: 'none' });
    expect(facts.files[at('open')]).toMatchObject({ content: 'open' });
    expect(facts.files[at('closed/key')]).toMatchObject({ unreadable: true });
    expect(facts.dataDirs[at('closed/data')]).toMatchObject({ unreadable: true });
  });

  it('asks for the password once when sudo wants one, and looks again as root', async () => {
    unwrap = wrapped('sudo', 'echo "sudo: a password is required" >&2; exit 1');
    const asked: string[] = [];
    const transport = asNobody((script, options) => {
      asked.push(options?.label ?? '');
      return local().exec(script, { ...options, privileged: false });
    });
    const facts = await gatherFacts(transport, questions());
    expect(asked).toEqual(['look at the host']);
    expect(transport.privilege).toBe('sudo-password');
    expect(facts).toMatchObject({ user: 'nobody', uid: 65534, privilege: 'sudo-password' });
    expect(facts.files[at('closed/key')]).toMatchObject({ sha256: sum('secret') });
    expect(facts.dataDirs[at('closed/data')]).toMatchObject({ exists: true, empty: true });
  });

  it.each(['sudo', 'doas'])('takes %s without a password in the same round trip', async (tool) => {
    // The real ones become root; the stand-in cannot, but passes input and status on as they do.
    if (tool === 'doas') wrapped('sudo', 'exit 1');
    unwrap = wrapped(tool, 'shift; exec "$@"');
    const transport = asNobody(never);
    const facts = await gatherFacts(transport, questions());
    expect(facts).toMatchObject({ privilege: tool, user: 'nobody', uid: 65534 });
    expect(facts.files[at('open')]).toMatchObject({ content: 'open' });
  });
});
