/** What the command runs in: closed pipes, no home, folders that cannot be written, full disks, secrets in the environment. */
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { must } from '../setup/process.ts';
import { Home } from './command.ts';

const home = new Home();
const at = (name: string) => join(home.path, name);
const NOTHING_THERE = 'https://127.0.0.1:1';

beforeAll(async () => {
  await writeFile(
    at('ok.yaml'),
    'schemaVersion: 1\nname: homelab\nhosts:\n  - { name: pi1, address: 127.0.0.9, ssh: { port: 1 } }\n',
  );
});

describe('a reader that goes away', () => {
  it('after one line of help: not a word more', async () => {
    const result = await home.shell('$W --help | head -1');
    expect(result).toMatchObject({ code: 0, stdout: 'Examples:\n', stderr: '' });
  });

  it('of the endless health: it ends by itself, quietly', async () => {
    const watch = `$W health --endpoints ${NOTHING_THERE} --watch --interval 0.2 --json`;
    const result = await home.shell(`{ ${watch}; echo "exit $?" >&2; } | head -1 >first`, { timeoutMs: 20_000 });
    expect(result).toMatchObject({ signal: null, stderr: 'exit 1\n' });
    expect(JSON.parse(await readFile(at('first'), 'utf8'))).toMatchObject({ state: 'no-quorum' });
  });

  it('a result that could not be written is no success', async () => {
    const result = await home.shell(`$W --version >/dev/full`);
    expect(result.code).toBe(1);
  });
});

describe('folders', () => {
  it('without HOME the user’s home is asked of the system', async () => {
    const result = await home.run(['profile', 'path', 'nosuch'], {
      withoutHome: true,
      env: { XDG_CONFIG_HOME: at('config') },
    });
    expect(result.code).toBe(65);
    expect(result.stderr).toContain('no saved profile');
  });

  // A file in the way stands for every folder that cannot be read or made: root is refused by it too.
  it.each<[args: string, variable: string]>([
    ['profile list', 'XDG_CONFIG_HOME'],
    ['profile import ./ok.yaml --yes', 'XDG_CONFIG_HOME'],
    ['plan ./ok.yaml', 'XDG_STATE_HOME'],
    ['replay ./ok.yaml --yes', 'XDG_STATE_HOME'],
    ['certs export ./ok.yaml --client root --out out', 'XDG_STATE_HOME'],
  ])('%s with %s in the way: one error that names the path', async (args, variable) => {
    await writeFile(at('file'), '');
    const result = await home.run(args.split(' '), { env: { [variable]: at('file') } });
    expect(result.code, result.stderr).toBe(1);
    expect(result.stderr).toContain(`${at('file')}/etcd-wizard`);
    expect(result.stderr).toContain('Next:');
    expect(result.stderr).not.toContain('defect of etcd-wizard');
  });

  it('a saved profile and its folder are the person’s own', async () => {
    expect(await home.run(['profile', 'import', './ok.yaml', '--yes'])).toMatchObject({ code: 0 });
    const path = (await home.run(['profile', 'path', 'homelab'])).stdout.trim();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'a state folder on a full disk: said in words, and nothing is cut short',
    async () => {
      await mkdir(at('full'));
      await must('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at('full')]);
      try {
        await home.shell('cat /dev/zero >full/fill');
        const result = await home.run(['profile', 'import', './ok.yaml', '--yes'], {
          env: { XDG_CONFIG_HOME: at('full') },
        });
        expect(result.code, result.stderr).toBe(1);
        expect(result.stderr).toContain('The disk is full.');
        expect(await home.run(['profile', 'list', '--json'], { env: { XDG_CONFIG_HOME: at('full') } })).toMatchObject({
          stdout: '{"profiles":[]}\n',
        });
      } finally {
        await must('umount', [at('full')]);
      }
    },
  );
});

describe('--log-file', () => {
  it('that cannot be written stops the run before it begins', async () => {
    for (const command of ['plan', 'replay']) {
      const result = await home.run([command, './ok.yaml', '--yes', '--log-file', at('nosuch/log')]);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('log file');
      expect(result.stderr).not.toContain('pi1');
    }
  });

  it('that fills up is said once, and the run goes on', async () => {
    const result = await home.run(['plan', './ok.yaml', '--log-file', '/dev/full']);
    expect(result.code).toBe(1);
    expect(result.stderr.match(/goes on without it/g)).toHaveLength(1);
    expect(result.stdout).toContain('pi1 could not be reached');
  });

  it('holds the events, the error and the end, and only its owner may read it', async () => {
    expect((await home.run(['replay', './ok.yaml', '--yes', '--log-file', 'log'])).code).toBe(1);
    const lines = (await readFile(at('log'), 'utf8')).trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { event?: { type: string }; error?: { code: string } });
    expect(entries.at(-1)?.event?.type).toBe('finished');
    expect(entries.find(({ error }) => error)?.error?.code).toBe('preflight');
    expect((await stat(at('log'))).mode & 0o777).toBe(0o600);
  });
});

it('secrets of the environment reach no child and no output', async () => {
  // An ssh of our own: what it is given is what every child is given.
  await mkdir(at('bin'));
  await writeFile(at('bin/ssh'), '#!/bin/sh\nenv >>"$HOME/seen"\nexit 1\n');
  await chmod(at('bin/ssh'), 0o755);
  await mkdir(at('.ssh'));
  await writeFile(at('.ssh/config'), 'Match exec "env >>$HOME/seen"\n  User pi\n');
  const secret = 'hunter2-hunter2';
  const names = [
    'ETCD_WIZARD_SUDO_PASSWORD',
    'ETCD_WIZARD_SSH_PASSWORD',
    'ETCD_WIZARD_CA_PASSPHRASE',
    'VAULT_TOKEN',
    'ETCD_WIZARD_VAULT_PI1_TOKEN',
    'ETCD_WIZARD_VAULT_PI1_SECRET_ID',
    'ETCD_WIZARD_VAULT_PI1_PASSWORD',
  ];
  const result = await home.run(['plan', './ok.yaml', '--verbose', '--log-file', 'log2'], {
    env: { PATH: `${at('bin')}:${process.env.PATH}`, ...Object.fromEntries(names.map((name) => [name, secret])) },
  });
  expect(result.code).toBe(1);
  for (const text of [result.stdout, result.stderr, await readFile(at('log2'), 'utf8')])
    expect(text).not.toContain(secret);
  const seen = await readFile(at('seen'), 'utf8');
  expect(seen).toContain('HOME=');
  expect(seen).not.toContain(secret);
  for (const name of names) expect(seen).not.toContain(name);
});
