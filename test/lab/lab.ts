/**
 * Real hosts to test on: containers with systemd, sshd and a network of their own, started in a second or two and gone
 * afterwards. Needs root on Linux with Debian's tools; see `scripts/prerequisites.mjs`.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Release } from '../setup/apt.ts';
import { type Running, start } from '../setup/process.ts';
import { createGroup } from './cgroup.ts';
import { type CliOptions, Controller, type ControllerOptions } from './controller.ts';
import { type BootOptions, Host } from './host.ts';
import { aptRepository, type EtcdVariant, hostKey, imageLayers } from './image.ts';
import { createLabNet, gateway, MANAGEMENT_NET, type Management, MEMBER_NET, plugHost } from './network.ts';
import { claimName, removeLab, removeStale } from './stale.ts';

export interface LabOptions {
  /** How many, named pi1, pi2, …; or their names. Default 3. */
  hosts?: number | readonly string[];
  /** Debian's release of all hosts, or one per host; the lab's repository is the first one's. Default bookworm. */
  release?: Release | readonly Release[];
  /** What all hosts have of etcd, or one value per host. Default `present`. */
  etcd?: EtcdVariant | readonly EtcdVariant[];
  /** Where SSH is reached; default `shared`. */
  management?: Management;
  /** The controller's known_hosts has the hosts' keys; default true. */
  knownHosts?: boolean;
  /** The hosts' apt knows the lab's packages already; false: it has no lists until `apt-get update`. Default true. */
  packageLists?: boolean;
  /** DNS names beside NAME, NAME.lan and etcd.azN.home: name to address. */
  names?: Record<string, string>;
}

export class Lab {
  readonly hosts: readonly Host[];
  /** Network namespace of the controller. */
  readonly ns: string;
  /** The lab's own address: DNS on port 53, a web server on port 8000 with the apt repository under /debian/. */
  readonly address: string;
  /** Folder that the web server serves. */
  readonly www: string;
  readonly controller: Controller;
  readonly #id: string;
  readonly #folder: string;
  readonly #names: Map<string, string>;
  readonly #servants: Running[];

  private constructor(parts: {
    id: string;
    folder: string;
    hosts: Host[];
    address: string;
    www: string;
    controller: Controller;
    names: Map<string, string>;
    servants: Running[];
  }) {
    this.#id = parts.id;
    this.ns = parts.id;
    this.#folder = parts.folder;
    this.hosts = parts.hosts;
    this.address = parts.address;
    this.www = parts.www;
    this.controller = parts.controller;
    this.#names = parts.names;
    this.#servants = parts.servants;
  }

  /** Brings everything up; ends when every host has booted and its services have been started. */
  static async start(options: LabOptions = {}): Promise<Lab> {
    const { management = 'shared', packageLists = true } = options;
    await removeStale();
    const names =
      typeof options.hosts === 'object'
        ? options.hosts
        : Array.from({ length: options.hosts ?? 3 }, (_, index) => `pi${index + 1}`);
    const release = (index: number): Release =>
      (typeof options.release === 'object' ? options.release[index] : options.release) ?? 'bookworm';
    const variant = (index: number): EtcdVariant =>
      (typeof options.etcd === 'object' ? options.etcd[index] : options.etcd) ?? 'present';
    const repository = await aptRepository(release(0));
    const layers = await Promise.all(names.map((_, index) => imageLayers(release(index), variant(index))));
    const { id, folder } = await claimName();
    try {
      await createLabNet(id, management);
      const address = gateway(management);
      const hosts = names.map((name, index) => {
        const end = 11 + index;
        const addresses = {
          address: `${MEMBER_NET}.${end}`,
          ...(management === 'shared' ? {} : { management: `${MANAGEMENT_NET}.${end}` }),
        };
        return new Host({
          id: `${id}-${name}`,
          name,
          number: index + 1,
          addresses,
          layers: layers[index] ?? [],
          folder: join(folder, name),
          gateway: address,
          ...(packageLists ? { packageList: join(repository, 'Packages') } : {}),
        });
      });
      const www = join(folder, 'www');
      await mkdir(www);
      await symlink(repository, join(www, 'debian'));
      const records = new Map<string, string>(Object.entries(options.names ?? {}));
      for (const host of hosts)
        for (const name of [host.name, `${host.name}.lan`, host.dnsName])
          if (!records.has(name)) records.set(name, host.address);
      const servants = await startServants(id, folder, address, www, records);
      const controller = await Controller.create(join(folder, 'home'), id, hosts, {
        knownHosts: options.knownHosts ?? true,
      });
      const lab = new Lab({ id, folder, hosts, address, www, controller, names: records, servants });
      // Keys first: hosts that boot at once must not wait for each other's.
      for (const name of names) await hostKey(name);
      // Not all of many at once: their boots would starve each other.
      for (let from = 0; from < hosts.length; from += 8) {
        await Promise.all(
          hosts.slice(from, from + 8).map(async (host, index) => {
            await plugHost(id, host.ns, from + index + 1, management);
            await host.install();
            await host.boot();
            await host.settled();
          }),
        );
      }
      return lab;
    } catch (error) {
      await removeLab(id);
      throw error;
    }
  }

