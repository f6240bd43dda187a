/** Checks of what is on a host already: another etcd, another cluster's files, data without configuration. */
import { posix } from 'node:path';
import type { EtcdProcess } from '../../facts.ts';
import { isInTheWay, isLeftOver, isPackageDefault, mayStop, serviceOf } from '../foreign.ts';
import type { ClusterView, HostView } from '../view.ts';
import { type Check, listed, note, stop, verb, warn } from './finding.ts';

/** One command for all hosts that have to be named: with fewer it would stop again. */
const takeOver = (called: string, hosts: readonly string[]) =>
  ['etcd-wizard replay', called, ...hosts.map((host) => `--take-over ${host}`)].join(' ');

/** Runs a member of another cluster that etcd-wizard set up; undefined for any other etcd. */
const otherMember = ({ input: { profile } }: ClusterView, view: HostView, process: EtcdProcess) =>
  view.writtenFor !== profile.name && serviceOf(process) === view.layout.serviceName && !isPackageDefault(process)
    ? view.writtenFor
    : undefined;

/** Hosts on which something is that only the person can give up, those named already among them. */
const toBeNamed = (hosts: readonly HostView[]) =>
  hosts
    .filter(
      (view) => view.takeOver || view.foreign.some((each) => serviceOf(each) !== undefined && !isPackageDefault(each)),
    )
    .map(({ name }) => name);

export const foreignEtcd: Check = (cluster) => {
  const { called, hosts } = cluster;
  return hosts.flatMap((view) =>
    view.foreign.flatMap((process) => {
      const { name } = view;
      const other = otherMember(cluster, view, process);
      const service = serviceOf(process);
      const data = process.dataDir ?? 'an unknown folder';
      if (isPackageDefault(process)) {
        return note('package-default', [name], {
          what: `The package’s own etcd runs on ${name}, with nothing stored in it.`,
          why: 'Debian starts one when etcd-server is installed. It is stopped to make room; its data is kept.',
          remedy: [],
        });
      }
      if (service === undefined) {
        return stop('foreign-etcd', [name], {
          what: `Another etcd runs on ${name} (process ${process.pid}, user ${process.user}, data in ${data}).`,
          why: 'It is not run by a systemd unit of its own, so it cannot be stopped from here: a container, the kubelet or a person started it.',
          remedy: ['Stop it where it was started, or choose another host.'],
        });
      }
      if (mayStop(view, process)) {
        return warn('take-over', [name], {
          what: `The etcd${other === undefined ? '' : ` of the cluster ${other}`} on ${name} (${service}.service, data in ${data}) will be stopped.`,
          why: 'You named this host with --take-over. Its data is kept.',
          remedy: [],
        });
      }
      // All of that cluster's hosts are told of at once.
      if (other !== undefined) return [];
      return stop('foreign-etcd', [name], {
        what: `Another etcd runs on ${name} (${service}.service, data in ${data}).`,
        why:
          process.keyCount === undefined
            ? 'Whether it holds anything could not be seen; somebody may need it.'
            : `It holds ${process.keyCount} ${process.keyCount === 1 ? 'key' : 'keys'}; somebody may need ${process.keyCount === 1 ? 'it' : 'them'}.`,
        remedy: [
          'If it is no longer needed, agree to stopping it; its data is kept:',
          takeOver(called, toBeNamed(hosts)),
        ],
      });
    }),
  );
};

