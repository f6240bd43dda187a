/** Against a real sshd: whose host key is believed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WizardError } from '../../src/errors.ts';
import { openTransport, openTransports } from '../../src/remote/connect.ts';
import { MISSING, makeKey, type Sshd, startSshd } from './sshd.ts';
import { emptyHome, endWorld, fingerprint, makeWorld, publicKey, scripted, type World } from './world.ts';

describe.skipIf(MISSING !== undefined)('a real sshd', () => {
  let world: World;
  let sshd: Sshd;
  beforeAll(async () => {
    world = makeWorld();
    sshd = await startSshd(world.folder, { hostKeyTypes: ['ed25519', 'rsa', 'ecdsa'] });
  });
  afterAll(() => endWorld(world));
  beforeEach(() => emptyHome(world));

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
});
