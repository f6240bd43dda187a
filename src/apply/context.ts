/** What every action's executor is given. */
import { WizardError } from '../errors.ts';
import type { TlsCredentials } from '../health/types.ts';
import type { CertificateAuthority } from '../pki/types.ts';
import type { Plan } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import type { Transport } from '../remote/transport.ts';
import type { ClusterState } from '../state/cluster.ts';
import type { Emit } from './events.ts';
import type { ServiceControl } from './service.ts';

/** The host of actions on this machine. */
export const CONTROLLER = 'controller';

export interface ApplyContext {
  profile: Profile;
  /** The profile as it stands in a command, quoted. */
  called: string;
  plan: Plan;
  /** One open connection a member, by member name. */
  transports: ReadonlyMap<string, Transport>;
  state: ClusterState;
  service: ServiceControl;
  /** Opens the CA when something has to be signed: may ask for a passphrase. */
  authority(): Promise<CertificateAuthority>;
  /** The controller's own client certificate, once it is there. */
  credentials(): Promise<TlsCredentials>;
  /** Set when a CA that is made in this run shall be stored under a passphrase. */
  newCaPassphrase?: string;
  /** Backups of this run go below `/var/backups/etcd-wizard/CLUSTER/STAMP`. */
  stamp: string;
  emit: Emit;
  signal: AbortSignal;
  /** Epoch milliseconds. */
  now(): number;
  /** Peer certificates issued in this run, by member: for the proof of the peer ports. */
  peerCredentials: Map<string, TlsCredentials>;
  /** Hosts on which this run has changed something, `controller` among them: decides between «failed» and «partly applied». */
  touched: Set<string>;
  /** Set for members that are plain processes of this user. */
  embedded?: { root: string };
}

/** @throws WizardError `connect` when the host has no open connection */
export function transportOf(context: Pick<ApplyContext, 'transports'>, host: string): Transport {
  const transport = context.transports.get(host);
  if (transport === undefined) throw new WizardError('connect', `${host} is not connected.`, { host });
  return transport;
}
