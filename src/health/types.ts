/** Samples of endpoints and what they mean together. */
import type { CertificateInfo } from '../pki/types.ts';

export interface Endpoint {
  /** Member name where known, else host:port. */
  name: string;
  /** https://10.0.11.1:2379 */
  url: string;
}

/** Files' contents, in memory. */
export interface TlsCredentials {
  caPem: string;
  certPem?: string;
  keyPem?: string;
}

/** One look at one endpoint. All durations in milliseconds. */
export interface Sample {
  endpoint: Endpoint;
  /** Epoch milliseconds. */
  at: number;
  reachable: boolean;
  /** In words when not reachable or TLS failed: «connection refused», «certificate is for 10.0.20.31, not 10.0.31.1». */
  error?: string;
  /** dns | tcp | tls | http | etcd: how far it got when it failed. */
  failedAt?: 'dns' | 'tcp' | 'tls' | 'http' | 'etcd';
  /** Stable kind of the failure, which the judge and the doctor decide by. */
  failure?:
    | 'unresolved'
    | 'refused'
    | 'timeout'
    | 'unreachable'
    | 'prohibited'
    /** The port is open but nothing comes. */
    | 'silent'
    | 'closed'
    | 'plain-http'
    | 'tls-on-http'
    | 'not-tls'
    | 'handshake'
    /** We refused the server's certificate. */
    | 'server-certificate'
    /** The server refused our client certificate, or wants one. */
    | 'client-certificate'
    /** Our own CA, certificate or key cannot be used. */
    | 'credentials'
    | 'not-http'
    | 'not-etcd'
    /** etcd answered with an error: no leader, timed out. */
    | 'etcd'
    /** etcd's own users and roles are on and deny this. */
    | 'denied';
  tls: 'verified' | 'refused-by-us' | 'refused-by-them' | 'plain' | 'none';
  latencyMs?: number;
  healthy: boolean;
  version?: string;
  clusterId?: string;
  /** Of the last look that succeeded, where this one failed. */
  memberId?: string;
  leaderId?: string;
  isLearner?: boolean;
  term?: number;
  raftIndex?: number;
  raftAppliedIndex?: number;
  dbBytes?: number;
  dbInUseBytes?: number;
  /** NOSPACE, CORRUPT */
  alarms: string[];
  /** What etcd says against itself in words: «no leader», «etcdserver: request timed out». */
  complaint?: string;
  /** A linearizable read succeeded: at that moment a quorum stood behind this member. */
  quorumRead?: boolean;
  /** The endpoint's own certificate, leaf first. */
  chain: CertificateInfo[];
  /** Set when status came from /health alone because the JSON gateway is off. */
  limited?: boolean;
  /** There is no direct way: it was looked at through its host's SSH connection. */
  viaSsh?: boolean;
}

export interface MemberHealth {
  name: string;
  url: string;
  role: 'leader' | 'follower' | 'learner' | 'unknown';
  up: boolean;
  sample: Sample;
  /** Entries behind the leader's raft index. */
  lag?: number;
  /** Whole days until the first of its certificates expires; negative when expired. */
  daysLeft?: number;
  /** Remarks in words, worst first. */
  remarks: string[];
}

export interface ClusterHealth {
  state: 'healthy' | 'degraded' | 'no-quorum' | 'unknown';
  /** «3 of 3 up, 1 may fail» */
  quorum: string;
  up: number;
  total: number;
  /** How many more may fail before quorum is lost; negative when it is lost. */
  mayFail: number;
  leader?: string;
  term?: number;
  clusterId?: string;
  /** Whole days until the first certificate of the members expires; negative when expired. */
  daysLeft?: number;
  members: MemberHealth[];
  /** Cluster-wide remarks: two cluster ids, versions too far apart, alarms. */
  remarks: string[];
}
