/** What `try` brings up: a profile of members on this machine's loopback, on ports that are free now. */
import { WizardError } from '../errors.ts';
import type { ProfileFile } from '../profile/schema.ts';
import { freePorts } from './ports.ts';

export const TRY_NAME = 'try';
const MAX_MEMBERS = 9;

/**
 * @param members 1 to 9; more on one machine shows nothing new
 * @throws WizardError `usage` for another number
 */
export async function tryProfile(members: number): Promise<ProfileFile> {
  if (!Number.isInteger(members) || members < 1 || members > MAX_MEMBERS)
    throw new WizardError('usage', `try takes 1 to ${MAX_MEMBERS} members.`, { next: ['etcd-wizard try --members 3'] });
  const ports = await freePorts(members * 3);
  return {
    schemaVersion: 1,
    name: TRY_NAME,
    addressing: 'ip',
    hosts: Array.from({ length: members }, (_, index) => {
      const [clientPort, peerPort, metricsPort] = ports.slice(index * 3);
      return {
        name: `m${index + 1}`,
        address: '127.0.0.1',
        clientPort,
        peerPort,
        metricsUrl: `http://127.0.0.1:${metricsPort}`,
      };
    }),
    etcd: { install: 'present' },
  };
}
