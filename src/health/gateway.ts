/** Answers of etcd's JSON gateway as data. int64 and uint64 come as strings, zero and empty fields are left out (proto3 JSON). */
import { cleanLine } from '../clean.ts';
import { EndpointError } from './failure.ts';

export interface EtcdStatus {
  version: string;
  clusterId: string;
  memberId: string;
  /** '0' while there is no leader. */
  leaderId: string;
  isLearner: boolean;
  term: number;
  raftIndex: number;
  raftAppliedIndex: number;
  dbBytes: number;
  dbInUseBytes: number;
  /** NOSPACE, CORRUPT, of the whole cluster. */
  alarms: string[];
  /** Other complaints, such as «etcdserver: no leader». */
  errors: string[];
}

/** IDs are decimal, as the gateway gives them; etcdctl shows the same numbers in hexadecimal. */
export interface EtcdMember {
  id: string;
  /** Empty while the member has not been started. */
  name: string;
  peerUrls: string[];
  clientUrls: string[];
  isLearner: boolean;
}

export interface Alarm {
  memberId: string;
  kind: string;
}

type Json = Record<string, unknown>;

export const encodeKey = (text: string): string => Buffer.from(text).toString('base64');

const text = (value: unknown): string => (typeof value === 'string' ? cleanLine(value) : '');
const id = (value: unknown): string => (typeof value === 'string' && /^\d{1,20}$/.test(value) ? value : '0');
const number = (value: unknown): number => {
  const parsed = Number(typeof value === 'string' || typeof value === 'number' ? value : 0);
  return Number.isFinite(parsed) ? parsed : 0;
};
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text).filter((each) => each !== '') : []);
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});

export function parseStatus(answer: Json): EtcdStatus {
  const header = object(answer.header);
  const complaints = texts(answer.errors);
  // etcd 3.4 and later list alarms here too, as text of the AlarmMember message: «memberID:… alarm:NOSPACE ».
  const alarms = complaints.flatMap((each) => /\balarm:(\w+)/.exec(each)?.[1] ?? []);
  return {
    version: text(answer.version),
    clusterId: id(header.cluster_id),
    memberId: id(header.member_id),
    leaderId: id(answer.leader),
    isLearner: answer.isLearner === true,
    term: number(answer.raftTerm),
    raftIndex: number(answer.raftIndex),
    raftAppliedIndex: number(answer.raftAppliedIndex),
    dbBytes: number(answer.dbSize),
    dbInUseBytes: number(answer.dbSizeInUse),
    alarms: [...new Set(alarms)],
    errors: complaints.filter((each) => !/\balarm:/.test(each)),
  };
}

export function parseMembers(answer: Json): { clusterId: string; members: EtcdMember[] } {
  const list = Array.isArray(answer.members) ? answer.members.map(object) : [];
  return {
    clusterId: id(object(answer.header).cluster_id),
    members: list.map((each) => ({
      id: id(each.ID),
      name: text(each.name),
      peerUrls: texts(each.peerURLs),
      clientUrls: texts(each.clientURLs),
      isLearner: each.isLearner === true,
    })),
  };
}

export function parseAlarms(answer: Json): Alarm[] {
  const list = Array.isArray(answer.alarms) ? answer.alarms.map(object) : [];
  return list
    .map((each) => ({ memberId: id(each.memberID), kind: text(each.alarm) }))
    .filter(({ kind }) => kind !== '' && kind !== 'NONE');
}

/** gRPC status codes (google.golang.org/grpc/codes). */
const GRPC = { invalidArgument: 3, permissionDenied: 7, failedPrecondition: 9, unauthenticated: 16 } as const;

/** An error that etcd answered with. 3.4 says `error` and `message`, 3.5 and later `message` alone. */
export function refusalOf(answer: Json, status: number): EndpointError {
  const message = text(answer.message) || text(answer.error) || `status ${status}`;
  const code = number(answer.code);
  const bare = message.replace(/^etcdserver: /, '');
  const denied =
    code === GRPC.permissionDenied ||
    code === GRPC.unauthenticated ||
    ((code === GRPC.invalidArgument || code === GRPC.failedPrecondition) && /user name|auth/.test(bare));
  if (denied)
    return new EndpointError(
      'etcd',
      'denied',
      `etcd’s own users and roles are on and deny this: ${bare}`,
      String(code),
    );
  if (/connection error|transport:/.test(bare)) {
    return new EndpointError(
      'etcd',
      'etcd',
      `etcd’s JSON gateway cannot reach its own port: its server certificate lacks the clientAuth usage, or its own CA (${bare.slice(0, 160)})`,
      String(code),
    );
  }
  return new EndpointError('etcd', 'etcd', `etcd says: ${bare}`, String(code));
}
