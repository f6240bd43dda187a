/** Against a real sshd: which keys let us in, from files and from an agent. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WizardError } from '../../src/errors.ts';
import { openTransport, openTransports } from '../../src/remote/connect.ts';
import { MISSING, makeKey, ROOT, type Sshd, startSshd } from './sshd.ts';
import { allowKey, emptyHome, endWorld, makeWorld, publicKey, scripted, tempFolder, type World } from './world.ts';

describe.skipIf(MISSING !== undefined)('a real sshd', () => {
  let world: World;
  let sshd: Sshd;
  const user = userInfo().username;
  beforeAll(async () => {
    world = makeWorld();
    sshd = await startSshd(world.folder);
  });
  afterAll(() => endWorld(world));
  beforeEach(() => emptyHome(world));

  describe('keys', () => {
    test.each([
      ['rsa', []],
      ['ecdsa', []],
      ['rsa', ['-m', 'PEM']],
    ])('%s %j', async (type, format) => {
      const key = makeKey(join(world.folder, `key-${type}`), type, '', format);
      allowKey(world, key);
      await (await openTransport(world.host(sshd, { ssh: { identityFile: key } }), world.options())).close();
    });

    test.each([
      ['OpenSSH format', []],
      ['PEM', ['-m', 'PEM']],
    ])('passphrase, %s: asked once for all hosts, again when wrong', async (_what, format) => {
      const key = makeKey(join(world.folder, 'locked'), 'ecdsa', 'right one', format);
      allowKey(world, key);
      const { asked, questions } = scripted({ 'key-passphrase': ['wrong', 'right one'] });
      const hosts = ['pi1', 'pi2', 'pi3'].map((name) => world.host(sshd, { name, ssh: { identityFile: key } }));
      const opened = await openTransports(hosts, world.options({ questions }));
      expect([...opened.values()].map((each) => ('close' in each ? 'in' : each.message))).toEqual(['in', 'in', 'in']);
      expect(asked).toEqual([`key-passphrase: Passphrase of ${key}`, `key-passphrase again: Passphrase of ${key}`]);
      await Promise.all([...opened.values()].map((each) => 'close' in each && each.close()));
    });

    test('passphrase wrong three times: the next method, no fourth question', async () => {
      const key = makeKey(join(world.folder, 'locked3'), 'ed25519', 'right one');
      allowKey(world, key);
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
      allowKey(world, join(world.home, '.ssh', 'id_ed25519'));
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
      allowKey(world, key);
      add(key);
      rmSync(key);
      rmSync(`${key}.pub`);
      await (await openTransport({ name: 'pi1', address: '127.0.0.1', ssh: { port: sshd.port } }, withAgent())).close();
      execFileSync('ssh-add', ['-q', '-D'], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    });

    test('a locked key file that the agent has open: no passphrase is asked for', async () => {
      const key = makeKey(join(folder, 'both'));
      allowKey(world, key);
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
});
