/** Ports of this machine's loopback that nobody uses. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Below 32768, where Linux begins to hand out ports to outgoing connections: a port from there could be taken by any
 * connection between the look and the start of etcd.
 */
const RANGE = { from: 20_000, to: 32_700 } as const;
const ATTEMPTS = 200;

/**
 * Different free TCP ports on 127.0.0.1; all are held at once while they are looked for.
 * @throws Error when hardly any port is free
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  try {
    for (let attempt = 0; held.length < count; attempt++) {
      if (attempt >= count + ATTEMPTS) throw new Error(`no ${count} free ports on 127.0.0.1`);
      const server = await listen(randomInt(RANGE.from, RANGE.to));
      if (server !== undefined) held.push(server);
    }
    return held.map((server) => (server.address() as { port: number }).port);
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** Undefined when the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
