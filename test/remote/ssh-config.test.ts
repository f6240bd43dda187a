import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_SSH_BINARY, readSshConfig } from '../../src/remote/ssh-config.ts';
import { parseHop, resolveTarget, sshCommand } from '../../src/remote/ssh-target.ts';
import { tempFolder } from './world.ts';

const CONFIG = `
# a comment
Include conf.d/*.conf
Host pi1 pi1.lan
  HostName 10.0.11.1
  User = pi
  Port 2222
  IdentityFile ~/.ssh/first
  IdentityFile "%d/.ssh/%h-%r-%n"   # and a comment
  HostKeyAlias the-pi
Host pi* !pi9
  User second
  Port 2299
  ProxyJump jumper@bastion:2200,inner
Host *.lan
  HostName %h.example
Host only
  IdentitiesOnly yes
  IdentityFile ~/.ssh/only
Host agentless
  IdentityAgent none
Host elsewhere
  UserKnownHostsFile ~/.ssh/other ~/.ssh/more
  GlobalKnownHostsFile none
  IdentityAgent ~/agent.sock
Host direct
  ProxyJump none
Host commanded
  ProxyCommand nc %h %p
Match host 10.9.9.9
  User matched
Host *
  User everyone
`;

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = tempFolder();
  mkdirSync(join(folder, '.ssh', 'conf.d'), { recursive: true });
  writeFileSync(join(folder, '.ssh', 'config'), CONFIG);
  writeFileSync(join(folder, '.ssh', 'conf.d', 'a.conf'), 'Host included\n  HostName 10.1.1.1\n');
  environment = { HOME: folder, USER: 'me', PATH: process.env.PATH, SSH_AUTH_SOCK: '/agent' };
});
afterAll(() => rmSync(folder, { recursive: true }));

const hasSsh = (() => {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('\n*** «ssh -G» tests are SKIPPED: no ssh command. ***\n');
    return false;
  }
})();

describe.each([
  ['ssh -G', 'ssh'],
  ['our own reading', NO_SSH_BINARY],
])('%s', (_what, sshBinary) => {
  const resolve = (host: string, ssh = {}) => resolveTarget('member', host, ssh, { environment, sshBinary });
  const it = test.skipIf(sshBinary === 'ssh' && !hasSsh);

  it('first value of a keyword counts, identity files add up, tokens are filled in', async () => {
    const target = await resolve('pi1');
    expect(target).toMatchObject({
      hostname: '10.0.11.1',
      user: 'pi',
      port: 2222,
      jump: ['jumper@bastion:2200', 'inner'],
      agent: '/agent',
    });
    expect(target.identityFiles.slice(0, 2)).toEqual([
      { path: join(folder, '.ssh/first'), from: 'config' },
      { path: join(folder, '.ssh/10.0.11.1-pi-pi1'), from: 'config' },
    ]);
    // An alias stands for host and port.
    expect(target).toMatchObject({ knownHostsHost: 'the-pi', knownHostsPort: 22 });
  });

  it('the profile wins over the file', async () => {
    const target = await resolve('10.5.5.5', {
      host: 'pi1',
      user: 'root',
      port: 22,
      identityFile: '~/mine',
      jump: 'none',
    });
    expect(target).toMatchObject({ hostname: '10.0.11.1', user: 'root', port: 22, jump: [] });
    expect(target.identityFiles[0]).toEqual({ path: join(folder, 'mine'), from: 'profile' });
  });

  it.each<[string, object]>([
    ['pi9', { user: 'everyone', port: 22, hostname: 'pi9', jump: [] }],
    ['pi5', { user: 'second', port: 2299, jump: ['jumper@bastion:2200', 'inner'] }],
    ['nas.lan', { hostname: 'nas.lan.example', user: 'everyone' }],
    ['included', { hostname: '10.1.1.1' }],
    ['agentless', { agent: undefined }],
    ['direct', { jump: [] }],
    ['only', { identitiesOnly: true }],
    ['10.0.0.7', { hostname: '10.0.0.7', port: 22, knownHostsHost: '10.0.0.7' }],
  ])('%s', async (host, expected) => expect(await resolve(host)).toMatchObject(expected));

  it('default keys come after named ones, ed25519 first, and not at all with IdentitiesOnly', async () => {
    const names = (target: { identityFiles: { path: string }[] }) =>
      target.identityFiles.map((file) => file.path.replace(`${folder}/.ssh/`, ''));
    expect(names(await resolve('10.0.0.7'))).toEqual(['id_ed25519', 'id_ecdsa', 'id_rsa']);
    expect(names(await resolve('only'))).toEqual(['only']);
    expect(names(await resolve('pi1')).slice(2)).toEqual(['id_ed25519', 'id_ecdsa', 'id_rsa']);
  });

  it('other known_hosts files and another agent', async () => {
    const target = await resolve('elsewhere');
    expect(target.agent).toBe(join(folder, 'agent.sock'));
    expect(target.knownHostsFiles).toEqual([join(folder, '.ssh/other'), join(folder, '.ssh/more')]);
  });

  it('a ProxyCommand is refused in words', async () => {
    await expect(resolve('commanded')).rejects.toMatchObject({ code: 'unsupported', host: 'member' });
  });

  it('a host that looks like an option never reaches ssh', async () => {
    await expect(resolve('-oProxyCommand=touch /tmp/owned')).rejects.toMatchObject({ code: 'bad-input' });
  });
});

