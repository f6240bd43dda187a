/** From profile, facts and state to the ordered list of what is to be done. Pure: the same input gives the same plan. */
import { daysLeft } from '../pki/expiry.ts';
import { controllerClients, hostLeaves } from './certificates.ts';
import { type HostFiles, hostFiles } from './files.ts';
import { asideOf, foldersInTheWay, mayStop, serviceOf } from './foreign.ts';
import { isDue } from './leaves.ts';
import { listed, note, warn } from './preflight/finding.ts';
import { preflight } from './preflight/index.ts';
import type { Action, PlanCluster, PreflightFinding } from './types.ts';
import { type ClusterView, type HostView, isRunning, viewOf } from './view.ts';

/**
 * Plans what brings the hosts to the profile. With a finding that stops there are no actions. Otherwise: the
 * controller first, then host by host; in a running cluster the hosts stand in the order in which their members are restarted.
 */
export const planCluster: PlanCluster = (input) => {
  const cluster = viewOf(input);
  const findings = preflight(cluster);
  const stopped = findings.some(({ severity }) => severity === 'stop');
  const { state, token, hosts } = cluster;
  const versions = {
    ...input.state.resolved?.versions,
    ...Object.fromEntries(hosts.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version]]))),
  };
  // The configuration depends on the version, which apt can only tell once it has its lists.
  const unlisted = stopped ? [] : hosts.filter((view) => view.install && view.version === undefined);
  if (unlisted.length > 0)
    return {
      cluster: input.profile.name,
      state,
      findings: [...findings, listsMissing(unlisted)],
      actions: unlisted.flatMap(installation),
      resolved: { token, versions },
      unfinished: true,
    };
  const actions = stopped
    ? []
    : [...controllerActions(cluster), ...restartOrder(cluster).flatMap((view) => hostActions(cluster, view))];
  return {
    cluster: input.profile.name,
    state,
    findings: stopped ? findings : [...findings, ...outage(cluster, actions), ...renewalsDue(cluster)],
    actions,
    resolved: { token, versions },
  };
};

function controllerActions(cluster: ClusterView): Action[] {
  const { anchors, ca, input } = cluster;
  const missing = anchors.filter((anchor) => ca[anchor] === undefined);
  const base = { host: 'controller', commands: [] };
  return [
    ...(missing.length > 0
      ? [
          {
            ...base,
            id: 'mint-ca',
            kind: 'mint-ca' as const,
            title:
              missing.length > 1
                ? 'make two CAs: one for clients and servers, one for peers'
                : `make a CA${missing[0] === 'peer' ? ' for peers' : ''}`,
            why: `${input.profile.name} has none yet; their keys stay on this machine.`,
            anchors: missing,
          },
        ]
      : []),
    ...controllerClients(cluster)
      .filter(({ reasons }) => reasons.length > 0)
      .map(({ leaf, reasons }) => ({
        ...base,
        id: `issue-client:${leaf.commonName}`,
        kind: 'issue-client' as const,
        title: `issue the client certificate ${leaf.commonName}`,
        why: `${reasons.join(', ')}.`,
        leaf,
        reason: reasons.join(', '),
      })),
  ];
}

/** Those that are down first, the leader last: each change of leader costs the cluster an election. */
function restartOrder({ hosts, state, input: { observed } }: ClusterView): HostView[] {
  if (state !== 'running') return hosts;
  const rank = (view: HostView) =>
    !isRunning(view) || observed?.healthy.includes(view.name) === false ? 0 : view.name === observed?.leader ? 2 : 1;
  return [...hosts].sort((a, b) => rank(a) - rank(b));
}

function hostActions(cluster: ClusterView, view: HostView): Action[] {
  const files = hostFiles(cluster, view);
  const preparation = [...installation(view), ...makeRoom(cluster, view), ...userOf(view), ...filesAction(view, files)];
  return [...preparation, ...measurement(cluster, view), ...startAction(cluster, view, files)];
}

function installation(view: HostView): Action[] {
  if (!view.install) return [];
  const packages = ['etcd-server', 'etcd-client'];
  return [
    {
      id: `install-package:${view.name}`,
      host: view.name,
      kind: 'install-package',
      title:
        view.version === undefined
          ? `fetch apt’s lists and install ${packages.join(' and ')}`
          : `install ${packages.join(' and ')} ${view.version}`,
      why: 'etcd is not installed there; its service is masked meanwhile, so that the package’s default member never starts.',
      commands: [
        'systemctl mask --runtime etcd.service',
        ...(view.version === undefined ? ['apt-get update'] : []),
        `apt-get install ${packages.join(' ')}`,
      ],
      packages,
    },
  ];
}

/** Only what the checks let through gets here: the package's default member, or what the person named. */
function makeRoom({ input }: ClusterView, view: HostView): Action[] {
  const { name, foreign } = view;
  const services = [
    ...new Set(foreign.filter((process) => mayStop(view, process)).flatMap((process) => serviceOf(process) ?? [])),
  ];
  return [
    ...services.map((service) => ({
      id: `stop-foreign:${name}:${service}`,
      host: name,
      kind: 'stop-foreign' as const,
      title: `stop the etcd that is there (${service}.service); its data is kept`,
      why: 'It holds the ports and the name of the service.',
      commands: [`systemctl disable --now ${service}.service`],
      service: `${service}.service`,
    })),
    ...foldersInTheWay(view).map((from) => ({
      id: `move-aside:${name}:${from}`,
      host: name,
      kind: 'move-aside' as const,
      title: `move ${from} aside`,
      why: 'The new member begins with an empty data directory; nothing is deleted.',
      commands: [`mv ${from} ${asideOf(view, from, input.stamp)}`],
      from,
      to: asideOf(view, from, input.stamp),
    })),
  ];
}

