/** Ports of this machine's loopback that nobody uses. */
import { createServer, type Server } from 'node:net';

/**
 * Free TCP ports on 127.0.0.1. All are held at once while they are looked for, so no two are the same; the kernel hands a
 * port out again only after it has gone round its range.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
