/** The wizard's answers as a profile: what was decided is written down, defaults that nobody touched are not. Pure. */
import type { Answers } from '../wizard/types.ts';
import type { ProfileFile } from './schema.ts';

/** @throws RangeError when name or hosts are not answered: a reducer that says `done` has both */
export function profileFromAnswers(answers: Answers): ProfileFile {
  const { name, hosts } = answers;
  if (name === undefined || hosts === undefined || hosts.length === 0)
    throw new RangeError('the wizard is not finished: name and hosts are missing');
  const certificates = {
    ...(answers.keyAlgorithm !== undefined && { keyAlgorithm: answers.keyAlgorithm }),
    ...(answers.validityDays !== undefined && { validityDays: answers.validityDays }),
    ...(answers.extraSans?.length && { extraSans: answers.extraSans }),
    ...(answers.clients !== undefined && { clients: answers.clients.map((commonName) => ({ commonName })) }),
  };
  return {
    schemaVersion: 1,
    name,
    topology: answers.topology ?? 'external',
    addressing: answers.addressing ?? 'ip',
    hosts: hosts.map((host) => ({
      name: host.name,
      address: host.address,
      ...(host.dnsNames.length > 0 && { dnsNames: host.dnsNames }),
      ...(host.zone !== undefined && { zone: host.zone }),
      ...(Object.values(host.ssh).some((value) => value !== undefined) && { ssh: host.ssh }),
    })),
    ...(answers.install !== undefined && answers.install !== 'auto' && { etcd: { install: answers.install } }),
    ca: { source: answers.caSource ?? 'self-signed' },
    // Answers to questions that were asked once and are hidden by «the usual» do not count.
    ...(answers.certificates === 'own' && Object.keys(certificates).length > 0 && { certificates }),
  };
}
