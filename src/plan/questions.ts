/** What each host is asked about, so that one look is enough to plan. */
import { posix } from 'node:path';
import { type Layout, layoutOf, PACKAGE_DATA_DIR } from '../etcd/layout.ts';
import type { FactQuestions } from '../facts.ts';
import type { Profile } from '../profile/schema.ts';
import type { QuestionsOf } from './types.ts';

/** By member name. Keys are asked for by sum and by public key: the second tells whose a key is when the sum is not known here. */
export const questionsOf: QuestionsOf = (profile, embedded) =>
  new Map(profile.hosts.map((host) => [host.name, questionsFor(profile, layoutOf(profile, host, embedded))]));

function questionsFor(profile: Profile, layout: Layout): FactQuestions {
  const pairs = Object.values(layout.certificates);
  const systemd = layout.kind === 'systemd';
  return {
    files: unique([
      layout.confFile,
      ...(layout.unitFile === undefined ? [] : [layout.unitFile]),
      layout.trust.client,
      layout.trust.peer,
      ...pairs.map(({ cert }) => cert),
      ...layout.folders.map(({ path }) => path),
    ]),
    secrets: pairs.map(({ key }) => key),
    publicKeys: true,
    dataDirs: unique([layout.dataDir, ...(systemd ? [PACKAGE_DATA_DIR] : [])]),
    mounts: unique(['/', layout.dataDir, posix.dirname(layout.confFile)]),
    names: systemd ? unique(profile.hosts.flatMap(({ dnsNames }) => dnsNames)) : [],
    services: layout.serviceName === undefined ? [] : [layout.serviceName],
  };
}

const unique = (values: string[]): string[] => [...new Set(values)];
