/** An etcd that is on a host already and is not the cluster's: what it is and what may be done about it. */
import { posix } from 'node:path';
import { PACKAGE_DATA_DIR } from '../etcd/layout.ts';
import type { EtcdProcess } from '../facts.ts';
import type { HostView } from './view.ts';

/** systemd's unit of a process, without suffix; undefined where no unit of its own runs it. */
export function serviceOf(process: EtcdProcess): string | undefined {
  const name = process.service?.replace(/\.service$/, '');
  return name === undefined ||
    name === '' ||
    name.includes('.') ||
    /^(kubelet|containerd|docker|crio|user@|session-)/.test(name)
    ? undefined
    : name;
}

/**
 * What Debian's package starts when it is installed: one member, plain http on loopback, and nothing stored. The only etcd
 * that may be stopped by agreeing to the plan; whether it is empty must have been seen.
 */
export function isPackageDefault(process: EtcdProcess): boolean {
  const { environment, argv, dataDir, keyCount } = process;
  const value = (name: string) => environment[`ETCD_${name}`] ?? '';
  const urls = [
    'LISTEN_CLIENT_URLS',
    'LISTEN_PEER_URLS',
    'ADVERTISE_CLIENT_URLS',
    'INITIAL_ADVERTISE_PEER_URLS',
  ].flatMap((name) => value(name).split(',').filter(Boolean));
  return (
    serviceOf(process) === 'etcd' &&
    argv.length <= 1 &&
    (dataDir ?? environment.ETCD_DATA_DIR) === PACKAGE_DATA_DIR &&
    urls.every((url) => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\/?$/.test(url)) &&
    value('INITIAL_CLUSTER').split(',').length <= 1 &&
    !Object.keys(environment).some((name) => /_(CERT|KEY|TRUSTED_CA)_FILE$/.test(name)) &&
    keyCount === 0
  );
}

/** May be stopped by this run: the package's default member always, any other only where the person named the host. */
export const mayStop = (view: HostView, process: EtcdProcess): boolean =>
  serviceOf(process) !== undefined && (isPackageDefault(process) || view.takeOver);

/** The data of another etcd lies where ours is to lie, or inside of it. */
export const isInTheWay = (view: HostView, folder: string): boolean =>
  folder === view.layout.dataDir || folder.startsWith(`${view.layout.dataDir}/`);

/** Where a data directory is moved to: `…/STAMP/var-lib-etcd-default`. */
export function asideOf(view: HostView, folder: string, stamp: string): string {
  return posix.join(view.layout.backupRoot ?? posix.dirname(folder), stamp, folder.slice(1).replaceAll('/', '-'));
}

/** A data directory with something in it, at our place, on a host that carries nothing of this cluster. */
export function isLeftOver(view: HostView): boolean {
  const folder = view.facts.dataDirs[view.layout.dataDir];
  return folder?.exists === true && !folder.empty && !view.ours && view.process === undefined;
}

/** Folders that make room for the member's: another etcd's data in the way, or data that nobody of this cluster left. */
export function foldersInTheWay(view: HostView): string[] {
  const others = view.foreign.flatMap(({ dataDir }) =>
    dataDir !== undefined && isInTheWay(view, dataDir) ? [dataDir] : [],
  );
  return [...new Set([...others, ...(isLeftOver(view) ? [view.layout.dataDir] : [])])];
}
