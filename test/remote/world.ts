/** What a connection needs on this side: a home, keys, answers to questions. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { ConnectHost, ConnectOptions } from '../../src/remote/connect.ts';
import type { ConnectQuestions } from '../../src/remote/transport.ts';
import { makeKey, stopAll } from './sshd.ts';

/** A folder that goes away with the tests; world-readable, as the users of a mount namespace must get in. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wizard-ssh-'));
  chmodSync(folder, 0o755);
  return folder;
}

/** Answers as scripted and writes down what was asked. */
export function scripted(
  answers: Partial<Record<Parameters<ConnectQuestions['secret']>[0]['kind'], (string | undefined)[]>> = {},
  accept = true,
) {
  const asked: string[] = [];
  let open = 0;
  const alone = async <T>(answer: () => T): Promise<T> => {
    if (++open > 1) throw new Error('two questions at once');
    await new Promise((resolve) => setTimeout(resolve, 5));
    open--;
    return answer();
  };
  const questions: ConnectQuestions = {
    acceptHostKey: (key) =>
      alone(() => {
        asked.push(`host-key ${key.host} ${key.fingerprint}`);
        return accept;
      }),
    secret: (question) =>
      alone(() => {
        asked.push(`${question.kind}${question.retry ? ' again' : ''}: ${question.prompt}`);
        return answers[question.kind]?.shift();
      }),
  };
  return { asked, questions };
}

export interface World {
  folder: string;
  home: string;
  key: string;
  /** Options for a connection; nothing of the person's own ~/.ssh is seen. */
  options: (changes?: Partial<ConnectOptions>) => ConnectOptions;
  host: (sshd: { port: number }, changes?: { name?: string; ssh?: ConnectHost['ssh'] }) => ConnectHost;
}

/** A folder with a home, a key and the list of keys that may log in. */
export function makeWorld(): World {
  const folder = tempFolder();
  const home = join(folder, 'home');
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  const key = makeKey(join(folder, 'id'));
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${key}.pub`));
  const user = userInfo().username;
  return {
    folder,
    home,
    key,
    options: (changes = {}) => ({
      questions: scripted({}, false).questions,
      acceptNewHostKeys: true,
      environment: { HOME: home, USER: user, PATH: process.env.PATH },
      ownKnownHosts: join(folder, 'own', 'known_hosts'),
      ...changes,
    }),
    host: ({ port }, { name = 'pi1', ssh = {} } = {}) => ({
      name,
      address: '127.0.0.1',
      ssh: { port, user, identityFile: key, ...ssh },
    }),
  };
}

/** Ends the sshds of the tests and removes the folder. */
export async function endWorld(world: World | undefined): Promise<void> {
  await stopAll();
  if (world) rmSync(world.folder, { recursive: true, force: true });
}

/** A home without any ~/.ssh, and no host key accepted yet. */
export function emptyHome(world: World): void {
  rmSync(join(world.folder, 'own'), { recursive: true, force: true });
  rmSync(join(world.home, '.ssh'), { recursive: true, force: true });
  mkdirSync(join(world.home, '.ssh'), { mode: 0o700 });
}

/** Lets a key log in. */
export function allowKey(world: World, key: string): void {
  appendFileSync(join(world.folder, 'authorized_keys'), readFileSync(`${key}.pub`));
}

/** As ssh-keygen prints it. */
export function fingerprint(key: string): string {
  return execFileSync('ssh-keygen', ['-lf', `${key}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

/** Type and key, without the comment. */
export function publicKey(key: string): string {
  return readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}