/** The package brings its user along. */
function userOf({ name, facts, layout, install }: HostView): Action[] {
  if (layout.kind === 'embedded' || facts.etcdUser || install) return [];
  return [
    {
      id: `ensure-user:${name}`,
      host: name,
      kind: 'ensure-user',
      title: 'add the system user etcd',
      why: 'etcd runs as a user of its own.',
      commands: ['useradd --system --no-create-home --shell /usr/sbin/nologin etcd'],
    },
  ];
}

function filesAction({ name, layout }: HostView, { files, folders, leaves, enable, reasons }: HostFiles): Action[] {
  if (reasons.length === 0) return [];
  const { path: folder, mode, owner, group } = layout.certificateFolder;
  const written = files.filter(({ change }) => change !== 'mode');
  const certificates = written.some(({ content }) => content.kind !== 'text');
  const texts = written.filter(({ content }) => content.kind === 'text').map(({ path }) => path);
  const parts = [...(certificates ? [`certificates and keys in ${folder}`] : []), ...texts];
  const title = [
    ...(parts.length > 0 ? [`write ${parts.join(', ')}`] : []),
    ...(written.length < files.length || (parts.length === 0 && folders.length > 0)
      ? ['correct modes and owners']
      : []),
  ].join('; ');
  return [
    {
      id: `files:${name}`,
      host: name,
      kind: 'files',
      title: title === '' ? 'start etcd at boot' : title,
      why: `${reasons.join('; ')}.`,
      commands:
        layout.serviceName === undefined
          ? []
          : ['systemctl daemon-reload', ...(enable ? [`systemctl enable ${layout.serviceName}.service`] : [])],
      leaves,
      folders,
      files,
      ...(leaves.length > 0 && { versioned: { folder, mode, owner, group } }),
      enable,
    },
  ];
}

/** Once in the life of a cluster, where its data will be. */
function measurement({ state, input }: ClusterView, { name, layout }: HostView): Action[] {
  if (state !== 'new' || input.embedded) return [];
  return [
    {
      id: `measure-disk:${name}`,
      host: name,
      kind: 'measure-disk',
      title: `measure how fast the disk under ${layout.dataDir} is`,
      why: 'Every write of etcd waits for it.',
      commands: [],
      folder: layout.dataDir,
    },
  ];
}

/**
 * `start` is for a member that is down while no quorum runs: those start together. Whatever runs, or joins a quorum that
 * runs, is a `restart`.
 */
function startAction({ state }: ClusterView, view: HostView, { restart }: HostFiles): Action[] {
  const { name, layout } = view;
  const running = isRunning(view);
  if (running && restart.length === 0) return [];
  const base = {
    host: name,
    commands:
      layout.serviceName === undefined
        ? []
        : [`systemctl ${running ? 'restart' : 'start'} ${layout.serviceName}.service`],
  };
  if (running)
    return [
      {
        ...base,
        id: `restart:${name}`,
        kind: 'restart',
        title: 'restart the member',
        why: `${restart.join('; ')}.`,
        wasRunning: true,
      },
    ];
  if (state === 'running')
    return [
      {
        ...base,
        id: `restart:${name}`,
        kind: 'restart',
        title: 'start the member',
        why: 'It is not running.',
        wasRunning: false,
      },
    ];
  return [
    {
      ...base,
      id: `start:${name}`,
      kind: 'start',
      title: 'start the member, together with the others',
      why: 'It is not running.',
    },
  ];
}

const listsMissing = (views: readonly HostView[]): PreflightFinding =>
  note(
    'package-lists',
    views.map(({ name }) => name),
    {
      what: `apt on ${listed(views.map(({ name }) => name))} has no package etcd-server in its lists.`,
      why: 'They are fetched first and etcd is installed; everything else depends on its version and is planned and shown then.',
      remedy: [],
    },
  );

/** One member or two cannot be restarted with a quorum around them. */
function outage({ hosts }: ClusterView, actions: readonly Action[]): PreflightFinding[] {
  const restarted = actions.filter((action) => action.kind === 'restart' && action.wasRunning).map(({ host }) => host);
  if (hosts.length > 2 || restarted.length === 0) return [];
  return [
    warn('restart-outage', restarted, {
      what: `The cluster will be away for some seconds while ${listed(restarted)} ${restarted.length === 1 ? 'restarts' : 'restart'}.`,
      why:
        hosts.length === 1
          ? 'Its one member is restarted.'
          : 'Of two members both are needed for a quorum; with three one could restart unnoticed.',
      remedy: [],
    }),
  ];
}

/** Certificates in the last third of their life: told, but left alone by a replay until the last tenth. */
function renewalsDue(cluster: ClusterView): PreflightFinding[] {
  const { now } = cluster.input;
  return cluster.hosts.flatMap((view) => {
    const due = hostLeaves(cluster, view).filter(
      ({ found, reasons }) => reasons.length === 0 && found !== undefined && isDue(found, now),
    );
    if (due.length === 0) return [];
    const days = Math.min(
      ...due.map(({ found }) => (found ? daysLeft(found.notAfter, now) : Number.POSITIVE_INFINITY)),
    );
    return [
      note('renewal-due', [view.name], {
        what: `${view.name}’s certificates are due for renewal: the first expires in ${days} ${days === 1 ? 'day' : 'days'}.`,
        why: 'Two thirds of their life are over. A replay renews them by itself in the last tenth.',
        remedy: ['To renew them now:', `etcd-wizard certs renew ${cluster.called}`],
      }),
    ];
  });
}