  /** The host at an index. @throws Error when there is none */
  host(index: number): Host {
    const host = this.hosts[index];
    if (host === undefined) throw new Error(`the lab has ${this.hosts.length} hosts`);
    return host;
  }

  /** Another person's machine: a home of its own, nothing of the first one's state. */
  newController(name: string, options: ControllerOptions = {}): Promise<Controller> {
    return Controller.create(join(this.#folder, `home-${name}`), this.ns, this.hosts, options);
  }

  /** Runs `etcd-wizard ARGS…` on the controller. */
  run(args: readonly string[], options: CliOptions = {}): ReturnType<Controller['run']> {
    return this.controller.run(args, options);
  }

  /** Changes what the lab's DNS answers; null removes a name. */
  async dns(changes: Record<string, string | null>): Promise<void> {
    for (const [name, address] of Object.entries(changes)) {
      if (address === null) this.#names.delete(name);
      else this.#names.set(name, address);
    }
    await writeNames(this.#folder, this.#names);
    // dnsmasq reads its hosts file again.
    this.#servants[0]?.child.kill('SIGHUP');
  }

  /** Cuts the power of all hosts at once. */
  async powerCut(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.kill()));
  }

  /** Boots all hosts at once. */
  async boot(options: BootOptions = {}): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.boot(options)));
  }

  /** Removes everything. */
  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.remove()));
    for (const servant of this.#servants) servant.child.kill('SIGKILL');
    await Promise.all(this.#servants.map((servant) => servant.done));
    await removeLab(this.#id);
  }
}

const writeNames = (folder: string, names: Map<string, string>): Promise<void> =>
  writeFile(join(folder, 'names'), [...names].map(([name, address]) => `${address} ${name}\n`).join(''));

/** DNS and web server of the lab, and the files by which the controller's own resolver finds them. */
async function startServants(
  id: string,
  folder: string,
  address: string,
  www: string,
  names: Map<string, string>,
): Promise<Running[]> {
  await writeNames(folder, names);
  await mkdir(`/etc/netns/${id}`, { recursive: true });
  await writeFile(`/etc/netns/${id}/resolv.conf`, `nameserver ${address}\n`);
  await writeFile(`/etc/netns/${id}/hosts`, '127.0.0.1 localhost\n::1 localhost\n');
  const group = await createGroup(`${id}-servants`);
  const join_ = 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec ip netns exec "$@"';
  const servant = (...command: string[]): Running =>
    start('sh', ['-c', join_, 'sh', ...group, '--', id, ...command], { timeoutMs: 0 });
  const dns = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--local=/#/',
    '--bind-interfaces',
    '--user=root',
    '--pid-file=',
  ];
  return [
    servant('dnsmasq', ...dns, `--addn-hosts=${join(folder, 'names')}`, `--listen-address=${address}`),
    servant('busybox', 'httpd', '-f', '-p', `${address}:8000`, '-h', www),
  ];
}