/** Another profile's cluster, running: most often this one under its old name. */
export const otherClusterRuns: Check = (cluster) => {
  const { called, hosts } = cluster;
  const found = hosts.flatMap((view) =>
    view.takeOver
      ? []
      : view.foreign
          .flatMap((process) => otherMember(cluster, view, process) ?? [])
          .slice(0, 1)
          .map((other) => ({ name: view.name, other })),
  );
  return [...new Set(found.map(({ other }) => other))].map((other) => {
    const names = found.filter((each) => each.other === other).map(({ name }) => name);
    return stop('other-cluster-runs', names, {
      what: `${listed(names)} ${verb(names.length, 'runs a member', 'run members')} of another cluster, ${other}.`,
      why: 'etcd-wizard set it up; a host holds one member. A replay never changes a cluster’s name.',
      remedy: [
        `If it was only renamed in this profile, put name: ${other} back. If it is no longer needed, take it down first:`,
        `etcd-wizard uninstall ${other}`,
        'Or agree to stopping it; its data is kept:',
        takeOver(called, toBeNamed(hosts)),
      ],
    });
  });
};

export const otherCluster: Check = ({ input: { profile }, called, hosts }) =>
  hosts.flatMap(({ name, writtenFor, foreign, takeOver: named, layout }) => {
    // While it runs it is told of as a foreign etcd.
    if (writtenFor === undefined || writtenFor === profile.name || foreign.length > 0) return [];
    const text = {
      what: `${name} carries the configuration of another cluster, ${writtenFor} (${layout.confFile}).`,
      why: 'etcd-wizard wrote it; a host holds one member.',
    };
    return [
      named
        ? warn('other-cluster', [name], { ...text, remedy: [] })
        : stop('other-cluster', [name], {
            ...text,
            remedy: [
              `If ${writtenFor} has ended there, or was only renamed in this profile, look at it first:`,
              `etcd-wizard uninstall ${writtenFor}`,
              'Or agree to replacing its configuration (a copy is kept) and to moving aside what is in the way:',
              takeOver(called, [name]),
            ],
          }),
    ];
  });

export const leftOverData: Check = ({ called, hosts }) =>
  hosts.flatMap((view) => {
    const { name, layout, facts, foreign } = view;
    const started = facts.dataDirs[layout.dataDir]?.hasWal === true;
    if (!isLeftOver(view) || foreign.some(({ dataDir }) => dataDir !== undefined && isInTheWay(view, dataDir)))
      return [];
    const what = `${layout.dataDir} on ${name} holds ${started ? 'an etcd’s data' : 'files'}, but no configuration of this cluster is there.`;
    if (view.takeOver)
      return [
        warn('left-over-data', [name], {
          what,
          why: 'You named this host with --take-over: it is moved aside, not deleted.',
          remedy: [],
        }),
      ];
    return [
      stop('left-over-data', [name], {
        what,
        why: started
          ? 'A member started on it would come up with the old data and the old cluster’s identity.'
          : 'What they are is not known here.',
        remedy: [
          'Choose another etcd.dataDir, or agree to moving it aside:',
          `etcd-wizard replay ${called} --take-over ${name}`,
        ],
      }),
    ];
  });

/** Files of somebody else at our paths are replaced, with a copy kept; worth knowing before agreeing. */
export const filesInTheWay: Check = ({ input, hosts }) => {
  if (input.embedded) return [];
  return hosts.flatMap(({ name, ours, facts, layout, writtenFor }) => {
    if (ours || writtenFor !== undefined) return [];
    const ourPaths = [
      layout.confFile,
      layout.unitFile ?? '',
      layout.trust.client,
      layout.trust.peer,
      ...Object.values(layout.certificates).flatMap(({ cert, key }) => [cert, key]),
    ];
    const there = [...new Set(ourPaths)].filter(
      (path) => facts.files[path] !== undefined && facts.files[path]?.target !== '/dev/null',
    );
    if (there.length === 0) return [];
    const shown = there.slice(0, 3).join(', ');
    return [
      warn('files-replaced', [name], {
        what: `On ${name} ${shown}${there.length > 3 ? ` and ${there.length - 3} more` : ''} will be replaced.`,
        why: 'Somebody else put them there. They are copied first, with owner and mode.',
        remedy: [`They will be in ${posix.join(layout.backupRoot ?? '', input.stamp)}.`],
      }),
    ];
  });
};
