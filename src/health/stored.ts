/** Whether an etcd that serves plain http on its host's loopback has anything stored: what may be moved aside must be empty. */
import type { EtcdProcess } from '../facts.ts';
import type { Transport } from '../remote/transport.ts';
import { DialError } from '../remote/transport.ts';
import { EndpointClient } from './endpoint.ts';
import { EndpointError } from './failure.ts';
import { dialFrom } from './link.ts';

/**
 * @returns how many keys it holds; undefined when it is not reached this way (TLS, another address, forwarding forbidden,
 *   no answer): then nobody may think it empty
 */
export async function storedKeys(transport: Transport, process: EtcdProcess): Promise<number | undefined> {
  const urls = (process.environment.ETCD_LISTEN_CLIENT_URLS || 'http://localhost:2379').split(',');
  const local = urls.find((url) => /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?\/?$/.test(url));
  if (local === undefined) return undefined;
  const url = local.replace('localhost', '127.0.0.1');
  const client = new EndpointClient(url, { caPem: '' }, { dial: dialFrom(transport, url) });
  try {
    return await client.count('');
  } catch (thrown) {
    if (thrown instanceof EndpointError || thrown instanceof DialError) return undefined;
    throw thrown;
  } finally {
    client.close();
  }
}
