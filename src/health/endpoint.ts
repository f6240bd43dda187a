/** A client of one etcd endpoint: etcd's JSON gateway (3.4 and later), /health and /version. */
import { EndpointError } from './failure.ts';
import {
  type Alarm,
  type EtcdMember,
  type EtcdStatus,
  encodeKey,
  parseAlarms,
  parseMembers,
  parseStatus,
  refusalOf,
} from './gateway.ts';
import { Connection } from './http.ts';

/** etcd's etcdhttp/embed serve.go: with authentication on, since the gateway's own certificate would count as the client's. */
const COMMON_NAME_IGNORED = 'CommonName of client sending a request against gateway';

export class EndpointClient extends Connection {
  /** @throws EndpointError */
  async status(): Promise<EtcdStatus> {
    return parseStatus(await this.#call('maintenance/status', {}));
  }

  /** @throws EndpointError */
  async members(): Promise<{ clusterId: string; members: EtcdMember[] }> {
    return parseMembers(await this.#call('cluster/member/list', {}));
  }

  /** Alarms of all members. @throws EndpointError */
  async alarms(): Promise<Alarm[]> {
    return parseAlarms(await this.#call('maintenance/alarm', { action: 'GET' }));
  }

  /** @param lease the key vanishes with it @throws EndpointError */
  async put(key: string, value: string, lease?: string): Promise<void> {
    await this.#call('kv/put', { key: encodeKey(key), value: encodeKey(value), lease });
  }

  /** @returns the lease's id; etcd revokes it by itself after `seconds` @throws EndpointError */
  async grantLease(seconds: number): Promise<string> {
    const { ID } = await this.#call('lease/grant', { TTL: seconds });
    if (typeof ID !== 'string') throw new EndpointError('etcd', 'etcd', 'etcd granted no lease');
    return ID;
  }

  /** Deletes the lease and all its keys. @throws EndpointError */
  async revokeLease(lease: string): Promise<void> {
    await this.#call('lease/revoke', { ID: lease });
  }

  /** A linearizable read: succeeds only where a quorum stands behind the member. @throws EndpointError */
  async get(key: string): Promise<string | undefined> {
    const answer = await this.#call('kv/range', { key: encodeKey(key) });
    const first = Array.isArray(answer.kvs) ? (answer.kvs[0] as { value?: string } | undefined) : undefined;
    return first === undefined ? undefined : Buffer.from(first.value ?? '', 'base64').toString();
  }

  /** How many keys begin with the prefix ('' for all), by a linearizable read. @throws EndpointError */
  async count(prefix: string): Promise<number> {
    const answer = await this.#call('kv/range', {
      // A zero byte as both ends means every key (etcd's rpc.proto, RangeRequest).
      key: encodeKey(prefix === '' ? '\0' : prefix),
      range_end: prefix === '' ? encodeKey('\0') : prefixEnd(prefix),
      count_only: true,
    });
    return Number(answer.count ?? 0);
  }

  /** Deletes one key, or all with the prefix. @returns how many were deleted @throws EndpointError */
  async delete(key: string, options: { prefix?: boolean } = {}): Promise<number> {
    const answer = await this.#call('kv/deleterange', {
      key: encodeKey(key),
      range_end: options.prefix ? prefixEnd(key) : undefined,
    });
    return Number(answer.deleted ?? 0);
  }

  /** etcd's own verdict. With etcd 3.4 every call costs a write, so it is for where the gateway is off. @throws EndpointError */
  async health(): Promise<{ healthy: boolean; reason: string }> {
    const { status, body } = await this.request('GET', '/health');
    const answer = parseObject(body);
    if (answer === undefined || !('health' in answer)) throw notEtcd(this.host, status);
    return {
      healthy: String(answer.health) === 'true',
      reason: typeof answer.reason === 'string' ? answer.reason : '',
    };
  }

  /** Server version such as 3.5.16. Costs next to nothing. @throws EndpointError */
  async version(): Promise<string> {
    const { status, body } = await this.request('GET', '/version');
    const version = parseObject(body)?.etcdserver;
    if (typeof version !== 'string') throw notEtcd(this.host, status);
    return version;
  }

  async #call(path: string, body: object): Promise<Record<string, unknown>> {
    const answer = await this.request('POST', `/v3/${path}`, JSON.stringify(body));
    const parsed = parseObject(answer.body);
    if (answer.status === 200 && parsed !== undefined) return parsed;
    if (parsed !== undefined && answer.status !== 404) throw refusalOf(parsed, answer.status);
    if (answer.status === 400 && answer.body.startsWith(COMMON_NAME_IGNORED)) {
      throw new EndpointError(
        'etcd',
        'denied',
        'etcd’s own users and roles are on, and then its JSON gateway serves no client certificate that has a common name',
        '400',
      );
    }
    throw notEtcd(this.host, answer.status);
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Not JSON: the caller says what answered instead.
    return undefined;
  }
}

const notEtcd = (host: string, status: number) =>
  new EndpointError(
    'http',
    'not-etcd',
    `${host} answers over HTTP (status ${status}), but not as etcd’s client port does`,
    String(status),
  );

/** etcd's way of saying «all keys with this prefix»: the prefix with its last byte one higher. */
function prefixEnd(prefix: string): string {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) + 1;
  return bytes.toString('base64');
}
