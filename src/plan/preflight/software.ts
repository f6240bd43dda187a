/** Checks of etcd itself on each host: is it there, which version, and does it know the flags. */
import { flagProblem, minorOf } from '../../etcd/versions.ts';
import type { HostView } from '../view.ts';
import { type Check, listed, stop, verb, warn } from './finding.ts';

export const etcdPresent: Check = ({ input: { profile, embedded }, hosts }) => {
  if (embedded) return [];
  const { install, version: wanted } = profile.etcd;
  const missing = install === 'present' ? namesOf(hosts.filter(({ facts }) => !facts.etcd)) : [];
  const others = hosts.filter(({ version }) => wanted !== undefined && version !== undefined && version !== wanted);
  return [
    ...(missing.length > 0
      ? [
          stop('etcd-missing', missing, {
            what: `etcd is not installed on ${listed(missing)}.`,
            why: 'The profile says that it is already there (etcd.install: present).',
            remedy: ['Install it there, or have its package installed: set etcd.install to package.'],
          }),
        ]
      : []),
    ...hosts
      .filter((view) => view.install && view.facts.package.manager !== 'apt')
      .map(({ name, facts }) =>
        stop('no-package', [name], {
          what: `etcd cannot be installed on ${name}.`,
          why: `Packages are installed with apt only so far; ${name} runs ${facts.os.name || facts.os.id}.`,
          remedy: ['Install etcd there yourself; the next run finds it.'],
        }),
      ),
    ...[...new Set(others.map(({ version }) => version))].flatMap((version) =>
      [true, false].flatMap((fromPackage) => {
        const names = namesOf(others.filter((view) => view.version === version && view.install === fromPackage));
        if (names.length === 0) return [];
        return [
          stop('etcd-version', names, {
            what: `${listed(names)} ${fromPackage ? 'would get' : verb(names.length, 'has', 'have')} etcd ${version}, the profile wants ${wanted}.`,
            why: fromPackage
              ? 'The distribution’s package has no other version.'
              : 'An installed etcd is not replaced by a replay.',
            remedy: [
              `Take etcd.version out of the profile, or install that version on ${verb(names.length, 'the host', 'these hosts')}.`,
            ],
          }),
        ];
      }),
    ),
  ];
};

const namesOf = (views: readonly HostView[]): string[] => views.map(({ name }) => name);

/** Members may be one minor apart while a cluster is upgraded, never more. */
export const versionMix: Check = ({ hosts }) => {
  const known = hosts.flatMap(({ name, version }) =>
    version === undefined ? [] : [{ name, minor: minorOf(version), number: Number(minorOf(version).split('.')[1]) }],
  );
  const minors = [...new Set(known.map(({ minor }) => minor))];
  if (minors.length < 2) return [];
  const numbers = known.map(({ number }) => number);
  const text = {
    what: `The hosts have different versions of etcd: ${listed(known.map(({ name, minor }) => `${name} ${minor}`))}.`,
    why: 'etcd allows members one minor version apart, and that only while a cluster is upgraded.',
    remedy: ['Bring all hosts to the same release of the distribution.'],
  };
  return [
    Math.max(...numbers) - Math.min(...numbers) > 1
      ? stop(
          'version-mix',
          known.map(({ name }) => name),
          text,
        )
      : warn(
          'version-mix',
          known.map(({ name }) => name),
          text,
        ),
  ];
};

export const flags: Check = ({ input: { profile }, hosts }) =>
  Object.keys(profile.etcd.extraArgs).flatMap((flag) => {
    const wrong = hosts.flatMap(({ name, version }) => {
      const problem = version === undefined ? undefined : flagProblem(flag, version);
      return problem === undefined ? [] : [{ name, version, problem }];
    });
    const [first] = wrong;
    if (first === undefined) return [];
    return [
      stop(
        'unknown-flag',
        wrong.map(({ name }) => name),
        {
          what: `etcd ${first.version} does not know etcd.extraArgs.${flag}.`,
          why: `${first.problem[0]?.toUpperCase()}${first.problem.slice(1)}. etcd itself would only log a warning and go on without it.`,
          remedy: ['Correct it in the profile.'],
        },
      ),
    ];
  });