test('our own reading says that it passed a Match block over', () => {
  const config = readSshConfig({ alias: '10.9.9.9' }, folder, '/nonexistent');
  expect(config.user).toBe('everyone');
  expect(config.notes).toEqual([expect.stringContaining(`${join(folder, '.ssh', 'config')}:`)]);
});

test.skipIf(!hasSsh)('ssh decides a Match block', async () => {
  expect(await resolveTarget('member', '10.9.9.9', {}, { environment })).toMatchObject({ user: 'matched' });
});

test.skipIf(!hasSsh)('a configuration that ssh rejects is shown with ssh’s own words', async () => {
  const home = join(folder, 'broken');
  mkdirSync(join(home, '.ssh'), { recursive: true });
  writeFileSync(join(home, '.ssh', 'config'), 'NoSuchKeyword yes\n');
  const broken = resolveTarget('member', 'pi1', {}, { environment: { ...environment, HOME: home } });
  await expect(broken).rejects.toMatchObject({
    code: 'bad-input',
    why: expect.stringMatching(/NoSuchKeyword|nosuchkeyword/),
  });
});

test('tokens of the local side', async () => {
  const target = await resolveTarget(
    'member',
    'x',
    { identityFile: ['%d/%u/%l/%%/%p/$', '{NAME}'].join('') },
    { environment: { ...environment, NAME: 'n' }, sshBinary: NO_SSH_BINARY },
  );
  expect(target.identityFiles[0]?.path).toBe(join(folder, 'me', hostname(), '%', '22', 'n'));
});

test.each<[string, object]>([
  ['bastion', { host: 'bastion' }],
  ['pi@bastion', { host: 'bastion', user: 'pi' }],
  ['pi@bastion:2222', { host: 'bastion', user: 'pi', port: 2222 }],
  ['[fd00::1]:2222', { host: 'fd00::1', port: 2222 }],
  ['ssh://pi@bastion:2222/', { host: 'bastion', user: 'pi', port: 2222 }],
])('bastion %s', (hop, expected) => expect(parseHop(hop)).toEqual(expected));

test.each(['', '-oProxyCommand=x', 'pi@-x', 'a:b:c@'])('no bastion: «%s»', (hop) =>
  expect(() => parseHop(hop)).toThrow(/no bastion/),
);

test('the command to try by hand names bastions and port', async () => {
  expect(sshCommand(await resolveTarget('member', 'pi5', {}, { environment, sshBinary: NO_SSH_BINARY }))).toBe(
    'ssh -J jumper@bastion:2200,inner -p 2299 second@pi5',
  );
});
