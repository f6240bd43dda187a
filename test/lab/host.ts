/**
 * One host of the lab: a container with a real init, a real sshd, an address and a disk of its own, and the things that
 * happen to such machines.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unmountUnder } from '../setup/cache.ts';
import { must, type Result, type Running, type RunOptions, run, sleep, start, waitFor } from '../setup/process.ts';
import { createGroup, killGroup, removeGroup } from './cgroup.ts';
import { hostKey } from './image.ts';
import { deleteNamespace, dropAddresses, type HostAddresses, setAddresses } from './network.ts';

export interface HostSettings {
  /** Unique on this machine: the lab's name and the host's. */
  id: string;
  name: string;
  /** The number that its addresses end in, less ten. */
  number: number;
  addresses: HostAddresses;
  /** Image layers, the topmost first. */
  layers: string[];
  /** The host's own writable folder; removed with the host. */
  folder: string;
  /** Resolver and web server of the lab. */
  gateway: string;
  /** `Packages` of the lab's repository, as if `apt-get update` had run; absent: a machine that never did. */
  packageList?: string;
}

export interface BootOptions {
  /** Milliseconds between its services' start and its addresses (a slow DHCP server); default: has them from the start. */
  addressAfterMs?: number;
}

/** Joins the control groups given as arguments up to `--`, then becomes the command after it and dies with its parent. */
const LAUNCH = `while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec setpriv --pdeathsig KILL "$@"`;

export class Host {
  readonly name: string;
  /** What etcd listens on and advertises. */
  readonly address: string;
  /** What SSH is reached at: the same, unless the lab has a management network. */
  readonly sshAddress: string;
  /** DNS name that the lab's resolver has for it, beside `NAME` and `NAME.lan`. */
  readonly dnsName: string;
  /** Network namespace. */
  readonly ns: string;
  readonly #settings: HostSettings;
  #machine: Running | undefined;
  /** The init process, as the machine outside numbers it. */
  #leader = 0;

  constructor(settings: HostSettings) {
    this.#settings = settings;
    this.name = settings.name;
    this.address = settings.addresses.address;
    this.sshAddress = settings.addresses.management ?? settings.addresses.address;
    this.dnsName = `etcd.az${settings.number}.home`;
    this.ns = settings.id;
  }

  get #root(): string {
    return join(this.#settings.folder, 'root');
  }

