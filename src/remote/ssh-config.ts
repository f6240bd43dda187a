/**
 * What ~/.ssh/config says of a host: asked of `ssh -G` where there is an ssh (it knows every keyword and Match),
 * else read here, as far as a connection of ours needs it.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { quoteAll } from '../quote.ts';
import { matchesWildcard } from './known-hosts.ts';

export interface SshConfig {
  hostName?: string;
  user?: string;
  port?: number;
  /** As written: `~` and %-tokens are expanded later. */
  identityFiles: string[];
  identitiesOnly: boolean;
  identityAgent?: string;
  proxyJump?: string;
  proxyCommand?: string;
  userKnownHostsFiles?: string[];
  globalKnownHostsFiles?: string[];
  hostKeyAlias?: string;
  /** What was passed over, in words. */
  notes: string[];
}

export interface ConfigQuery {
  /** The name given to ssh: an alias, a host name or an address. */
  alias: string;
  user?: string;
  port?: number;
}

/** Used by the tests and where no ssh is installed. */
export const NO_SSH_BINARY = 'none';

/**
 * The configuration in force for a host.
 * @param environment HOME decides where ~/.ssh is; PATH where ssh is found.
 * @throws WizardError `bad-input` when ssh itself rejects the file
 */
export async function sshConfigOf(
  query: ConfigQuery,
  environment: NodeJS.ProcessEnv,
  binary = 'ssh',
): Promise<SshConfig> {
  const home = environment.HOME ?? userInfo().homedir;
  return (await askSsh(query, home, environment, binary)) ?? readSshConfig(query, home);
}

async function askSsh(
  query: ConfigQuery,
  home: string,
  environment: NodeJS.ProcessEnv,
  binary: string,
): Promise<SshConfig | undefined> {
  if (binary === NO_SSH_BINARY || query.alias.startsWith('-')) return undefined;
  const args = ['-G'];
  // ssh takes the home folder from the user database; another HOME must be named to it.
  if (home !== userInfo().homedir) {
    const file = join(home, '.ssh', 'config');
    args.push('-F', readText(file) === undefined ? '/dev/null' : file);
  }
  if (query.user !== undefined) args.push('-l', query.user);
  if (query.port !== undefined) args.push('-p', String(query.port));
  args.push('--', query.alias);
  try {
    const { stdout } = await promisify(execFile)(binary, args, {
      env: environment,
      timeout: 10_000,
      maxBuffer: 1 << 20,
    });
    return inHome(parseSshG(stdout), home);
  } catch (thrown) {
    const cause = thrown as NodeJS.ErrnoException & { stderr?: string };
    if (typeof cause.code === 'string' && (cause.code === 'ENOENT' || cause.code === 'EACCES')) return undefined;
    throw new WizardError('bad-input', 'ssh cannot read its configuration.', {
      why: cleanLine((cause.stderr || cause.message).trim()),
      next: ['Correct the file; this command shows the same:', `ssh ${quoteAll(args)}`],
      cause,
    });
  }
}

/** What ssh expands itself lies in the home of the user database; ours may be another (HOME). */
function inHome(config: SshConfig, home: string): SshConfig {
  const theirs = `${userInfo().homedir}/`;
  const moved = (path: string) => (path.startsWith(theirs) ? join(home, path.slice(theirs.length)) : path);
  return {
    ...config,
    ...(config.identityAgent && { identityAgent: moved(config.identityAgent) }),
    ...(config.userKnownHostsFiles && { userKnownHostsFiles: config.userKnownHostsFiles.map(moved) }),
  };
}

/** Reads what `ssh -G` prints: one `keyword value` a line, keywords in lower case. */
function parseSshG(output: string): SshConfig {
  const config: SshConfig = { identityFiles: [], identitiesOnly: false, notes: [] };
  for (const line of output.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) apply(config, line.slice(0, space).toLowerCase(), line.slice(space + 1).trim());
  }
  return config;
}

