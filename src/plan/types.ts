/** A plan: what would be done where, in order, each step with its check. Pure data; nothing secret in it. */
import type { FactQuestions, HostFacts } from '../facts.ts';
import type { CertificateInfo, LeafSpec } from '../pki/types.ts';
import type { Profile } from '../profile/schema.ts';

/** A finding of the preflight. `stop` ends the run before anything is touched. */
/** A host that could not be reached, or not be looked at as root. */
export interface UnreachableHost {
  host: string;
  /** What failed where the host did answer («sudo on pi1 does not make pat root.»); absent: there was no way to it. */
  what?: string;
  reason: string;
  next: string[];
}

export interface PreflightFinding {
  /** Stable name such as `clock-skew`, `port-in-use`. */
  id: string;
  severity: 'stop' | 'warn' | 'note';
  hosts: string[];
  what: string;
  why: string;
  /** What to do, a line each; commands on lines of their own. */
  remedy: string[];
}

/** Where a file's bytes come from; what is secret or not yet made is named, not held. */
export type Content =
  | { kind: 'text'; text: string }
  | { kind: 'certificate'; leaf: string }
  | { kind: 'key'; leaf: string }
  | { kind: 'trust'; anchor: 'client' | 'peer' };

export interface FileChange {
  path: string;
  content: Content;
  mode: number;
  owner?: string;
  group?: string;
  /** create: not there; replace: other bytes; mode: bytes right, mode or owner not. */
  change: 'create' | 'replace' | 'mode';
  /** Present bytes of a public file, for the diff. */
  before?: string;
  /** In words, for `mode` and for why a certificate is reissued («10.0.11.9 is not in it», «expires in 12 days»). */
  reason?: string;
}

interface Base {
  /** Unique and stable between two plans of the same state: `files:pi1`. */
  id: string;
  /** Member name, or `controller`. */
  host: string;
  title: string;
  /** Why it is needed, in words. */
  why: string;
  /** The commands that run, as a person would type them; for reading and for the log pane. */
  commands: string[];
}

export type Action = Base &
  (
    | { kind: 'mint-ca'; anchors: ('client' | 'peer')[] }
    | { kind: 'issue-client'; leaf: LeafSpec; reason: string }
    /** Install the distribution's package with its service masked meanwhile. */
    | { kind: 'install-package'; packages: string[] }
    /** Stop and disable an etcd that is in the way; its data is kept. */
    | { kind: 'stop-foreign'; service: string }
    /** Move a data directory aside (never delete): `from` → `to`. */
    | { kind: 'move-aside'; from: string; to: string }
    | { kind: 'ensure-user' }
    /** fsync measured with a small write in the data directory's file system; the first apply only. */
    | { kind: 'measure-disk'; folder: string }
    | {
        kind: 'files';
        leaves: LeafSpec[];
        folders: { path: string; mode: number; owner?: string; group?: string }[];
        files: FileChange[];
        versioned?: { folder: string; mode: number; owner?: string; group?: string };
        enable: boolean;
      }
    /** All members of a new cluster at once. */
    | { kind: 'start' }
    /** One member of a running cluster; quorum and health are checked before and after. */
    | { kind: 'restart'; wasRunning: boolean }
    | { kind: 'proof'; readOnly: boolean }
  );

export type ActionKind = Action['kind'];

export interface Plan {
  cluster: string;
  /** new: nothing of it exists; running: quorum is there; stopped: members exist but none or too few run. */
  state: 'new' | 'running' | 'stopped';
  findings: PreflightFinding[];
  /** Without the closing proof, which belongs to every run: empty means nothing to do. */
  actions: Action[];
  /** What the profile records once decided: written to the state folder before the first host is touched. */
  resolved: Resolved;
  /** Set where what follows depends on what these actions bring (an etcd whose version is not yet known): it is planned and shown then. */
  unfinished?: true;
}

/** Decided once, read back ever after. */
export interface Resolved {
  token: string;
  /** etcd's version on each host as found or as it will be installed. */
  versions: Record<string, string>;
}

/** What the controller's state folder knows of the cluster. */
export interface ControllerState {
  resolved?: Partial<Resolved>;
  /** Anchors whose certificate and key are here. */
  ca: { client?: { certificatePem: string; hasKey: boolean }; peer?: { certificatePem: string; hasKey: boolean } };
  /** Certificates that were put on hosts: leaf id → certificate and the SHA-256 of its key file. */
  issued: Record<string, { certificatePem: string; keySha256: string }>;
  /** Client bundles on this controller: common name → certificate. */
  clients: Record<string, string>;
  /** Epoch milliseconds of the first proof that succeeded; absent for a cluster that has never been proved. */
  bootstrappedAt?: number;
}

/** What a running cluster says of itself; absent when no member answered. */
export interface ObservedCluster {
  clusterId: string;
  members: { id: string; name: string; peerUrls: string[]; clientUrls: string[]; isLearner: boolean }[];
  /** Member names that answered as healthy. */
  healthy: string[];
  /** Member name of the leader, which is restarted last. */
  leader?: string;
}

/** One TCP dial from a host (or the controller) to a member's port. */
export interface DialFact {
  from: string;
  to: string;
  port: 'client' | 'peer';
  outcome: 'open' | 'refused' | 'timeout' | 'unreachable' | 'unresolved' | 'unchecked';
  detail?: string;
}

export interface PlanInput {
  profile: Profile;
  /** How the person names the profile (a path, perhaps), for commands in messages; absent: by its name. */
  profileName?: string;
  facts: HostFacts[];
  unreachable: UnreachableHost[];
  state: ControllerState;
  observed?: ObservedCluster;
  dials: DialFact[];
  /** Epoch milliseconds. */
  now: number;
  /** A fresh token, used only if none was decided before. */
  freshToken: string;
  /** Hosts named by --take-over. */
  takeOver: string[];
  /** Members run as plain processes of this user below a folder (`try`): no root, no service manager. */
  embedded?: Embedded;
  inspect(pem: string): CertificateInfo;
  /** Text form of a moment for folder names, e.g. 20261121T113000Z. */
  stamp: string;
}

/** What `try` brings: every member's files live in `ROOT/MEMBER/`. */
export interface Embedded {
  root: string;
  etcdPath: string;
  etcdVersion: string;
}

/** What to ask each host about, by member name. */
export type QuestionsOf = (profile: Profile, embedded?: Embedded) => Map<string, FactQuestions>;
export type PlanCluster = (input: PlanInput) => Plan;
