/** The files of one host: what differs from what should be there, and whether a running member has to be restarted for it. */
import { unsupportedArch } from '../etcd/arch.ts';
import { memberConfig } from '../etcd/config.ts';
import { parseEnvironmentFile } from '../etcd/environment-file.ts';
import type { FolderSpec, Ownership } from '../etcd/layout.ts';
import { renderEnvironmentFile, renderUnit } from '../etcd/render.ts';
import type { FileFact } from '../facts.ts';
import type { Anchor, LeafSpec } from '../pki/types.ts';
import { hostLeaves } from './certificates.ts';
import { foldersInTheWay, mayStop, serviceOf } from './foreign.ts';
import type { Content, FileChange } from './types.ts';
import type { ClusterView, HostView } from './view.ts';

export interface HostFiles {
  files: FileChange[];
  folders: FolderSpec[];
  /** Issued and put there; all of a host's together, because their folder is switched as a whole. */
  leaves: LeafSpec[];
  /** The service has to be enabled at boot. */
  enable: boolean;
  /** Why a running member has to be restarted, in words; empty when it need not be. */
  restart: string[];
  /** Why anything is done, in words; empty when nothing is. */
  reasons: string[];
}

export function hostFiles(cluster: ClusterView, view: HostView): HostFiles {
  const { layout, facts } = view;
  const conf = wantedConf(cluster, view);
  const texts = [
    ...(textChange(facts.files[layout.confFile], layout.confFile, conf, layout.conf) ?? []),
    ...(layout.unitFile && layout.unit
      ? (textChange(
          facts.files[layout.unitFile],
          layout.unitFile,
          renderUnit(cluster.input.profile.name, layout, view.binary),
          layout.unit,
        ) ?? [])
      : []),
  ];
  const certificates = certificateChanges(cluster, view);
  // What is moved aside has to be made again.
  const aside = foldersInTheWay(view);
  const folderFact = ({ path }: FolderSpec) => (aside.includes(path) ? undefined : facts.files[path]);
  const folders = layout.folders.filter(
    (folder) => folderFact(folder) === undefined || ownershipReason(folderFact(folder), folder) !== undefined,
  );
  // An etcd that is stopped to make room is disabled with it, under the same name of service.
  const disabled = view.foreign.some((process) => mayStop(view, process) && serviceOf(process) === layout.serviceName);
  const enable = layout.serviceName !== undefined && (view.service?.enabled !== true || disabled);
  const files = [...certificates.files, ...texts];
  const isNew = files.length > 0 && files.every(({ path }) => facts.files[path] === undefined);
  const reasons = [
    ...certificates.reasons,
    ...texts.map(
      ({ path, change, reason }) => `${path} ${reason ?? (change === 'create' ? 'is not there yet' : 'differs')}`,
    ),
    ...folders.map((folder) => `${folder.path} ${ownershipReason(folderFact(folder), folder) ?? 'is not there yet'}`),
    ...(enable ? ['etcd is not started at boot'] : []),
  ];
  return {
    files,
    folders,
    leaves: certificates.leaves,
    enable,
    restart: restartReasons(view, conf, texts, certificates.trustChanged),
    reasons: isNew ? ['nothing of this cluster is there yet'] : shortened(reasons),
  };
}

/** Enough to know why; the diff has all of it. */
const shortened = (reasons: string[]): string[] =>
  reasons.length > 6 ? [...reasons.slice(0, 5), `${reasons.length - 5} more`] : reasons;

function wantedConf(cluster: ClusterView, { host, layout, goArch, version = '0.0.0' }: HostView): string {
  const { profile } = cluster.input;
  return renderEnvironmentFile(
    profile.name,
    memberConfig(profile, host, { version, token: cluster.token, layout }),
    unsupportedArch(goArch, version),
  );
}

function textChange(
  fact: FileFact | undefined,
  path: string,
  text: string,
  owned: Ownership,
): FileChange[] | undefined {
  const content: Content = { kind: 'text', text };
  if (fact === undefined) return [{ path, content, ...owned, change: 'create' }];
  if (fact.content !== text)
    return [
      { path, content, ...owned, change: 'replace', ...(fact.content !== undefined && { before: fact.content }) },
    ];
  return modeChange(fact, path, content, owned);
}

function modeChange(fact: FileFact, path: string, content: Content, owned: Ownership): FileChange[] {
  const reason = ownershipReason(fact, owned);
  return reason === undefined ? [] : [{ path, content, ...owned, change: 'mode', reason }];
}

