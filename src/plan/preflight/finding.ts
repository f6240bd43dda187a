/** How a check says what it found. */
import type { PreflightFinding } from '../types.ts';
import type { ClusterView } from '../view.ts';

/** One question put to the whole cluster; pure, and on its own. */
export type Check = (cluster: ClusterView) => PreflightFinding[];

type Rest = Omit<PreflightFinding, 'severity' | 'hosts' | 'id'>;

export const stop = (id: string, hosts: string[], rest: Rest): PreflightFinding => ({
  id,
  severity: 'stop',
  hosts,
  ...rest,
});
export const warn = (id: string, hosts: string[], rest: Rest): PreflightFinding => ({
  id,
  severity: 'warn',
  hosts,
  ...rest,
});
export const note = (id: string, hosts: string[], rest: Rest): PreflightFinding => ({
  id,
  severity: 'note',
  hosts,
  ...rest,
});

/** «pi1», «pi1 and pi2», «pi1, pi2 and pi3». */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `is` or `are`, `has` or `have`. */
export const verb = (count: number, one: string, many: string): string => (count === 1 ? one : many);

/** «90 s», «3 min», «3 h 12 min», «2 days»: a length of time in milliseconds for people. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} days`;
}

/** «512 MiB», «3.2 GiB». */
export const bytes = (count: number): string =>
  count < 2 ** 30 ? `${Math.floor(count / 2 ** 20)} MiB` : `${(count / 2 ** 30).toFixed(1)} GiB`;
