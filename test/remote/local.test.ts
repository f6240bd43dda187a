import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { measureFsync } from '../../src/remote/disk.ts';
import { childEnvironment, localTransport } from '../../src/remote/local.ts';
import { DISK_SCRIPT } from '../../src/remote/scripts/disk.ts';
import { shells, temporary } from './shells.ts';

let folder: string;
beforeEach(() => {
  folder = temporary();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});
const transport = localTransport('pi1');

describe('exec', () => {
  it('passes arguments, input, output and status on untouched', async () => {
    const input = Buffer.from([0, 255, 10, 13, 0]);
    const heard: string[] = [];
    const result = await transport.exec('printf "%s|" "$@"; cat; echo no >&2; exit 7', {
      input,
      args: ['a b', "it's", '$(x)', ''],
      onOutput: (stream) => heard.push(stream),
    });
    expect(result.stdout).toEqual(Buffer.concat([Buffer.from("a b|it's|$(x)||"), input]));
    expect([result.stderr.toString(), result.code]).toEqual(['no\n', 7]);
    expect(new Set(heard)).toEqual(new Set(['stdout', 'stderr']));
  });

  it('keeps secrets, proxies and etcd’s settings from children', async () => {
    for (const name of [
      'VAULT_TOKEN',
      'ETCD_NAME',
      'ETCD_WIZARD_SUDO_PASSWORD',
      'https_proxy',
      'HTTP_PROXY',
      'ETCDCTL_KEY',
      'AWS_SECRET',
    ]) {
      vi.stubEnv(name, 'leak');
    }
    const { stdout } = await transport.exec('env');
    expect(stdout.toString()).toContain('PATH=');
    expect(stdout.toString()).not.toContain('leak');
    expect(childEnvironment({})).toHaveProperty('PATH');
  });

  it('does not mind input that is not read', async () => {
    expect((await transport.exec('exit 3', { input: Buffer.alloc(5_000_000) })).code).toBe(3);
  });

  it('ends with its script even when a child keeps the output open', async () => {
    const { stdout } = await transport.exec('sleep 20 & echo $!');
    expect(stdout.toString()).toMatch(/^\d+\n$/);
    process.kill(Number(stdout.toString()));
  });

  it.each(['timeout', 'interrupted'])('ends the whole process group when it is %s', async (code) => {
    const abort = new AbortController();
    const mark = join(folder, 'mark');
    const running = transport.exec('(sleep 1; echo late >"$1") & sleep 30', {
      args: [mark],
      signal: abort.signal,
      timeoutMs: code === 'timeout' ? 200 : 30_000,
      label: 'wait',
    });
    if (code === 'interrupted') setTimeout(() => abort.abort(), 100);
    await expect(running).rejects.toMatchObject({ code, host: 'pi1', step: 'wait' });
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(existsSync(mark)).toBe(false);
  });

  it('does not start what was interrupted before', async () => {
    await expect(transport.exec(`touch ${folder}/x`, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it.each([
    [
      'sudo that works',
      'while [ "$1" != sh ]; do [ "$1" = true ] && exit 0; shift; done; echo "by sudo"; exec "$@"',
      undefined,
    ],
    ['sudo that wants a password', 'echo "a password is required" >&2; exit 1', 'privilege'],
  ])('without root: %s', async (_, sudo, code) => {
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/sudo'), `#!/bin/sh\n${sudo}\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'bin/doas'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env.PATH}`);
    const running = localTransport('pi1').exec('echo "$1"', { args: ['done'], privileged: true });
    if (code) await expect(running).rejects.toMatchObject({ code, next: ['Run the same command with sudo.'] });
    else expect((await running).stdout.toString()).toBe('by sudo\ndone\n');
  });
});

describe('dial', () => {
  it('connects', async () => {
    const server = createServer((socket) => void socket.end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const stream = await transport.dial('127.0.0.1', typeof address === 'object' && address ? address.port : 0);
    let text = '';
    for await (const chunk of stream) text += chunk;
    expect(text).toBe('hello');
    server.close();
  });
  it.each([
    ['refused', '127.0.0.1', 1, {}],
    ['unresolved', 'no-such-name.invalid', 1, { timeoutMs: 20_000 }],
    ['closed', '127.0.0.1', 1, { signal: AbortSignal.abort() }],
  ])('says %s', async (reason, address, port, options) => {
    await expect(transport.dial(address, port, options)).rejects.toMatchObject({ name: 'DialError', reason });
  });
});

describe.each(shells())('measuring the disk under $name', ({ use }) => {
  let undo: () => void;
  beforeEach(() => {
    undo = use();
  });
  afterEach(() => undo());

  it('gives times and leaves nothing behind', async () => {
    const times = await measureFsync(transport, join(folder, 'not/there/yet'), { privileged: false });
    expect(times.samples).toBeGreaterThan(10);
    expect(times.p50Ms).toBeGreaterThan(0);
    expect(times.p99Ms).toBeGreaterThanOrEqual(times.p50Ms);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('removes what a power cut left, and its own file when nobody listens any more', async () => {
    writeFileSync(join(folder, '.etcd-wizard.fsync.77'), 'left');
    const piped = await transport.exec('{ sh -c "$1" sh "$2" || :; } | head -n 1', { args: [DISK_SCRIPT, folder] });
    expect(piped.stdout.toString()).toMatch(/copied|sync/);
    await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]), { timeout: 5000 });
  });

  it.runIf(process.getuid?.() === 0)('says so when there is no room', async () => {
    execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      await expect(measureFsync(transport, folder)).rejects.toMatchObject({
        code: 'remote',
        why: expect.stringContaining('has no room'),
      });
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      execFileSync('/usr/bin/umount', [folder]);
    }
  });
});
