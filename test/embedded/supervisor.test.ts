/** Members as plain processes: started from their file, ready when etcd is, gone whatever ends the controller. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../src/embedded/ports.ts';
import { EmbeddedService } from '../../src/embedded/supervisor.ts';
import { environmentLine } from '../../src/etcd/environment-file.ts';
import { EndpointClient } from '../../src/health/endpoint.ts';
import { findEtcd } from '../setup/etcd.ts';

const binaries = await findEtcd('3.4');
const m1 = { host: 'm1' };
const options = { restart: false, timeoutMs: 20_000 };

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(binaries === undefined)('an embedded member', () => {
  let root: string;
  let url: string;
  let service: EmbeddedService;
  const etcdPath = binaries?.etcd ?? '';

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'etcd-wizard-embedded-'));
    const [client, peer] = await freePorts(2);
    url = `http://127.0.0.1:${client}`;
    await configure({
      ETCD_LISTEN_CLIENT_URLS: url,
      ETCD_ADVERTISE_CLIENT_URLS: url,
      ETCD_LISTEN_PEER_URLS: `http://127.0.0.1:${peer}`,
      ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://127.0.0.1:${peer}`,
      ETCD_INITIAL_CLUSTER: `m1=http://127.0.0.1:${peer}`,
      ETCD_NAME: 'm1',
      ETCD_DATA_DIR: join(root, 'm1/data'),
      ETCD_LOGGER: 'zap',
    });
    service = new EmbeddedService({ root, etcdPath, etcdVersion: '3.4.23' });
  });
  afterEach(async () => {
    await service.stopAll(5000);
    await rm(root, { recursive: true, force: true });
  });
  const configure = async (settings: Record<string, string>) => {
    await mkdir(join(root, 'm1'), { recursive: true });
    await writeFile(
      join(root, 'm1/etcd.conf'),
      Object.entries(settings)
        .map(([name, value]) => `${environmentLine(name, value)}\n`)
        .join(''),
    );
  };
  const answers = async () => {
    const client = new EndpointClient(url, { caPem: '' });
    try {
      return await client.version();
    } finally {
      client.close();
    }
  };

  it('is ready when start resolves, says so, keeps its log, and is gone after stop', async () => {
    expect(await service.state(m1)).toBe('not started');
    await service.start(m1, options);
    expect(await answers()).toBe('3.4.23');
    expect(await service.state(m1)).toMatch(/^running \(pid \d+\)$/);
    expect((await service.logs(m1, 3)).length).toBe(3);
    expect((await service.logs(m1, 500)).some((line) => line.includes('serving client traffic'))).toBe(true);
    await service.stop(m1, { timeoutMs: 5000 });
    expect(await service.state(m1)).toBe('stopped');
    await expect(answers()).rejects.toMatchObject({ kind: 'refused' });
  });

  it('is started anew on restart, and left alone without', async () => {
    await service.start(m1, options);
    const before = await service.state(m1);
    await service.start(m1, options);
    expect(await service.state(m1)).toBe(before);
    await service.start(m1, { ...options, restart: true });
    expect(await service.state(m1)).not.toBe(before);
    expect(await answers()).toBe('3.4.23');
  });

  it('that cannot start fails at once with its last words', async () => {
    await configure({ ETCD_LISTEN_CLIENT_URLS: 'https://name.invalid:1' });
    await expect(service.start(m1, options)).rejects.toMatchObject({
      code: 'start',
      host: 'm1',
      evidence: expect.arrayContaining([expect.stringContaining('expected IP in URL')]),
    });
    expect(await service.state(m1)).toMatch(/failed: exit code 1/);
  });

  it('that waits for others in vain is a timeout, and an interruption ends the wait', async () => {
    const [peer] = await freePorts(1);
    await configure({
      ETCD_LISTEN_CLIENT_URLS: url,
      ETCD_ADVERTISE_CLIENT_URLS: url,
      ETCD_LISTEN_PEER_URLS: `http://127.0.0.1:${peer}`,
      ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://127.0.0.1:${peer}`,
      ETCD_INITIAL_CLUSTER: `m1=http://127.0.0.1:${peer},m2=http://127.0.0.1:1`,
      ETCD_NAME: 'm1',
      ETCD_DATA_DIR: join(root, 'm1/data'),
    });
    await expect(service.start(m1, { restart: false, timeoutMs: 300 })).rejects.toMatchObject({
      code: 'timeout',
      host: 'm1',
    });
    const controller = new AbortController();
    const starting = service.start(m1, { ...options, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await expect(starting).rejects.toMatchObject({ code: 'interrupted' });
    await service.stopAll(5000);
    expect(await service.state(m1)).toBe('stopped');
  });

  it('a file that is not there names the member', async () => {
    await expect(service.start({ host: 'm2' }, options)).rejects.toMatchObject({ code: 'start', host: 'm2' });
  });

  it('does not outlive a controller that is killed with -9', async () => {
    const script = `
      const { EmbeddedService } = await import(${JSON.stringify(resolve('src/embedded/supervisor.ts'))});
      const service = new EmbeddedService(${JSON.stringify({ root, etcdPath, etcdVersion: '3.4.23' })});
      await service.start({ host: 'm1' }, { restart: false, timeoutMs: 20000 });
      const etcd = (await service.logs({ host: 'm1' }, 1)) && (await service.state({ host: 'm1' }));
      console.log(etcd);
      setInterval(() => {}, 1000);
    `;
    // The same sources as the tests run: bundled by esbuild, so that an old Node without type stripping can run them.
    const { build } = await import('esbuild');
    const file = join(root, 'controller.mjs');
    await build({
      stdin: { contents: script, resolveDir: process.cwd(), loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: file,
      logLevel: 'silent',
    });
    const controller = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(controller.stdout, 'data');
    const pid = Number(/pid (\d+)/.exec(String(line))?.[1]);
    expect(isAlive(pid)).toBe(true);
    expect(await answers()).toBe('3.4.23');
    controller.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 8000 }).toBe(false);
    await expect(answers()).rejects.toMatchObject({ kind: 'refused' });
  });
});
