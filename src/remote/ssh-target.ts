/** Where and as whom to log in to one host: the profile's settings over ~/.ssh/config over ssh's defaults. */
import { hostname, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { WizardError } from '../errors.ts';
import type { SshSettings } from '../profile/schema.ts';
import { quoteAll } from '../quote.ts';
import { type SshConfig, sshConfigOf } from './ssh-config.ts';

export interface IdentityFile {
  path: string;
  /** Who named it: a key that the profile names must be usable, the others may be missing. */
  from: 'profile' | 'config' | 'default';
}

export interface SshTarget {
  /** Member name, or the name of a bastion. */
  host: string;
  hostname: string;
  port: number;
  user: string;
  identityFiles: IdentityFile[];
  /** Try the identity files only, no other key of the agent. */
  identitiesOnly: boolean;
  /** Socket of the SSH agent. */
  agent: string | undefined;
  /** Bastions, the one nearest to us first. */
  jump: string[];
  /** Name and port under which known_hosts is searched. */
  knownHostsHost: string;
  knownHostsPort: number;
  knownHostsFiles: string[];
  notes: string[];
}

export interface TargetOptions {
  environment: NodeJS.ProcessEnv;
  /** The ssh command to ask for the configuration; {@link NO_SSH_BINARY}: read it ourselves. */
  sshBinary?: string;
}

const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/**
 * @param host member name, for messages
 * @param address where to connect unless the settings name another host
 * @throws WizardError `bad-input` for settings that cannot work
 */
export async function resolveTarget(
  host: string,
  address: string,
  settings: SshSettings,
  options: TargetOptions,
): Promise<SshTarget> {
  const { environment } = options;
  const alias = settings.host ?? address;
  if (alias.startsWith('-')) throw new WizardError('bad-input', `«${alias}» is no host name.`, { host });
  const config = await sshConfigOf({ alias, user: settings.user, port: settings.port }, environment, options.sshBinary);
  const home = environment.HOME ?? userInfo().homedir;
  const localUser = environment.USER ?? userInfo().username;
  const target: SshTarget = {
    host,
    hostname: (config.hostName ?? alias).replaceAll('%h', alias).replaceAll('%%', '%'),
    port: settings.port ?? config.port ?? 22,
    user: settings.user ?? config.user ?? localUser,
    identityFiles: [],
    identitiesOnly: config.identitiesOnly,
    agent: undefined,
    jump: hopsOf(settings.jump ?? config.proxyJump),
    knownHostsHost: '',
    knownHostsPort: 22,
    knownHostsFiles: [],
    notes: config.notes,
  };
  // An alias stands for host and port together (ssh's load_hostkeys does the same).
  target.knownHostsHost = config.hostKeyAlias ?? target.hostname;
  target.knownHostsPort = config.hostKeyAlias === undefined ? target.port : 22;
  if (
    settings.jump === undefined &&
    config.proxyJump === undefined &&
    config.proxyCommand !== undefined &&
    config.proxyCommand !== 'none'
  ) {
    throw new WizardError('unsupported', `${host} is reached by a ProxyCommand, which etcd-wizard does not run.`, {
      host,
      why: `Your ssh configuration has «ProxyCommand ${config.proxyCommand}» for ${alias}.`,
      next: ['Use ProxyJump there, or name the bastion in the profile: ssh: { jump: user@bastion }'],
    });
  }
  const expand = (path: string) => expandPath(path, { home, localUser, alias, target, environment });
  target.agent = agentOf(config, environment, expand);
  target.identityFiles = identityFilesOf(settings, config, home, expand);
  const ssh = join(home, '.ssh');
  target.knownHostsFiles = [
    ...(config.userKnownHostsFiles ?? [join(ssh, 'known_hosts'), join(ssh, 'known_hosts2')]).map(expand),
    ...(config.globalKnownHostsFiles ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']).map(expand),
  ];
  return target;
}

/** `[user@]host[:port]` of a jump, as ssh settings; a bare name is an alias that ~/.ssh/config may explain. */
export function parseHop(hop: string): { host: string; user?: string; port?: number } {
  const found = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+)|([0-9a-f:]+:[0-9a-f:]*))(?::(\d+))?\/?$/i.exec(hop);
  const host = found?.[2] ?? found?.[3] ?? found?.[4];
  if (!host || host.startsWith('-'))
    throw new WizardError('bad-input', `«${hop}» is no bastion.`, { why: 'Expected [user@]host[:port].' });
  return { host, ...(found?.[1] && { user: found[1] }), ...(found?.[5] && { port: Number(found[5]) }) };
}

