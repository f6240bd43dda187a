/** The machine of the person: a home of its own with an SSH key, in the lab's network. */
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Result, type Running, type RunOptions, run, start } from '../setup/process.ts';
import { CLI } from './cli.ts';
import type { Host } from './host.ts';
import { clientKey, hostKey } from './image.ts';

export interface ControllerOptions {
  /** The hosts' keys are in ~/.ssh/known_hosts already; default true. */
  knownHosts?: boolean;
}

export interface CliOptions extends RunOptions {
  /** Added to the controller's environment. */
  env?: Record<string, string>;
}

/** Fields of a profile that differ from {@link Controller.profile}'s; `undefined` leaves one out. */
export type ProfileOverrides = Record<string, unknown>;

export class Controller {
  readonly home: string;
  readonly ns: string;
  /** Where the profile's hosts are reached and what they are. */
  readonly #hosts: readonly Host[];

  private constructor(home: string, ns: string, hosts: readonly Host[]) {
    this.home = home;
    this.ns = ns;
    this.#hosts = hosts;
  }

  static async create(
    home: string,
    ns: string,
    hosts: readonly Host[],
    { knownHosts = true }: ControllerOptions,
  ): Promise<Controller> {
    const ssh = join(home, '.ssh');
    for (const folder of [ssh, join(home, '.config'), join(home, '.local/state'), join(home, '.cache')])
      await mkdir(folder, { recursive: true });
    await chmod(ssh, 0o700);
    const key = await clientKey();
    for (const end of ['', '.pub']) await copyFile(`${key}${end}`, join(ssh, `id_ed25519${end}`));
    await chmod(join(ssh, 'id_ed25519'), 0o600);
    const controller = new Controller(home, ns, hosts);
    if (knownHosts) await writeFile(join(ssh, 'known_hosts'), await controller.#knownHosts());
    return controller;
  }

  async #knownHosts(): Promise<string> {
    const lines = this.#hosts.map(async (host) => {
      const key = (await readFile(`${await hostKey(host.name)}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
      return `${host.name},${host.name}.lan,${host.dnsName},${host.address},${host.sshAddress} ${key}\n`;
    });
    return (await Promise.all(lines)).join('');
  }

  /** Nothing of the environment that the tests run in reaches the program. */
  env(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      XDG_CONFIG_HOME: join(this.home, '.config'),
      XDG_STATE_HOME: join(this.home, '.local/state'),
      XDG_CACHE_HOME: join(this.home, '.cache'),
      ...more,
    };
  }

  /** A command line in the lab's network, e.g. for tmux. */
  command(command: string, args: readonly string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.ns, command, ...args]];
  }

  /** Runs any command in the lab's network with this home; the home is also the working folder. */
  exec(command: string, args: readonly string[], options: CliOptions = {}): Promise<Result> {
    return run(...this.command(command, args), { cwd: this.home, ...options, env: this.env(options.env) });
  }

  /** Runs `etcd-wizard ARGS…`; five minutes at most unless said otherwise. */
  run(args: readonly string[], options: CliOptions = {}): Promise<Result> {
    return this.exec(process.execPath, [CLI, ...args], { timeoutMs: 300_000, ...options });
  }

  /** Starts `etcd-wizard ARGS…` and leaves it running; its process id is the program's own, so signals reach it. */
  start(args: readonly string[], options: CliOptions = {}): Running {
    return start(...this.command(process.execPath, [CLI, ...args]), {
      cwd: this.home,
      timeoutMs: 300_000,
      ...options,
      env: this.env(options.env),
    });
  }

  /** The system's own ssh with this home's key and known_hosts (it looks up the home by user id, not in HOME). */
  openssh(args: readonly string[], options: CliOptions = {}): Promise<Result> {
    const files = [
      '-F',
      'none',
      '-i',
      join(this.home, '.ssh/id_ed25519'),
      '-o',
      `UserKnownHostsFile=${join(this.home, '.ssh/known_hosts')}`,
    ];
    return this.exec('ssh', [...files, '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR', ...args], options);
  }

  /** Runs a command on a host as a person would. */
  ssh(host: Host, user: string, command: string, options: CliOptions = {}): Promise<Result> {
    return this.openssh([`${user}@${host.sshAddress}`, command], options);
  }

  /**
   * Writes a profile for all hosts of the lab (user pi, members by address) into the home.
   * @param overrides top-level fields; `hosts` replaces the list, `ssh` and `user` change how every host is reached
   * @returns its path
   */
  async profile(
    overrides: ProfileOverrides = {},
    { file = 'homelab.yaml', user = 'pi', dns = false } = {},
  ): Promise<string> {
    const hosts = this.#hosts.map((host) => ({
      name: host.name,
      address: host.address,
      ...(dns ? { dnsNames: [host.dnsName] } : {}),
      ssh: { user, ...(host.sshAddress === host.address ? {} : { host: host.sshAddress }) },
    }));
    const path = join(this.home, file);
    // JSON is YAML.
    await writeFile(path, `${JSON.stringify({ schemaVersion: 1, name: 'homelab', hosts, ...overrides }, null, 2)}\n`);
    return path;
  }
}