/** Our own reading: Host blocks with wildcards and negation, Include, `Match all`; other Match blocks are passed over with a note. */
export function readSshConfig(query: ConfigQuery, home: string, system = '/etc/ssh/ssh_config'): SshConfig {
  const config: SshConfig = { identityFiles: [], identitiesOnly: false, notes: [] };
  const walk = (file: string, base: string, active: boolean, depth: number): void => {
    const text = readText(file);
    if (text === undefined || depth > 16) return;
    let here = active;
    text.split('\n').forEach((raw, index) => {
      const [keyword, ...words] = wordsOf(raw);
      if (keyword === undefined) return;
      switch (keyword.toLowerCase()) {
        case 'host':
          here = active && isFor(words, query.alias);
          break;
        case 'match':
          here = active && words.length === 1 && words[0]?.toLowerCase() === 'all';
          if (words[0]?.toLowerCase() !== 'all')
            config.notes.push(
              `${file}:${index + 1}: «Match» was passed over, because no ssh command is installed to decide it.`,
            );
          break;
        case 'include':
          if (here)
            for (const pattern of words)
              for (const each of filesOf(pattern, base, home)) walk(each, base, here, depth + 1);
          break;
        default:
          if (here) apply(config, keyword.toLowerCase(), words.join(' '));
      }
    });
  };
  walk(join(home, '.ssh', 'config'), join(home, '.ssh'), true, 0);
  walk(system, dirname(system), true, 0);
  return config;
}

/** ssh's rule: the first value of a keyword counts; identity files add up. */
function apply(config: SshConfig, keyword: string, value: string): void {
  if (value === '') return;
  const files = () => (value === 'none' ? [] : value.split(/\s+/));
  switch (keyword) {
    case 'hostname':
      config.hostName ??= value;
      break;
    case 'user':
      config.user ??= value;
      break;
    case 'port':
      config.port ??= Number(value) || undefined;
      break;
    case 'identityfile':
      if (value !== 'none' && !config.identityFiles.includes(value)) config.identityFiles.push(value);
      break;
    case 'identitiesonly':
      config.identitiesOnly ||= value === 'yes' || value === 'true';
      break;
    case 'identityagent':
      config.identityAgent ??= value;
      break;
    case 'proxyjump':
      config.proxyJump ??= value;
      break;
    case 'proxycommand':
      config.proxyCommand ??= value;
      break;
    case 'userknownhostsfile':
      config.userKnownHostsFiles ??= files();
      break;
    case 'globalknownhostsfile':
      config.globalKnownHostsFiles ??= files();
      break;
    case 'hostkeyalias':
      config.hostKeyAlias ??= value;
      break;
  }
}

/** `keyword value`, `keyword=value`, with double quotes and comments. */
function wordsOf(raw: string): string[] {
  const line = raw.trim();
  if (line === '' || line.startsWith('#')) return [];
  const words = [...line.replace(/^(\w+)\s*=\s*/, '$1 ').matchAll(/"([^"]*)"|(\S+)/g)].map(
    (found) => found[1] ?? found[2] ?? '',
  );
  const comment = words.findIndex((word, index) => index > 0 && word.startsWith('#'));
  return comment < 0 ? words : words.slice(0, comment);
}

function isFor(patterns: readonly string[], alias: string): boolean {
  const matches = (pattern: string) => matchesWildcard(pattern.toLowerCase(), alias.toLowerCase());
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}

/** Files of an Include: relative to the folder of the configuration; wildcards in the last part of the path. */
function filesOf(pattern: string, base: string, home: string): string[] {
  const path = pattern.startsWith('~/')
    ? join(home, pattern.slice(2))
    : isAbsolute(pattern)
      ? pattern
      : join(base, pattern);
  if (!/[*?]/.test(path)) return [path];
  try {
    const names = readdirSync(dirname(path)).filter(
      (name) => !name.startsWith('.') && matchesWildcard(basename(path), name),
    );
    return names.sort().map((name) => join(dirname(path), name));
  } catch {
    return []; // a folder that is not there includes nothing, as in ssh
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the file is optional
  }
}
