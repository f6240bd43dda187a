/** Passwords and root's rights, with users of our own: an sshd in a private mount namespace, where sudo and PAM are the real ones. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTransport } from '../../src/remote/connect.ts';
import type { ConnectQuestions } from '../../src/remote/transport.ts';
import { MISSING_USERS, type Sshd, startSshd } from './sshd.ts';
import { endWorld, makeWorld, scripted, type World } from './world.ts';

const PASSWORD = 'correct horse; $(battery) "staple" \\';
const payload = Buffer.concat([Buffer.from('first line\nsecond\n'), randomBytes(5_000_000)]);

describe.skipIf(MISSING_USERS !== undefined)('users of our own', () => {
  let world: World;
  let sshd: Sshd;
  beforeAll(async () => {
    world = makeWorld();
    const asks = { password: PASSWORD, sudoers: 'ALL=(ALL:ALL) ALL' };
    sshd = await startSshd(world.folder, {
      users: {
        free: { sudoers: 'ALL=(ALL:ALL) NOPASSWD: ALL' },
        half: { password: PASSWORD, sudoers: 'ALL=(ALL:ALL) ALL, NOPASSWD: /bin/sh, NOPASSWD: /usr/bin/sh' },
        asks,
        ptyasks: asks,
        global: asks,
        ticketless: asks,
        ttyonly: asks,
        stranger: { password: PASSWORD },
      },
      sudoDefaults: [
        'Defaults !use_pty',
        'Defaults:ptyasks use_pty',
        'Defaults:global timestamp_type=global',
        'Defaults:ticketless timestamp_timeout=0',
        'Defaults:ttyonly requiretty',
        'Defaults passwd_tries=3',
      ],
    });
  }, 60_000);
  afterAll(async () => {
    await endWorld(world);
  });
  const login = (user: string, changes: { questions?: ConnectQuestions; sudoPassword?: string } = {}, server = sshd) =>
    openTransport(world.host(server, { ssh: { user } }), world.options(changes));

  test.each([
    ['free', 'sudo'],
    ['half', 'sudo'],
    ['asks', 'sudo-password'],
    ['ptyasks', 'sudo-password'],
    ['global', 'sudo-password'],
    ['ticketless', 'sudo-password'],
  ])(
    '%s (%s): commands run as root, and 5 MB of input arrive as they are, several at once',
    async (user, privilege) => {
      const host = await login(user, { sudoPassword: PASSWORD });
      const runs = await Promise.all(
        Array.from({ length: 4 }, (_, index) =>
          host.exec('id -u; echo "$1"; cat', { privileged: true, input: payload, args: [`it's ${index}`] }),
        ),
      );
      runs.forEach((run, index) => {
        expect(run.code).toBe(0);
        expect(run.stdout.equals(Buffer.concat([Buffer.from(`0\nit's ${index}\n`), payload]))).toBe(true);
      });
      expect(host.privilege).toBe(privilege);
      expect((await host.exec('id -u', {})).stdout.toString().trim()).not.toBe('0');
      expect(await host.exec('echo out; echo err >&2; exit 1', { privileged: true })).toMatchObject({
        code: 1,
        stdout: Buffer.from('out\n'),
        stderr: Buffer.from('err\n'),
      });
      // Not even after other privileged commands (and their tickets) does the password land in a payload.
      expect((await host.exec('cat', { privileged: true })).stdout.toString()).toBe('');
      await host.close();
    },
  );

  test('no password is ever in an argument, here or there', async () => {
    const host = await login('asks', { sudoPassword: PASSWORD });
    const { stdout } = await host.exec('cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"', {
      privileged: true,
    });
    expect(stdout.length).toBeGreaterThan(100);
    expect(stdout.toString()).not.toContain('battery');
    await host.close();
  });

  test('a privilege already known is not probed again, a NOPASSWD host gets no password even when it is believed to want one', async () => {
    const host = await login('free', { sudoPassword: PASSWORD });
    host.privilege = 'sudo-password';
    expect((await host.exec('cat', { privileged: true, input: Buffer.from('payload') })).stdout.toString()).toBe(
      'payload',
    );
    expect(host.privilege).toBe('sudo');
    await host.close();
  });

  test('a login script that prints does not confuse the probe', async () => {
    const noisy = await startSshd(world.folder, {
      users: { pi: { sudoers: 'ALL=(ALL) NOPASSWD: ALL' } },
      config: ['SetEnv SHLVL=0'],
    });
    writeFileSync(join(noisy.folder, 'home', 'pi', '.bashrc'), 'echo Welcome; echo none\n');
    const host = await login('pi', {}, noisy);
    expect((await host.exec('id -u', { privileged: true })).stdout.toString()).toMatch(/^Welcome\nnone\n0\n$/);
    expect(host.privilege).toBe('sudo');
    await host.close();
  });

  test('asked for once, again when wrong, then remembered', async () => {
    const { asked, questions } = scripted({ 'sudo-password': ['wrong', PASSWORD] });
    const host = await login('asks', { questions });
    await Promise.all([host.exec('true', { privileged: true }), host.exec('true', { privileged: true })]);
    expect(asked).toEqual([
      'sudo-password: sudo password of asks on pi1',
      'sudo-password again: sudo password of asks on pi1',
    ]);
    await host.close();
  });

  test('wrong three times; the payload is never tried as a password', async () => {
    const { asked, questions } = scripted({ 'sudo-password': ['a', 'b', 'c', PASSWORD] });
    const host = await login('asks', { questions });
    const run = host.exec('cat', { privileged: true, input: Buffer.from(`${PASSWORD}\n`) });
    await expect(run).rejects.toMatchObject({ code: 'privilege', host: 'pi1', why: expect.stringContaining('wrong') });
    expect(asked).toHaveLength(3);
    await host.close();
  });

  test('a wrong password from the environment: one try, an error without the password', async () => {
    const { asked, questions } = scripted({ 'sudo-password': [PASSWORD] });
    const host = await login('asks', { questions, sudoPassword: 'wrong secret' });
    const error = await host.exec('true', { privileged: true }).then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: 'privilege', why: expect.stringContaining('wrong') });
    expect(JSON.stringify(error)).not.toContain('wrong secret');
    expect(asked).toEqual([]);
    await host.close();
  });

  test('the same wrong answer again (a file, say) is not tried again', async () => {
    const { asked, questions } = scripted({ 'sudo-password': ['wrong', 'wrong', PASSWORD] });
    const host = await login('asks', { questions });
    await expect(host.exec('true', { privileged: true })).rejects.toMatchObject({
      code: 'privilege',
      why: expect.stringContaining('wrong'),
    });
    expect(asked).toHaveLength(2);
    await host.close();
  });

  test('nobody there to give it', async () => {
    const host = await login('asks');
    await expect(host.exec('true', { privileged: true })).rejects.toMatchObject({
      code: 'privilege',
      next: expect.arrayContaining([expect.stringContaining('NOPASSWD')]),
    });
    await host.close();
  });

  test.each([
    ['stranger', /may not use sudo/],
    ['ttyonly', /terminal/],
  ])('%s: says why sudo will not, and the remedy', async (user, why) => {
    const host = await login(user, { sudoPassword: PASSWORD });
    await expect(host.exec('true', { privileged: true })).rejects.toMatchObject({
      code: 'privilege',
      host: 'pi1',
      why: expect.stringMatching(why),
    });
    await host.close();
  });

  test('a command that hangs is ended on the host', async () => {
    const host = await login('free');
    let pid = '';
    const hung = host.exec('echo $$; exec sleep 1000', {
      timeoutMs: 1_000,
      onOutput: (_stream, chunk) => {
        pid += chunk.toString().trim();
      },
    });
    await expect(hung).rejects.toMatchObject({ code: 'timeout' });
    expect(pid).toMatch(/^\d+$/);
    await expect
      .poll(async () => (await host.exec('kill -0 "$1"', { args: [pid] })).code, { timeout: 5_000 })
      .not.toBe(0);
    await host.close();
  });

  test('neither sudo nor doas', async () => {
    const bare = await startSshd(world.folder, { users: { pi: {} }, hide: ['/usr/bin/sudo', '/usr/bin/doas'] });
    const host = await login('pi', {}, bare);
    await expect(host.exec('true', { privileged: true })).rejects.toMatchObject({
      code: 'privilege',
      why: expect.stringContaining('Neither sudo nor doas'),
    });
    await host.close();
    await bare.stop();
  });

  describe.skipIf(!existsSync('/usr/bin/doas'))('doas', () => {
    test('without a password: 5 MB arrive as they are', async () => {
      const alpine = await startSshd(world.folder, {
        users: { pi: {} },
        hide: ['/usr/bin/sudo'],
        doasConf: 'permit nopass pi as root',
      });
      const host = await login('pi', {}, alpine);
      const { stdout } = await host.exec('id -u; cat', { privileged: true, input: payload });
      expect(stdout.equals(Buffer.concat([Buffer.from('0\n'), payload]))).toBe(true);
      expect(host.privilege).toBe('doas');
      await host.close();
      await alpine.stop();
    });
    test('with a password: says that it cannot be, and the line to add', async () => {
      const alpine = await startSshd(world.folder, {
        users: { pi: {} },
        hide: ['/usr/bin/sudo'],
        doasConf: 'permit pi as root',
      });
      const host = await login('pi', {}, alpine);
      host.privilege = 'none'; // as the facts report it
      await expect(host.exec('true', { privileged: true })).rejects.toMatchObject({
        code: 'privilege',
        next: expect.arrayContaining(['permit nopass pi as root']),
      });
      await host.close();
      await alpine.stop();
    });
  });

  describe('logging in by password', () => {
    const withoutKeys = (user: string, server: Sshd, questions: ConnectQuestions) =>
      openTransport(
        { name: 'pi1', address: '127.0.0.1', ssh: { port: server.port, user } },
        world.options({ questions }),
      );

    test.each([
      ['password', ['KbdInteractiveAuthentication no']],
      ['keyboard-interactive', ['PasswordAuthentication no', 'KbdInteractiveAuthentication yes']],
    ])(
      '%s: asked again when wrong',
      async (_method, config) => {
        const server = await startSshd(world.folder, { users: { pi: { password: PASSWORD } }, config });
        const { asked, questions } = scripted({ 'ssh-password': ['wrong', PASSWORD] });
        const host = await withoutKeys('pi', server, questions);
        expect((await host.exec('id -un')).stdout.toString()).toBe('pi\n');
        expect(asked).toEqual([
          `ssh-password: Password of pi on pi1 (127.0.0.1:${server.port})`,
          `ssh-password again: Password of pi on pi1 (127.0.0.1:${server.port})`,
        ]);
        await host.close();
        await server.stop();
      },
      60_000,
    );

    test('wrong three times, or nobody to ask: what was tried, without the password', async () => {
      const server = await startSshd(world.folder, {
        users: { pi: { password: PASSWORD } },
        config: ['KbdInteractiveAuthentication no'],
      });
      const { asked, questions } = scripted({ 'ssh-password': ['bad1', 'bad2', 'bad3', PASSWORD] });
      const error = await withoutKeys('pi', server, questions).then(
        () => expect.unreachable(),
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ code: 'authentication', why: expect.stringContaining('password') });
      expect(JSON.stringify(error)).not.toMatch(/bad[123]/);
      expect(asked).toHaveLength(3);
      await expect(withoutKeys('pi', server, scripted().questions)).rejects.toMatchObject({ code: 'authentication' });
      await server.stop();
    }, 60_000);

    test('key and then password, where the host wants both', async () => {
      const server = await startSshd(world.folder, {
        users: { pi: { password: PASSWORD } },
        config: ['AuthenticationMethods publickey,password'],
      });
      const { questions } = scripted({ 'ssh-password': [PASSWORD] });
      const host = await openTransport(world.host(server, { ssh: { user: 'pi' } }), world.options({ questions }));
      expect((await host.exec('id -un')).stdout.toString()).toBe('pi\n');
      await host.close();
      await server.stop();
    });

    test('keys come first: a password is not asked for when a key will do', async () => {
      const { asked, questions } = scripted({ 'ssh-password': [PASSWORD] });
      await (await login('asks', { questions })).close();
      expect(asked).toEqual([]);
    });

    test('the machine itself has none of these users', () => {
      expect(readFileSync('/etc/passwd', 'utf8')).not.toMatch(/^ptyasks:/m);
    });
  });
});