/** Certificates, keys and trust files lie in one folder that is switched by one rename: when one changes, all are written. */
function certificateChanges(
  cluster: ClusterView,
  view: HostView,
): { files: FileChange[]; leaves: LeafSpec[]; reasons: string[]; trustChanged: boolean } {
  const { layout, facts } = view;
  const leaves = hostLeaves(cluster, view);
  const anchors = cluster.anchors.map((anchor) => ({
    anchor,
    path: layout.trust[anchor],
    state: trustState(cluster, view, anchor),
  }));
  const stale = leaves.some(({ reasons }) => reasons.length > 0) || anchors.some(({ state }) => state !== 'same');
  const owned = layout.certificateFile;
  const pieces: { path: string; content: Content; reason?: string }[] = [
    ...anchors.map(({ anchor, path, state }) => ({
      path,
      content: { kind: 'trust' as const, anchor },
      ...(state !== 'same' && { reason: state }),
    })),
    ...leaves.flatMap(({ leaf, reasons }) => {
      const { cert, key } = layout.certificates[leaf.role];
      const reason = { reason: reasons.length > 0 ? reasons.join(', ') : 'renewed together with the others' };
      return [
        { path: cert, content: { kind: 'certificate' as const, leaf: leaf.id }, ...reason },
        { path: key, content: { kind: 'key' as const, leaf: leaf.id }, ...reason },
      ];
    }),
  ];
  const files = pieces.flatMap(({ path, content, reason }): FileChange[] => {
    const fact = facts.files[path];
    if (!stale) return fact === undefined ? [] : modeChange(fact, path, content, owned);
    const before = content.kind === 'key' ? undefined : fact?.content;
    return [
      {
        path,
        content,
        ...owned,
        change: fact === undefined ? 'create' : 'replace',
        ...(before !== undefined && { before }),
        ...(reason !== undefined && { reason }),
      },
    ];
  });
  const reasons = stale
    ? [
        ...leaves.flatMap(({ leaf, reasons: why }) => why.map((each) => `${leaf.role} certificate: ${each}`)),
        ...anchors.filter(({ state }) => state !== 'same').map(({ path, state }) => `${path}: ${state}`),
      ]
    : files.map(({ path, reason }) => `${path} ${reason ?? 'differs'}`);
  return {
    files,
    leaves: stale ? leaves.map(({ leaf }) => leaf) : [],
    reasons: [...new Set(reasons)],
    trustChanged: anchors.some(({ state }) => state !== 'same'),
  };
}

/** `same`, or in words what is wrong. */
function trustState({ input }: ClusterView, { facts, layout }: HostView, anchor: Anchor): string {
  const wanted = input.state.ca[anchor]?.certificatePem;
  const fact = facts.files[layout.trust[anchor]];
  if (fact === undefined) return 'it is not there yet';
  return wanted !== undefined && fact.content?.trim() === wanted.trim() ? 'same' : 'it is not this cluster’s CA';
}

/**
 * A certificate that was renewed needs no restart: etcd reads the pair again at every handshake. Configuration, unit and
 * trusted CAs are read at start only. What the process itself was started with is compared, not only the file, so that a run
 * that was cut off between writing and restarting is finished by the next one.
 */
function restartReasons(
  { process, service, current }: HostView,
  conf: string,
  texts: readonly FileChange[],
  trustChanged: boolean,
): string[] {
  const wanted = settingsInForce(parseEnvironmentFile(conf));
  const inForce =
    process && Object.keys(process.environment).some((name) => name.startsWith('ETCD_'))
      ? process.environment
      : (current ?? {});
  const given = settingsInForce(inForce);
  const changed = [...new Set([...Object.keys(wanted), ...Object.keys(given)])].filter(
    (name) => wanted[name] !== given[name],
  );
  const unit = texts.some(({ path, change }) => path.endsWith('.service') && change !== 'mode');
  return [
    ...(changed.length > 0
      ? [`${changed.slice(0, 3).join(', ')}${changed.length > 3 ? ` and ${changed.length - 3} more` : ''} changed`]
      : []),
    ...(unit || service?.needsReload === true ? ['the unit changed'] : []),
    ...(trustChanged ? ['the trusted CA is read at start only'] : []),
  ];
}

/** etcd does not look at ETCD_INITIAL_* once it has data: a difference there is no reason to restart it. */
function settingsInForce(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => name.startsWith('ETCD_') && !name.startsWith('ETCD_INITIAL_')),
  );
}

/** @returns what is wrong with mode, owner or group, in words */
function ownershipReason(fact: FileFact | undefined, { mode, owner, group }: Ownership): string | undefined {
  if (fact === undefined) return undefined;
  const wrong = [
    ...(fact.mode === mode ? [] : [`has mode ${octal(fact.mode)} instead of ${octal(mode)}`]),
    ...(owner === undefined || (fact.owner === owner && fact.group === (group ?? fact.group))
      ? []
      : [`belongs to ${fact.owner}:${fact.group} instead of ${owner}:${group ?? fact.group}`]),
  ];
  return wrong.length === 0 ? undefined : wrong.join(' and ');
}

export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
