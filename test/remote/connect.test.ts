/** Against real sshds: who is let in, whose key is believed, bastions, and what is said when it fails. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WizardError } from '../../src/errors.ts';
import { openTransport, openTransports } from '../../src/remote/connect.ts';
import {
  endWorld,
  freePort,
  MISSING,
  makeKey,
  makeWorld,
  ROOT,
  type Sshd,
  scripted,
  startSshd,
  tempFolder,
  type World,
} from './sshd.ts';

describe.skipIf(MISSING !== undefined)('real sshds', () => {
  let world: World;
  let sshd: Sshd;
  const user = userInfo().username;
  beforeAll(async () => {
    world = makeWorld();
    sshd = await startSshd(world.folder, { hostKeyTypes: ['ed25519', 'rsa', 'ecdsa'] });
  });
  afterAll(async () => {
    await endWorld(world);
  });
  beforeEach(() => {
    rmSync(join(world.folder, 'own'), { recursive: true, force: true });
    rmSync(join(world.home, '.ssh'), { recursive: true, force: true });
    mkdirSync(join(world.home, '.ssh'), { mode: 0o700 });
  });
  const fingerprint = (key: string) =>
    execFileSync('ssh-keygen', ['-lf', `${key}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
  const publicKey = (key: string) => readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  const allow = (key: string) => appendFileSync(join(world.folder, 'authorized_keys'), readFileSync(`${key}.pub`));

  describe('host keys', () => {
    const known = (text: string) => writeFileSync(join(world.home, '.ssh', 'known_hosts'), text);

    test('unknown: shown with its fingerprint, asked once, recorded in the wizard’s own file (0600)', async () => {
      const { asked, questions } = scripted();
      const options = world.options({ questions, acceptNewHostKeys: false });
      for (let run = 0; run < 2; run++) await (await openTransport(world.host(sshd), options)).close();
      expect(asked).toEqual([`host-key pi1 ${fingerprint(sshd.hostKey)}`]);
      expect(readFileSync(options.ownKnownHosts, 'utf8')).toBe(`[127.0.0.1]:${sshd.port} ${publicKey(sshd.hostKey)}\n`);
      expect(statSync(options.ownKnownHosts).mode & 0o777).toBe(0o600);
      expect(existsSync(join(world.home, '.ssh', 'known_hosts'))).toBe(false);
    });

    test('unknown and not accepted: stops before anything is sent', async () => {
      const { questions } = scripted({}, false);
      const options = world.options({ questions, acceptNewHostKeys: false });
      const before = sshd.log().length;
      await expect(openTransport(world.host(sshd), options)).rejects.toMatchObject({
        code: 'host-key-unknown',
        host: 'pi1',
        why: expect.stringContaining(fingerprint(sshd.hostKey)),
        next: expect.arrayContaining([expect.stringContaining('--accept-new-host-keys')]),
      });
      expect(sshd.log().slice(before)).not.toMatch(/publickey|Failed|user/);
      expect(existsSync(options.ownKnownHosts)).toBe(false);
    });

    test('known in the person’s file, hashed by ssh-keygen: nothing is asked or written', async () => {
      known(`[127.0.0.1]:${sshd.port} ${publicKey(sshd.hostKey)}\n`);
      execFileSync('ssh-keygen', ['-q', '-H', '-f', join(world.home, '.ssh', 'known_hosts')], { stdio: 'ignore' });
      expect(readFileSync(join(world.home, '.ssh', 'known_hosts'), 'utf8')).toMatch(/^\|1\|/);
      const { asked, questions } = scripted();
      const options = world.options({ questions, acceptNewHostKeys: false });
      await (await openTransport(world.host(sshd), options)).close();
      expect(asked).toEqual([]);
      expect(existsSync(options.ownKnownHosts)).toBe(false);
    });

    test.each(['rsa', 'ecdsa'])('known by its %s key only: that key is asked for', async (type) => {
      known(`[127.0.0.1]:${sshd.port} ${publicKey(join(sshd.folder, `host_${type}`))}\n`);
      await (await openTransport(world.host(sshd), world.options({ acceptNewHostKeys: false }))).close();
    });

    test('changed: both fingerprints, file and line, and the command to mend it; --accept-new-host-keys does not help', async () => {
      const other = makeKey(join(world.folder, 'other'));
      known(`# mine\n[127.0.0.1]:${sshd.port} ${publicKey(other)}\n`);
      const file = join(world.home, '.ssh', 'known_hosts');
      await expect(openTransport(world.host(sshd), world.options())).rejects.toMatchObject({
        code: 'host-key-changed',
        host: 'pi1',
      });
      const error: WizardError = await openTransport(world.host(sshd), world.options()).then(
        () => expect.unreachable(),
        (thrown) => thrown,
      );
      for (const part of [fingerprint(sshd.hostKey), fingerprint(other), `${file}:2`])
        expect(error.why).toContain(part);
      const command = error.next.find((line) => line.startsWith('ssh-keygen -R')) ?? '';
      execFileSync('sh', ['-c', command], { stdio: 'ignore' });
      await (await openTransport(world.host(sshd), world.options())).close();
    });

    test('revoked', async () => {
      known(`@revoked * ${publicKey(sshd.hostKey)}\n`);
      await expect(openTransport(world.host(sshd), world.options())).rejects.toMatchObject({
        code: 'host-key-revoked',
        why: expect.stringContaining('known_hosts:1'),
      });
    });

    test('a known_hosts file that cannot be read stops the run', async () => {
      mkdirSync(join(world.home, '.ssh', 'known_hosts'));
      await expect(openTransport(world.host(sshd), world.options())).rejects.toMatchObject({ code: 'state' });
    });

    test('many new hosts at once are all recorded, and a line cut short swallows none', async () => {
      mkdirSync(join(world.folder, 'own'), { recursive: true });
      writeFileSync(join(world.folder, 'own', 'known_hosts'), 'half a li');
      const aliases = Array.from({ length: 10 }, (_, index) => `alias${index}`);
      writeFileSync(
        join(world.home, '.ssh', 'config'),
        aliases.map((alias) => `Host ${alias}\n  HostName 127.0.0.1\n  HostKeyAlias ${alias}\n`).join(''),
      );
      const options = world.options();
      const opened = await openTransports(
        aliases.map((alias) => world.host(sshd, { name: alias, ssh: { host: alias } })),
        options,
      );
      await Promise.all([...opened.values()].map((each) => 'close' in each && each.close()));
      const lines = readFileSync(options.ownKnownHosts, 'utf8').trim().split('\n');
      expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([...aliases, 'half'].sort());
    });

    test('a person who takes longer than sshd’s LoginGraceTime is not asked again', async () => {
      const hasty = await startSshd(world.folder, { config: ['LoginGraceTime 1'] });
      const { asked, questions } = scripted();
      const slow = {
        ...questions,
        acceptHostKey: async (key: Parameters<typeof questions.acceptHostKey>[0]) => {
          await new Promise((resolve) => setTimeout(resolve, 2_500));
          return questions.acceptHostKey(key);
        },
      };
      const transport = await openTransport(
        world.host(hasty),
        world.options({ questions: slow, acceptNewHostKeys: false, readyMs: 2_000 }),
      );
      expect((await transport.exec('echo in')).stdout.toString()).toBe('in\n');
      expect(asked).toHaveLength(1);
      await transport.close();
      await hasty.stop();
    });
  });

  describe('keys', () => {
    test.each([
      ['rsa', []],
      ['ecdsa', []],
      ['rsa', ['-m', 'PEM']],
    ])('%s %j', async (type, format) => {
      const key = makeKey(join(world.folder, `key-${type}`), type, '', format);
      allow(key);
      await (await openTransport(world.host(sshd, { ssh: { identityFile: key } }), world.options())).close();
    });

    test.each([
      ['OpenSSH format', []],
      ['PEM', ['-m', 'PEM']],
    ])('passphrase, %s: asked once for all hosts, again when wrong', async (_what, format) => {
      const key = makeKey(join(world.folder, 'locked'), 'ecdsa', 'right one', format);
      allow(key);
      const { asked, questions } = scripted({ 'key-passphrase': ['wrong', 'right one'] });
      const hosts = ['pi1', 'pi2', 'pi3'].map((name) => world.host(sshd, { name, ssh: { identityFile: key } }));
      const opened = await openTransports(hosts, world.options({ questions }));
      expect([...opened.values()].map((each) => ('close' in each ? 'in' : each.message))).toEqual(['in', 'in', 'in']);
      expect(asked).toEqual([`key-passphrase: Passphrase of ${key}`, `key-passphrase again: Passphrase of ${key}`]);
      await Promise.all([...opened.values()].map((each) => 'close' in each && each.close()));
    });

    test('passphrase wrong three times: the next method, no fourth question', async () => {
      const key = makeKey(join(world.folder, 'locked3'), 'ed25519', 'right one');
      allow(key);
      const { asked, questions } = scripted({ 'key-passphrase': ['a', 'b', 'c', 'right one'] });
      await expect(
        openTransport(world.host(sshd, { ssh: { identityFile: key } }), world.options({ questions })),
      ).rejects.toMatchObject({
        code: 'authentication',
        why: expect.stringContaining(`${key} stays locked`),
      });
      expect(asked.filter((each) => each.startsWith('key-passphrase'))).toHaveLength(3);
    });

    test('no passphrase is asked for when the host does not want the key', async () => {
      const key = makeKey(join(world.folder, 'unwanted'), 'ed25519', 'secret');
      const { asked, questions } = scripted();
      await expect(
        openTransport(world.host(sshd, { ssh: { identityFile: key } }), world.options({ questions })),
      ).rejects.toMatchObject({ code: 'authentication' });
      expect(asked.filter((each) => each.startsWith('key-passphrase'))).toEqual([]);
    });

    test('default keys of ~/.ssh', async () => {
      makeKey(join(world.home, '.ssh', 'id_ed25519'));
      allow(join(world.home, '.ssh', 'id_ed25519'));
      await (
        await openTransport({ name: 'pi1', address: '127.0.0.1', ssh: { port: sshd.port } }, world.options())
      ).close();
    });

    test.each<[string, (path: string) => void, RegExp]>([
      ['missing', () => undefined, /no such file/],
      [
        'broken',
        (path) => writeFileSync(path, '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n'),
        /not a key/,
      ],
      ['a folder', (path) => mkdirSync(path), /EISDIR|directory/],
      ['something else', (path) => writeFileSync(path, 'hello\n'), /not a key/],
      [
        'a public key whose private half is nowhere',
        (path) => writeFileSync(path, `${publicKey(world.key)}\n`),
        /Not usable: .*public key/,
      ],
    ])('the profile’s key is %s: named', async (what, make, why) => {
      const path = join(world.folder, `bad-${what.replace(/\W/g, '')}`);
      make(path);
      const error: WizardError = await openTransport(
        world.host(sshd, { ssh: { identityFile: path } }),
        world.options(),
      ).then(
        () => expect.unreachable(),
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ code: 'authentication', host: 'pi1', why: expect.stringMatching(why) });
      expect(`${error.message} ${error.why}`).toContain(path);
    });

    test.skipIf(ROOT)('unreadable for us', async () => {
      const path = makeKey(join(world.folder, 'unreadable'));
      chmodSync(path, 0);
      await expect(
        openTransport(world.host(sshd, { ssh: { identityFile: path } }), world.options()),
      ).rejects.toMatchObject({ code: 'authentication' });
    });

    test('nobody is let in: what was tried, and the ssh-copy-id to type', async () => {
      const key = makeKey(join(world.folder, 'stranger'));
      const strict = await startSshd(world.folder, {
        config: ['PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
      });
      await expect(
        openTransport(world.host(strict, { ssh: { identityFile: key } }), world.options()),
      ).rejects.toMatchObject({
        code: 'authentication',
        message: expect.stringContaining(`does not let ${user} in`),
        why: expect.stringMatching(/Tried: key .*stranger\. The host accepts: publickey/),
        next: expect.arrayContaining([`ssh-copy-id -i ${key}.pub -p ${strict.port} ${user}@127.0.0.1`]),
      });
      await strict.stop();
    });

    test('too many keys: says so', async () => {
      const strict = await startSshd(world.folder, { config: ['MaxAuthTries 2'] });
      const keys = Array.from({ length: 4 }, (_, index) => makeKey(join(world.folder, `many${index}`)));
      writeFileSync(join(world.home, '.ssh', 'config'), keys.map((key) => `IdentityFile ${key}\n`).join(''));
      await expect(
        openTransport({ name: 'pi1', address: '127.0.0.1', ssh: { port: strict.port } }, world.options()),
      ).rejects.toMatchObject({ code: 'authentication', why: expect.stringContaining('MaxAuthTries') });
      await strict.stop();
    });
  });

  describe('agent', () => {
    let agent: ChildProcess;
    let socket: string;
    let folder: string;
    beforeAll(async () => {
      folder = tempFolder();
      socket = join(folder, 'agent');
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
    });
    afterAll(() => {
      agent?.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    const add = (key: string) =>
      execFileSync('ssh-add', ['-q', key], {
        env: { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' },
        stdio: 'ignore',
      });
    const withAgent = (questions = scripted().questions) => {
      const options = world.options({ questions });
      return { ...options, environment: { ...options.environment, SSH_AUTH_SOCK: socket } };
    };

    test.each(['ed25519', 'rsa', 'ecdsa'])('a %s key that only the agent holds', async (type) => {
      const key = makeKey(join(folder, type), type);
      allow(key);
      add(key);
      rmSync(key);
      rmSync(`${key}.pub`);
      await (await openTransport({ name: 'pi1', address: '127.0.0.1', ssh: { port: sshd.port } }, withAgent())).close();
      execFileSync('ssh-add', ['-q', '-D'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    });

    test('a locked key file that the agent has open: no passphrase is asked for', async () => {
      const key = makeKey(join(folder, 'both'));
      allow(key);
      add(key);
      execFileSync('ssh-keygen', ['-q', '-p', '-f', key, '-N', 'secret', '-P', '']);
      const { asked, questions } = scripted();
      await (await openTransport(world.host(sshd, { ssh: { identityFile: key } }), withAgent(questions))).close();
      expect(asked).toEqual([]);
    });

    test('the identity file named comes before a crowd of agent keys', async () => {
      for (let index = 0; index < 8; index++) add(makeKey(join(folder, `crowd${index}`)));
      await (await openTransport(world.host(sshd), withAgent())).close();
    });

    test('an agent that is gone is no obstacle', async () => {
      const options = world.options();
      await (
        await openTransport(world.host(sshd), {
          ...options,
          environment: { ...options.environment, SSH_AUTH_SOCK: join(folder, 'nobody') },
        })
      ).close();
    });
  });

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
      allow(join(world.home, '.ssh', 'id_ed25519'));
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
      allow(key);
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
