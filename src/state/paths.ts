/** Where things lie on the controller, by the XDG Base Directory Specification. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface ControllerPaths {
  /** Profiles. */
  config: string;
  /** One folder a cluster, and the wizard's own known_hosts. */
  state: string;
  cache: string;
  knownHosts: string;
}

/** @param environment usually `process.env`; relative XDG values are ignored, as the specification asks. */
export function controllerPaths(environment: Readonly<Record<string, string | undefined>>): ControllerPaths {
  const home = environment.HOME || homedir();
  const base = (variable: string, fallback: string) => {
    const value = environment[variable];
    return join(value !== undefined && isAbsolute(value) ? value : join(home, fallback), 'etcd-wizard');
  };
  const state = base('XDG_STATE_HOME', '.local/state');
  return {
    config: base('XDG_CONFIG_HOME', '.config'),
    state,
    cache: base('XDG_CACHE_HOME', '.cache'),
    knownHosts: join(state, 'known_hosts'),
  };
}
