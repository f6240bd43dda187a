/** Checks of etcd itself on each host: is it there, which version, and does it know the flags. */
import { flagProblem, minorOf } from '../../etcd/versions.ts';
import { type Check, listed, stop, warn } from './finding.ts';

export const etcdPresent: Check = ({ input: { profile, embedded }, hosts }) => {
  if (embedded) return [];
  return hosts.flatMap((view) => {
    const { name, facts, install, version } = view;
    if (profile.etcd.install === 'present' && !facts.etcd) {
      return [
        stop('etcd-missing', [name], {
          what: `etcd is not installed on ${name}.`,
          why: 'The profile says that it is already there (etcd.install: present).',
          remedy: ['Install it there, or have its package installed: set etcd.install to package.'],
        }),
      ];
    }
    if (install && (facts.package.manager !== 'apt' || version === undefined)) {
      const why =
        facts.package.manager === 'apt'
          ? 'apt knows no package etcd-server there; its lists may be empty or old.'
          : `Packages are installed with apt only so far; ${name} runs ${facts.os.name || facts.os.id}.`;
      return [
        stop('no-package', [name], {
          what: `etcd cannot be installed on ${name}.`,
          why,
          remedy:
            facts.package.manager === 'apt'
              ? ['Refresh the lists on the host:', 'sudo apt-get update']
              : ['Install etcd there yourself; the next run finds it.'],
        }),
      ];
    }
    if (profile.etcd.version === undefined || version === undefined || version === profile.etcd.version) return [];
    return [
      stop('etcd-version', [name], {
        what: `${name} ${install ? 'would get' : 'has'} etcd ${version}, the profile wants ${profile.etcd.version}.`,
        why: install
          ? 'The distribution’s package has no other version.'
          : 'An installed etcd is not replaced by a replay.',
        remedy: ['Take etcd.version out of the profile, or install that version on the host.'],
      }),
    ];
  });
};

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
