/** Against real sshds: bastions, and what is said when there is no way to a host. */

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WizardError } from '../../src/errors.ts';
import { openTransport, openTransports } from '../../src/remote/connect.ts';
import { freePort, MISSING, makeKey, type Sshd, startSshd } from './sshd.ts';
import { allowKey, emptyHome, endWorld, makeWorld, publicKey, type World } from './world.ts';

describe.skipIf(MISSING !== undefined)('real sshds', () => {
  let world: World;
  let sshd: Sshd;
  const user = userInfo().username;
  beforeAll(async () => {
    world = makeWorld();
    sshd = await startSshd(world.folder);
  });
  afterAll(() => endWorld(world));
  beforeEach(() => emptyHome(world));

  describe('bastions', () => {
    let bastion: Sshd;
    let second: Sshd;
    beforeAll(async () => {
      bastion = await startSshd(world.folder);
      second = await startSshd(world.folder);
    });
    afterAll(async () => {
      await bastion?.stop();
      await second?.stop();
    });
    const logins = (server: Sshd) => server.log().match(/Accepted publickey/g)?.length ?? 0;
    const config = (text: string) =>
      writeFileSync(
        join(world.home, '.ssh', 'config'),
        `Host bastion\n  HostName 127.0.0.1\n  Port ${bastion.port}\n  User ${user}\n  IdentityFile ${world.key}\n${text}`,
      );

    test('20 hosts share one connection to it, each hop checked under its own name, and it is closed with the last', async () => {
      config('');
      const before = logins(bastion);
      const hosts = Array.from({ length: 20 }, (_, index) =>
        world.host(sshd, { name: `pi${index}`, ssh: { jump: 'bastion' } }),
      );
      const options = world.options();
      const opened = await openTransports(hosts, options);
      const outputs = await Promise.all(
        [...opened.values()].map(async (each) =>
          'exec' in each ? (await each.exec('echo in')).stdout.toString() : each.message,
        ),
      );
      expect(outputs).toEqual(hosts.map(() => 'in\n'));
      expect(logins(bastion) - before).toBe(1);
      const recorded = readFileSync(options.ownKnownHosts, 'utf8');
      for (const port of [bastion.port, sshd.port]) expect(recorded).toContain(`[127.0.0.1]:${port} `);
      await Promise.all([...opened.values()].map((each) => 'close' in each && each.close()));
      await expect.poll(() => bastion.log()).toMatch(/disconnected by user|Connection closed|Disconnected from/);
    });

    test('a chain of two, from ~/.ssh/config', async () => {
      config(
        `Host pi\n  HostName 127.0.0.1\n  ProxyJump bastion,${user}@127.0.0.1:${second.port}\nHost *\n  IdentityFile ${world.key}\n`,
      );
      const before = [logins(bastion), logins(second)];
      await (await openTransport(world.host(sshd, { ssh: { host: 'pi' } }), world.options())).close();
      expect([logins(bastion), logins(second)]).toEqual(before.map((count) => count + 1));
    });

    test('«Host *» with ProxyJump does not send the bastion through itself', async () => {
      config('Host *\n  ProxyJump bastion\n');
      await (await openTransport(world.host(sshd), world.options())).close();
    });

    test('bastions that lead in a circle', async () => {
      config(`  ProxyJump other\nHost other\n  HostName 127.0.0.2\n  ProxyJump bastion\n`);
      await expect(
        openTransport(world.host(sshd, { ssh: { jump: 'bastion' } }), world.options()),
      ).rejects.toMatchObject({ code: 'bad-input', host: 'pi1' });
    });

    test('its host key changed: the run stops for every host behind it', async () => {
      config('');
      writeFileSync(
        join(world.home, '.ssh', 'known_hosts'),
        `[127.0.0.1]:${bastion.port} ${publicKey(makeKey(join(world.folder, 'imposter')))}\n`,
      );
      const opened = await openTransports(
        ['pi1', 'pi2'].map((name) => world.host(sshd, { name, ssh: { jump: 'bastion' } })),
        world.options(),
      );
      expect([...opened.values()]).toMatchObject([
        { code: 'host-key-changed', host: 'pi1' },
        { code: 'host-key-changed', host: 'pi2' },
      ]);
    });

    test('the host behind it refuses, or the bastion forwards nothing', async () => {
      config('');
      const closed = await freePort();
      await expect(
        openTransport(world.host({ port: closed }, { ssh: { jump: 'bastion' } }), world.options()),
      ).rejects.toMatchObject({
        code: 'connect',
        message: expect.stringContaining('through bastion'),
        why: expect.stringContaining('refuses'),
      });
      const strict = await startSshd(world.folder, { config: ['AllowTcpForwarding no'] });
      const jump = `${user}@127.0.0.1:${strict.port}`;
      makeKey(join(world.home, '.ssh', 'id_ed25519'));
      allowKey(world, join(world.home, '.ssh', 'id_ed25519'));
      await expect(openTransport(world.host(sshd, { ssh: { jump } }), world.options())).rejects.toMatchObject({
        code: 'connect',
        why: expect.stringContaining('AllowTcpForwarding'),
      });
      await strict.stop();
    });
  });

  describe('no way to the host', () => {
    const listen = (server: Server) =>
      new Promise<number>((resolve) =>
        server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
      );
    const failure = (host: Parameters<typeof openTransport>[0], changes = {}): Promise<WizardError> =>
      openTransport(host, world.options(changes)).then(
        () => expect.unreachable(),
        (thrown) => thrown,
      );

    test('refused', async () => {
      const port = await freePort();
      const error = await failure(world.host({ port }));
      expect(error).toMatchObject({
        code: 'connect',
        host: 'pi1',
        step: 'connecting',
        why: expect.stringContaining('nothing listens'),
      });
      expect(error.message).toContain(`${user}@127.0.0.1:${port}`);
      expect(error.next).toContain(`ssh -p ${port} ${user}@127.0.0.1`);
    });

    test('a name without address', async () => {
      expect(await failure({ name: 'pi1', address: '10.0.0.1', ssh: { host: 'no-such-name.invalid' } })).toMatchObject({
        code: 'connect',
        why: expect.stringContaining('no address'),
      });
    });

    test('a port that says nothing', async () => {
      const silent = createServer((socket) => void socket.on('error', () => undefined));
      const port = await listen(silent);
      expect(await failure(world.host({ port }), { readyMs: 300 })).toMatchObject({
        code: 'connect',
        why: expect.stringContaining('says nothing'),
      });
      silent.close();
    });

    test('another kind of server', async () => {
      const web = createHttpServer((_request, response) => response.end('hello'));
      const port = await listen(web);
      expect(await failure(world.host({ port }), { readyMs: 2_000 })).toMatchObject({
        code: 'connect',
        why: expect.stringMatching(/not an SSH server|no SSH server/),
      });
      web.close();
    });

    test('a server that hangs up at once', async () => {
      const rude = createServer((socket) => socket.destroy());
      const port = await listen(rude);
      expect(await failure(world.host({ port }))).toMatchObject({
        code: 'connect',
        why: expect.stringContaining('closed the connection'),
      });
      rude.close();
    });

    test('interrupted', async () => {
      const silent = createServer((socket) => void socket.on('error', () => undefined));
      const port = await listen(silent);
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 100);
      expect(await failure(world.host({ port }), { signal: stop.signal })).toMatchObject({ code: 'interrupted' });
      expect(await failure(world.host(sshd), { signal: stop.signal })).toMatchObject({ code: 'interrupted' });
      silent.close();
    });

    test('whoever is asked may end the run: the other hosts ask nothing any more', async () => {
      const stop = new AbortController();
      let questions = 0;
      const hosts = ['pi1', 'pi2', 'pi3'].map((name) => world.host(sshd, { name }));
      const opened = await openTransports(
        hosts,
        world.options({
          acceptNewHostKeys: false,
          signal: stop.signal,
          questions: {
            secret: async () => undefined,
            acceptHostKey: async () => {
              questions++;
              await new Promise((resolve) => setTimeout(resolve, 100));
              stop.abort();
              throw new WizardError('interrupted', 'Interrupted.');
            },
          },
        }),
      );
      expect([...opened.values()]).toMatchObject(hosts.map(() => ({ code: 'interrupted' })));
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(questions).toBe(1);
    });

    test('a question that ends in an error of its own ends that connection with it', async () => {
      const key = makeKey(join(world.folder, 'refused'), 'ed25519', 'secret');
      allowKey(world, key);
      const questions = {
        acceptHostKey: async () => true,
        secret: async () => {
          throw new WizardError('no-terminal', 'Nobody is here.');
        },
      };
      const host = world.host(sshd, { ssh: { identityFile: key } });
      expect(await failure(host, { questions })).toMatchObject({ code: 'no-terminal' });
    });

    test('one host’s failure is its own entry; the others are connected', async () => {
      const states: string[] = [];
      const hosts = [world.host(sshd, { name: 'good' }), world.host({ port: await freePort() }, { name: 'bad' })];
      const opened = await openTransports(
        hosts,
        world.options({ onState: (host, state) => void states.push(`${host} ${state}`) }),
      );
      expect(opened.get('bad')).toBeInstanceOf(WizardError);
      const good = opened.get('good');
      expect(good).toMatchObject({ kind: 'ssh', host: 'good', label: `${user}@127.0.0.1:${sshd.port}` });
      expect(states.sort()).toEqual(['bad connecting', 'bad failed', 'good connected', 'good connecting']);
      if (good && 'close' in good) await good.close();
    });
  });
});