  /** Puts the disk together: a copy of the image, and what makes this host this host. */
  async install(): Promise<void> {
    const { folder, layers, gateway, id, number } = this.#settings;
    const [image, upper, work] = ['image', 'upper', 'work'].map((part) => join(folder, part)) as [
      string,
      string,
      string,
    ];
    for (const each of [image, upper, work, this.#root]) await mkdir(each, { recursive: true });
    const lower = (part: string): string => `lowerdir=${layers.map((layer) => join(layer, part)).join(':')}`;
    // A real disk, as hosts have it: only /usr, which is large and hardly written to, is shared with the image.
    await must('mount', ['-t', 'overlay', 'overlay', '-o', lower('') + (layers.length === 1 ? `:${work}` : ''), image]);
    await must('find', [
      image,
      '-mindepth',
      '1',
      '-maxdepth',
      '1',
      '!',
      '-name',
      'usr',
      '-exec',
      'cp',
      '-a',
      '-t',
      this.#root,
      '{}',
      '+',
    ]);
    await must('umount', [image]);
    await mkdir(join(this.#root, 'usr'));
    await must('mount', [
      '-t',
      'overlay',
      'overlay',
      '-o',
      `${lower('usr')},upperdir=${upper},workdir=${work}`,
      join(this.#root, 'usr'),
    ]);
    const put = (path: string, content: string): Promise<void> => writeFile(join(this.#root, path), content);
    // An empty machine-id would make systemd treat the boot as the first one and enable every service again.
    await put(
      'etc/machine-id',
      `${Buffer.from(`${id}`).toString('hex').padEnd(30, '0').slice(-30)}${String(number).padStart(2, '0')}\n`,
    );
    await put('etc/hostname', `${this.name}\n`);
    // As Debian's and Raspberry Pi OS's installers write it.
    await put('etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${this.name}\n::1 localhost ip6-localhost ip6-loopback\n`);
    await put('etc/resolv.conf', `nameserver ${gateway}\n`);
    await rm(join(this.#root, 'etc/apt/sources.list.d'), { recursive: true, force: true });
    await put('etc/apt/sources.list', `deb [trusted=yes] http://${gateway}:8000/debian/ ./\n`);
    if (this.#settings.packageList !== undefined) {
      await copyFile(
        this.#settings.packageList,
        join(this.#root, `var/lib/apt/lists/${gateway}:8000_debian_._Packages`),
      );
    }
    const key = await hostKey(this.name);
    for (const end of ['', '.pub'])
      await copyFile(`${key}${end}`, join(this.#root, `etc/ssh/ssh_host_ed25519_key${end}`));
  }

  /** Starts the host and waits until its sshd listens. Everything on its disk is as it was left. */
  async boot({ addressAfterMs = 0 }: BootOptions = {}): Promise<void> {
    if (this.#machine !== undefined) throw new Error(`${this.name} is running`);
    const { id, addresses } = this.#settings;
    if (addressAfterMs === 0) await setAddresses(this.ns, addresses);
    else await dropAddresses(this.ns, addresses);
    const machine = [
      'systemd-nspawn',
      '-q',
      '--register=no',
      '--keep-unit',
      '--link-journal=no',
      '--resolv-conf=off',
      '--timezone=off',
    ];
    const args = [
      `--machine=${id}`,
      `--hostname=${this.name}`,
      `--network-namespace-path=/run/netns/${this.ns}`,
      '-D',
      this.#root,
      '--boot',
    ];
    this.#machine = start('sh', ['-c', LAUNCH, 'sh', ...(await createGroup(id)), '--', ...machine, ...args], {
      timeoutMs: 0,
    });
    this.#machine.done.catch(() => undefined);
    try {
      await waitFor(`${this.name} boots`, () => this.#listens());
    } catch (error) {
      throw new Error(`${this.name} did not boot:\n${this.console()}`, { cause: error });
    }
    if (addressAfterMs > 0) {
      void sleep(addressAfterMs).then(async () => {
        if (existsSync(`/run/netns/${this.ns}`)) await setAddresses(this.ns, addresses);
      });
    }
  }

  /** Port 22 is listened on: read from the kernel's table, so that no connection disturbs sshd. */
  async #listens(): Promise<boolean> {
    const pid = this.#machine?.child.pid;
    this.#leader = Number(
      (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).trim().split(' ')[0] ?? 0,
    );
    if (this.#leader === 0) return false;
    const table = await readFile(`/proc/${this.#leader}/net/tcp`, 'utf8').catch(() => '');
    return /: 00000000:0016 00000000:0000 0A/.test(table);
  }

  /** What the host printed on its console. */
  console(): string {
    return this.#machine?.output() ?? '';
  }

  /** Waits until every unit of the boot has been started. @returns systemd's word: `running` or `degraded` */
  async settled(): Promise<string> {
    return (await this.exec('systemctl is-system-running --wait')).stdout.trim();
  }

  /** Power cut: everything ends at once, the disk keeps what had been written. */
  async kill(): Promise<void> {
    await killGroup(this.#settings.id);
    await this.#machine?.done;
    this.#machine = undefined;
    this.#leader = 0;
    await removeGroup(this.#settings.id);
  }

  /** Shuts down in order. */
  async shutdown(): Promise<void> {
    await this.exec('systemctl poweroff --no-block');
    await this.#machine?.done;
    await this.kill();
  }

  /** Removes the host for good. */
  async remove(): Promise<void> {
    await this.kill();
    if (existsSync(`/run/netns/${this.ns}`)) await deleteNamespace(this.ns);
    await unmountUnder(this.#root);
    await rm(this.#settings.folder, { recursive: true, force: true });
  }

  /** Runs a shell script as root, past SSH and sudo, with whatever network it has. */
  exec(script: string, options: RunOptions & { args?: string[] } = {}): Promise<Result> {
    const inside = ['-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p', '-r', '-w'];
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
    };
    return run('/usr/bin/nsenter', [...inside, '/bin/sh', '-c', script, 'sh', ...(options.args ?? [])], {
      env,
      ...options,
    });
  }

  /** The same for a script that must succeed. @returns its standard output @throws Error with both streams */
  async sh(script: string, options: RunOptions & { args?: string[] } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(script, options);
    if (code !== 0) throw new Error(`${this.name}: exit ${code}: ${script}\n${stdout}${stderr}`);
    return stdout;
  }

  async write(path: string, content: string | Buffer, { mode = 0o644, owner = 'root:root' } = {}): Promise<void> {
    const script = 'mkdir -p "$1" && cat >"$2" && chmod "$3" "$2" && chown "$4" "$2"';
    await this.sh(script, { args: [dirname(path), path, mode.toString(8), owner], input: content });
  }

  async read(path: string): Promise<string> {
    return await this.sh('cat "$1"', { args: [path] });
  }

  async exists(path: string): Promise<boolean> {
    return (await this.exec('test -e "$1" || test -L "$1"', { args: [path] })).code === 0;
  }

  /**
   * Every file below the folders with type, mode, owner, size, change time and target: two equal trees mean that nothing
   * was written in between, not even the same content.
   */
  async tree(...folders: string[]): Promise<string> {
    const script = 'find "$@" -printf "%p %y %m %u:%g %s %C@ %l\\n" 2>/dev/null | sort';
    return await this.sh(script, {
      args:
        folders.length > 0
          ? folders
          : ['/etc', '/usr/local', '/root', '/home', '/var/backups', '/var/lib/dpkg', '/tmp', '/var/tmp', '/run/lock'],
    });
  }

  /** The journal's lines, of one unit or of all. */
  async journal(unit?: string): Promise<string> {
    return await this.sh(`journalctl --no-pager -o cat ${unit === undefined ? '' : '-u "$1"'}`, {
      args: unit === undefined ? [] : [unit],
    });
  }
}