/** `10.0.11.1:22`, `[fd00::1]:22`. */
export function endpointOf(target: Pick<SshTarget, 'hostname' | 'port'>): string {
  return target.hostname.includes(':') ? `[${target.hostname}]:${target.port}` : `${target.hostname}:${target.port}`;
}

/** The command with which the person can try the same by hand, with a terminal where a command is given. */
export function sshCommand(target: SshTarget, ...command: string[]): string {
  const jump = target.jump.length > 0 ? ['-J', target.jump.join(',')] : [];
  const tty = command.length > 0 ? ['-t'] : [];
  return `ssh ${quoteAll([...tty, ...jump, '-p', String(target.port), `${target.user}@${target.hostname}`, ...command])}`;
}

const hopsOf = (jump: string | undefined): string[] =>
  jump === undefined || jump.toLowerCase() === 'none' ? [] : jump.split(',').map((hop) => hop.trim());

function identityFilesOf(
  settings: SshSettings,
  config: SshConfig,
  home: string,
  expand: (path: string) => string,
): IdentityFile[] {
  const defaults = DEFAULT_KEYS.map((name) => join(home, '.ssh', name));
  const configured = config.identityFiles.map(expand);
  // `ssh -G` lists the default keys as if they were configured, RSA first; they come last and in our order.
  const isDefault = (path: string) => path.startsWith(join(home, '.ssh', 'id_'));
  const files: IdentityFile[] = [];
  const add = (path: string, from: IdentityFile['from']) => {
    if (!files.some((file) => file.path === path)) files.push({ path, from });
  };
  if (settings.identityFile !== undefined) add(expand(settings.identityFile), 'profile');
  for (const path of configured) if (!isDefault(path)) add(path, 'config');
  const named = settings.identityFile !== undefined || configured.length > 0;
  for (const path of defaults) if (!config.identitiesOnly || !named || configured.includes(path)) add(path, 'default');
  return files;
}

/** IdentityAgent: none, SSH_AUTH_SOCK, $VARIABLE or a path; else the environment's agent. */
function agentOf(
  config: SshConfig,
  environment: NodeJS.ProcessEnv,
  expand: (path: string) => string,
): string | undefined {
  const named = config.identityAgent;
  if (named === 'none') return undefined;
  if (named === undefined || named === 'SSH_AUTH_SOCK') return environment.SSH_AUTH_SOCK || undefined;
  if (named.startsWith('$') && !named.startsWith('${')) return environment[named.slice(1)] || undefined;
  return expand(named);
}

interface Tokens {
  home: string;
  localUser: string;
  alias: string;
  target: SshTarget;
  environment: NodeJS.ProcessEnv;
}

/** `~`, `${VARIABLE}` and the %-tokens of ssh_config(5); a relative path is relative to the current folder, as in ssh. */
function expandPath(path: string, { home, localUser, alias, target, environment }: Tokens): string {
  const tokens: Record<string, string> = {
    '%': '%',
    d: home,
    h: target.hostname,
    i: String(userInfo().uid),
    k: target.knownHostsHost || target.hostname,
    L: hostname().split('.')[0] ?? '',
    l: hostname(),
    n: alias,
    p: String(target.port),
    r: target.user,
    u: localUser,
  };
  const filled = path
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => environment[name] ?? whole)
    .replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
  if (filled === '~') return home;
  if (filled.startsWith('~/')) return join(home, filled.slice(2));
  return isAbsolute(filled) ? filled : resolve(filled);
}
