/** A real sshd for the tests: on a loopback port, with keys and a configuration of its own; users of its own where root. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTo, createServer } from 'node:net';
import { join } from 'node:path';

const SSHD = '/usr/sbin/sshd';
export const ROOT = process.getuid?.() === 0;
/** Why these tests cannot run here; undefined: they can. */
export const MISSING = !existsSync(SSHD)
  ? 'openssh-server is not installed'
  : execOk('ssh-keygen', ['-?']) || existsSync('/usr/bin/ssh-keygen')
    ? undefined
    : 'openssh-client is not installed';
/** Users of our own need a private mount namespace. */
export const MISSING_USERS =
  MISSING ??
  (!ROOT
    ? 'not root'
    : !execOk('unshare', ['--mount', 'true'])
      ? 'no mount namespaces'
      : !existsSync('/usr/bin/sudo')
        ? 'sudo is not installed'
        : undefined);

for (const [what, why] of [
  ['SSH tests', MISSING],
  ['sudo and password tests', MISSING_USERS],
] as const) {
  if (why !== undefined) process.stderr.write(`\n*** ${what} are SKIPPED: ${why}. ***\n`);
}

function execOk(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function makeKey(path: string, type = 'ed25519', passphrase = '', format: string[] = []): string {
  rmSync(path, { force: true });
  execFileSync('ssh-keygen', [
    '-q',
    '-t',
    type,
    ...(type === 'rsa' ? ['-b', '2048'] : []),
    '-N',
    passphrase,
    '-C',
    `test ${type}`,
    ...format,
    '-f',
    path,
  ]);
  return path;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

const DOAS_CONF = '/etc/doas.conf';
let madeDoasConf = false;
const running = new Set<ChildProcess>();

/** Ends every sshd that the tests of this file started. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop));
  running.clear();
  if (madeDoasConf) rmSync(DOAS_CONF, { force: true });
}

export interface Sshd {
  port: number;
  folder: string;
  /** Path of the host's private key. */
  hostKey: string;
  log: () => string;
  pid: number;
  stop: () => Promise<void>;
}

export interface SshdOptions {
  /** Lines of sshd_config that win over ours. */
  config?: string[];
  hostKeyTypes?: string[];
  /** Login name → setting; runs in a mount namespace with these users only. */
  users?: Record<string, { password?: string; sudoers?: string }>;
  sudoDefaults?: string[];
  doasConf?: string;
  /** Programs that are not there. */
  hide?: string[];
  port?: number;
}

/** Starts sshd; whoever has `folder/id` may log in as any user. */
export async function startSshd(folder: string, options: SshdOptions = {}): Promise<Sshd> {
  const port = options.port ?? (await freePort());
  const own = join(folder, `sshd-${port}`);
  mkdirSync(own, { recursive: true });
  const keys = (options.hostKeyTypes ?? ['ed25519']).map((type) => {
    const path = join(own, `host_${type}`);
    return existsSync(path) ? path : makeKey(path, type);
  });
  if (ROOT) mkdirSync('/run/sshd', { recursive: true });
  const config = join(own, 'sshd_config');
  writeFileSync(
    config,
    [
      ...(options.config ?? []),
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...keys.map((key) => `HostKey ${key}`),
      `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
      `PidFile ${join(own, 'pid')}`,
      'StrictModes no',
      'PermitRootLogin yes',
      // PAM where passwords are tried; elsewhere it only makes each login slower.
      `UsePAM ${options.users ? 'yes' : 'no'}`,
      'UseDNS no',
      'PrintMotd no',
      'PrintLastLog no',
      'LogLevel VERBOSE',
      // bash started by sshd reads ~/.bashrc only at the first level; whoever runs these tests may have a slow one.
      'SetEnv SHLVL=5',
      'MaxStartups 200',
    ].join('\n'),
  );
  const log = join(own, 'log');
  const args = ['-D', '-f', config, '-E', log];
  const child = options.users ? inNamespace(own, options, args) : spawn(SSHD, args, { stdio: 'ignore' });
  running.add(child);
  await listening(port, child, log);
  return {
    port,
    folder: own,
    hostKey: keys[0] ?? '',
    log: () => readFileSync(log, 'utf8'),
    pid: child.pid ?? 0,
    stop: () => stop(child),
  };
}

/** The machine's own users, sudoers and tickets stay untouched: ours are bind-mounted where only this sshd sees them. */
function inNamespace(own: string, options: SshdOptions, args: string[]): ChildProcess {
  const names = Object.entries(options.users ?? {});
  const etc = join(own, 'etc');
  mkdirSync(join(etc, 'sudoers.d'), { recursive: true });
  const lines = { passwd: [] as string[], shadow: [] as string[], group: [] as string[] };
  names.forEach(([name, user], index) => {
    const id = 61_000 + index;
    const home = join(own, 'home', name);
    mkdirSync(home, { recursive: true });
    chownSync(home, id, id);
    const hash =
      user.password === undefined
        ? '*'
        : execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: user.password, encoding: 'utf8' }).trim();
    lines.passwd.push(`${name}:x:${id}:${id}::${home}:/bin/bash`);
    lines.shadow.push(`${name}:${hash}:19000:0:99999:7:::`);
    lines.group.push(`${name}:x:${id}:`);
  });
  for (const file of ['passwd', 'shadow', 'group'] as const) {
    cpSync(join('/etc', file), join(etc, file));
    writeFileSync(
      join(etc, file),
      `${readFileSync(join('/etc', file), 'utf8').trimEnd()}\n${lines[file].join('\n')}\n`,
    );
  }
  const sudoers = [
    'Defaults env_reset',
    'Defaults lecture=never',
    ...(options.sudoDefaults ?? []),
    'root ALL=(ALL:ALL) ALL',
    ...names.flatMap(([name, user]) => (user.sudoers ? [`${name} ${user.sudoers}`] : [])),
  ];
  writeFileSync(join(etc, 'sudoers'), `${sudoers.join('\n')}\n`, { mode: 0o440 });
  writeFileSync(join(etc, 'doas.conf'), `${options.doasConf ?? ''}\n`, { mode: 0o600 });
  writeFileSync(join(etc, 'nothing'), '', { mode: 0o600 });
  // PAM's two seconds of delay after a wrong password teach these tests nothing.
  const auth = readFileSync('/etc/pam.d/common-auth', 'utf8').replaceAll(/(pam_unix\.so.*)$/gm, '$1 nodelay');
  mkdirSync(join(etc, 'pam.d'), { recursive: true });
  writeFileSync(join(etc, 'pam.d/common-auth'), auth);
  const files = ['passwd', 'shadow', 'group', 'sudoers', 'pam.d/common-auth'];
  // A bind mount needs a file to lie on; ours is gone again in endWorld.
  if (existsSync('/usr/bin/doas') && !existsSync(DOAS_CONF)) {
    writeFileSync(DOAS_CONF, '');
    madeDoasConf = true;
  }
  const binds = files.map((file) => `mount --bind ${join(etc, file)} /etc/${file}`);
  if (existsSync('/usr/bin/doas')) binds.push(`mount --bind ${join(etc, 'doas.conf')} ${DOAS_CONF}`);
  const hidden = (options.hide ?? [])
    .filter((path) => existsSync(path))
    .map((path) => `mount --bind ${join(etc, 'nothing')} ${path}`);
  const script = [
    'mkdir -p /run/sudo',
    'mount -t tmpfs -o mode=711 none /run/sudo',
    ...binds,
    ...hidden,
    `exec ${SSHD} "$@"`,
  ].join(' && ');
  return spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...args], {
    stdio: ['ignore', 'ignore', openSync(join(own, 'stderr'), 'w')],
  });
}

async function listening(port: number, child: ChildProcess, log: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null)
      throw new Error(`sshd ended with ${child.exitCode}: ${existsSync(log) ? readFileSync(log, 'utf8') : ''}`);
    const up = await new Promise<boolean>((resolve) => {
      const socket = connectTo(port, '127.0.0.1');
      socket.once('data', () => resolve(true));
      socket.once('error', () => resolve(false));
    }).catch(() => false);
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('sshd does not answer');
}

/** The listening process and the sessions that it left. */
function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
