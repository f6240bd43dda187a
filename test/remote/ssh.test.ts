/** Against a real sshd: commands, limits, dials, what breaks. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTransport, openTransports } from '../../src/remote/connect.ts';
import { reasonOf } from '../../src/remote/dial.ts';
import type { Transport } from '../../src/remote/transport.ts';
import { freePort, MISSING, ROOT, type Sshd, startSshd } from './sshd.ts';
import { endWorld, makeWorld, type World } from './world.ts';

describe.skipIf(MISSING !== undefined)('a real sshd', () => {
  let world: World;
  let sshd: Sshd;
  let pi: Transport;
  beforeAll(async () => {
    world = makeWorld();
    sshd = await startSshd(world.folder);
    pi = await openTransport(world.host(sshd), world.options());
  });
  afterAll(async () => {
    await pi?.close();
    await endWorld(world);
  });

  test('exit status, both outputs, arguments with everything a shell could stumble over', async () => {
    const hostile = ["it's", '$(touch /tmp/owned)', 'a b', '', '`x`', 'new\nline', '-n', '\\'];
    const result = await pi.exec('printf "%s|" "$@"; echo problem >&2; exit 3', { args: hostile });
    expect(result).toMatchObject({
      code: 3,
      stdout: Buffer.from(hostile.map((each) => `${each}|`).join('')),
      stderr: Buffer.from('problem\n'),
    });
    expect(result.elapsedMs).toBeGreaterThan(0);
  });

  test('a command killed by a signal has no exit status', async () => {
    expect(await pi.exec('kill -KILL $$')).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('without input, standard input is empty and ends', async () => {
    expect((await pi.exec('wc -c')).stdout.toString().trim()).toBe('0');
  });

  test('5 MB of binary input arrive and come back as they are, while output is watched', async () => {
    const input = randomBytes(5_000_000);
    let watched = 0;
    const { stdout } = await pi.exec('cat', {
      input,
      onOutput: (_stream, chunk) => {
        watched += chunk.length;
      },
    });
    expect(stdout.equals(input)).toBe(true);
    expect(watched).toBe(input.length);
  });

  test('input that the command does not read is no error', async () => {
    expect(await pi.exec('exit 5', { input: randomBytes(3_000_000) })).toMatchObject({ code: 5 });
  });

  test('30 commands at once run, at most 8 at a time', async () => {
    const runs = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        pi.exec('date +%s%N; sleep 0.1; date +%s%N; echo "$1"', { args: [String(index)] }),
      ),
    );
    expect(runs.map((run) => run.stdout.toString().trim().split('\n')[2])).toEqual(
      runs.map((_, index) => String(index)),
    );
    const spans = runs.map((run) => run.stdout.toString().split('\n').slice(0, 2).map(BigInt));
    const atOnce = spans.map(
      ([start]) =>
        spans.filter(
          ([from, to]) => from !== undefined && to !== undefined && start !== undefined && from <= start && start < to,
        ).length,
    );
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(8);
    expect(Math.max(...atOnce)).toBeGreaterThan(1);
  });

  // sshd delivers signals only where it has given up root: tested as an ordinary user in users.test.ts too.
  test('a command that hangs is given up, and ended on the host unless the login is root', async () => {
    let pid = '';
    const hung = pi.exec('echo $$; exec sleep 1000', {
      timeoutMs: 1_000,
      label: 'waiting for nothing',
      onOutput: (_stream, chunk) => {
        pid += chunk.toString().trim();
      },
    });
    await expect(hung).rejects.toMatchObject({
      code: 'timeout',
      host: 'pi1',
      step: 'waiting for nothing',
      why: expect.stringContaining('1 s'),
    });
    expect(pid).toMatch(/^\d+$/);
    if (ROOT) await pi.exec('kill "$1"', { args: [pid] });
    await expect
      .poll(async () => (await pi.exec('kill -0 "$1"', { args: [pid] })).code, { timeout: 5_000 })
      .not.toBe(0);
  });

  test('an interruption ends the command and what waits in line', async () => {
    const stop = new AbortController();
    const runs = Array.from({ length: 12 }, () => pi.exec('sleep 60', { signal: stop.signal }));
    setTimeout(() => stop.abort(), 200);
    for (const run of await Promise.allSettled(runs))
      expect(run).toMatchObject({ status: 'rejected', reason: { code: 'interrupted' } });
    expect((await pi.exec('echo still there')).stdout.toString()).toBe('still there\n');
  });

  test('output without end is cut off', async () => {
    await expect(pi.exec('cat /dev/zero', { label: 'reading' })).rejects.toMatchObject({
      code: 'remote',
      why: expect.stringContaining('64 MiB'),
    });
    expect((await pi.exec('echo still there')).stdout.toString()).toBe('still there\n');
  });

  test('a connection that breaks in the middle names host and step', async () => {
    const doomed = await openTransport(world.host(sshd, { name: 'doomed' }), world.options());
    const run = doomed.exec('kill -KILL "$PPID"; sleep 10', { label: 'installing files' });
    await expect(run).rejects.toMatchObject({ code: 'connect', host: 'doomed', step: 'installing files' });
    await expect(doomed.exec('true')).rejects.toMatchObject({ code: 'connect' });
    await expect(doomed.dial('127.0.0.1', 1)).rejects.toMatchObject({ reason: 'closed' });
    await doomed.close();
  });

  test('a host that freezes is noticed by the missing signs of life', async () => {
    const frozen = await openTransport(world.host(sshd, { name: 'frozen' }), world.options({ keepaliveMs: 150 }));
    const { stdout } = await frozen.exec('echo "$PPID"');
    const daemon = Number(stdout.toString());
    try {
      process.kill(daemon, 'SIGSTOP');
      await expect(frozen.exec('sleep 30')).rejects.toMatchObject({
        code: 'connect',
        why: expect.stringContaining('stopped answering'),
      });
    } finally {
      process.kill(daemon, 'SIGCONT');
      await frozen.close();
    }
  });

  test.each([1, 3])('a host with MaxSessions %i is served with fewer at once', async (sessions) => {
    const narrow = await startSshd(world.folder, { config: [`MaxSessions ${sessions}`] });
    const transport = await openTransport(world.host(narrow), world.options());
    const runs = await Promise.all(
      Array.from({ length: 12 }, (_, index) => transport.exec('sleep 0.05; echo "$1"', { args: [String(index)] })),
    );
    expect(runs.map((run) => run.stdout.toString().trim())).toEqual(runs.map((_, index) => String(index)));
    await transport.close();
    await narrow.stop();
  });

  test('50 hosts at once, each with a connection of its own', async () => {
    const hosts = Array.from({ length: 50 }, (_, index) => world.host(sshd, { name: `pi${index}` }));
    const states: string[] = [];
    const transports = await openTransports(
      hosts,
      world.options({ onState: (host, state) => void states.push(`${host} ${state}`) }),
    );
    const outputs = await Promise.all(
      [...transports].map(async ([name, each]) =>
        'exec' in each ? (await each.exec('echo "$1"', { args: [name] })).stdout.toString().trim() : each.message,
      ),
    );
    expect(outputs).toEqual(hosts.map((host) => host.name));
    expect(states.filter((state) => state.endsWith(' connected'))).toHaveLength(50);
    await Promise.all([...transports.values()].map((each) => 'close' in each && each.close()));
  });

  describe('dials from the host', () => {
    let echo: Server;
    let port: number;
    beforeAll(async () => {
      port = await freePort();
      echo = createServer((socket) => socket.on('error', () => undefined).end('hello'));
      await new Promise<void>((resolve) => echo.listen(port, '127.0.0.1', resolve));
    });
    afterAll(() => void echo.close());

    test('reach what listens there', async () => {
      const stream = await pi.dial('127.0.0.1', port);
      expect(await text(stream)).toBe('hello');
    });
    test('refused', async () =>
      expect(pi.dial('127.0.0.1', await freePort())).rejects.toMatchObject({ reason: 'refused' }));
    test('a name without an address', async () =>
      expect(pi.dial('no-such-name.invalid', 2379, { timeoutMs: 20_000 })).rejects.toMatchObject({
        reason: 'unresolved',
      }));
    test('no answer in time', async () => {
      const frozen = await openTransport(world.host(sshd), world.options());
      const daemon = Number((await frozen.exec('echo "$PPID"')).stdout.toString());
      try {
        process.kill(daemon, 'SIGSTOP');
        await expect(frozen.dial('127.0.0.1', port, { timeoutMs: 150 })).rejects.toMatchObject({ reason: 'timeout' });
      } finally {
        process.kill(daemon, 'SIGCONT');
        await frozen.close();
      }
    });
    test('forwarding forbidden: nothing was learnt', async () => {
      const strict = await startSshd(world.folder, { config: ['AllowTcpForwarding no'] });
      const transport = await openTransport(world.host(strict), world.options());
      await expect(transport.dial('127.0.0.1', port)).rejects.toMatchObject({ reason: 'prohibited' });
      await transport.close();
      await strict.stop();
    });
    test('100 at once', async () => {
      const replies = await Promise.all(
        Array.from({ length: 100 }, async () => text(await pi.dial('127.0.0.1', port))),
      );
      expect(new Set(replies)).toEqual(new Set(['hello']));
    });
  });

  test.skipIf(!ROOT)('root needs nothing to be root', async () => {
    expect((await pi.exec('id -u', { privileged: true })).stdout.toString().trim()).toBe('0');
    expect(pi.privilege).toBe('root');
  });

  test('closing twice is fine, and afterwards everything fails in words', async () => {
    const short = await openTransport(world.host(sshd), world.options());
    await short.close();
    await short.close();
    await expect(short.exec('true')).rejects.toMatchObject({ code: 'connect' });
  });
});

test.each<[string, { message: string; reason?: unknown }, number, string]>([
  ['sshd’s refusal', { message: 'open failed', reason: 1 }, 5, 'prohibited'],
  ['an unknown channel type', { message: '', reason: 3 }, 5, 'prohibited'],
  ['in words: refused', { message: 'Connection refused', reason: 2 }, 9_000, 'refused'],
  ['in words: timed out', { message: 'Connection timed out', reason: 2 }, 5, 'timeout'],
  ['musl’s words', { message: 'Operation timed out', reason: 2 }, 5, 'timeout'],
  ['no route', { message: 'No route to host', reason: 2 }, 5, 'unreachable'],
  ['glibc’s resolver', { message: 'Name or service not known', reason: 2 }, 5, 'unresolved'],
  ['musl’s resolver', { message: 'Name does not resolve', reason: 2 }, 5, 'unresolved'],
  ['a resolver that is down', { message: 'Temporary failure in name resolution', reason: 2 }, 5, 'unresolved'],
  ['no words, at once', { message: '', reason: 2 }, 20, 'refused'],
  ['no words, after long', { message: '', reason: 2 }, 9_000, 'timeout'],
  ['the connection is gone', { message: 'No response from server' }, 20, 'closed'],
])('why a dial failed: %s', (_what, error, elapsed, reason) => expect(reasonOf(error, elapsed)).toBe(reason));
