/** Servers that are not what an endpoint should be, and certificates that are not what they should be. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { must } from '../setup/process.ts';

export interface Running {
  port: number;
  /** Connections accepted so far. */
  connections: number;
  close(): Promise<void>;
}

async function listen(server: Server, event: 'connection' | 'secureConnection' = 'connection'): Promise<Running> {
  const sockets = new Set<Socket>();
  const running: Running = {
    port: 0,
    connections: 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on(event, () => {
    running.connections++;
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.port = (server.address() as { port: number }).port;
  return running;
}

export const plainServer = (onConnection: (socket: Socket) => void): Promise<Running> =>
  listen(createServer(onConnection));

/** Every request line is answered by `answer`; what it returns is written as it stands. */
export function tlsServer(
  pair: { cert: string; key: string },
  answer: (socket: Socket, request: string) => void,
  options: object = {},
): Promise<Running> {
  const server = createTlsServer({ ...pair, ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => answer(socket, chunk.toString('latin1')));
  });
  return listen(server, 'secureConnection');
}

export const respond = (socket: Socket, body: string, head = 'HTTP/1.1 200 OK'): void =>
  void socket.write(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

/** Certificates that only openssl makes for us: names and usages that our own authority would never issue. */
export class Openssl {
  readonly folder: string;
  private constructor(folder: string) {
    this.folder = folder;
  }
  static async create(): Promise<Openssl> {
    const made = new Openssl(await mkdtemp(join(tmpdir(), 'etcd-wizard-openssl-')));
    await made.ca('root');
    return made;
  }
  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }
  async ca(name: string, signer?: string): Promise<string> {
    await this.#certificate(
      name,
      `/CN=${name}`,
      'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign',
      3650,
      signer,
    );
    return this.read(`${name}.pem`);
  }
  /** @param days negative: expired so long ago */
  async leaf(
    name: string,
    options: { san?: string; extensions?: string; signer?: string; days?: number },
  ): Promise<{ cert: string; key: string }> {
    const { san, extensions = 'extendedKeyUsage=serverAuth', signer = 'root', days = 10 } = options;
    await this.#certificate(
      name,
      '/CN=127.0.0.1',
      [extensions, ...(san ? [`subjectAltName=${san}`] : [])].join('\n'),
      days,
      signer,
    );
    return { cert: await this.read(`${name}.pem`), key: await this.read(`${name}.key`) };
  }
  async #certificate(name: string, subject: string, extensions: string, days: number, signer?: string): Promise<void> {
    const file = (suffix: string, of = name) => join(this.folder, `${of}.${suffix}`);
    await writeFile(file('ext'), `${extensions}\n`);
    await must('openssl', [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      file('key'),
      '-out',
      file('csr'),
      '-subj',
      subject,
    ]);
    const sign = signer
      ? ['-CA', file('pem', signer), '-CAkey', file('key', signer), '-CAcreateserial']
      : ['-signkey', file('key')];
    await must('openssl', [
      'x509',
      '-req',
      '-in',
      file('csr'),
      '-extfile',
      file('ext'),
      '-days',
      String(days),
      '-out',
      file('pem'),
      ...sign,
    ]);
  }
}
