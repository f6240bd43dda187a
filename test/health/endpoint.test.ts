/** Every way in which an endpoint can fail is told apart, within its time and size. */

import { X509Certificate } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../src/embedded/ports.ts';
import { EndpointClient } from '../../src/health/endpoint.ts';
import { EndpointError } from '../../src/health/failure.ts';
import { identityFailure } from '../../src/health/identity.ts';
import { sampleEndpoint } from '../../src/health/sample.ts';
import type { Sample, TlsCredentials } from '../../src/health/types.ts';
import { Openssl, plainServer, type Running, respond, tlsServer } from './servers.ts';

const timeouts = { connect: 500, tls: 500, request: 500 };
const STATUS = JSON.stringify({
  header: { cluster_id: '7', member_id: '1' },
  version: '3.5.16',
  leader: '1',
  raftTerm: '2',
  raftIndex: '9',
  dbSize: '1',
});
/** As much of etcd's gateway as a sample asks. */
const likeEtcd = (socket: Socket, request: string) => respond(socket, request.includes('/status') ? STATUS : '{}');

describe('an endpoint', () => {
  let pki: Openssl;
  let trust: TlsCredentials;
  let good: { cert: string; key: string };
  let otherKey: string;
  const running: Running[] = [];

  beforeAll(async () => {
    pki = await Openssl.create();
    trust = { caPem: await pki.read('root.pem') };
    good = await pki.leaf('good', { san: 'IP:127.0.0.1,DNS:localhost' });
    otherKey = (await pki.leaf('another', {})).key;
  });
  afterAll(async () => {
    await Promise.all(running.map((each) => each.close()));
    await pki.remove();
  });

  const keep = async (server: Promise<Running>) => {
    const started = await server;
    running.push(started);
    return started;
  };
  const look = async (url: string, credentials = trust, dial?: () => Promise<Duplex>): Promise<Sample> => {
    const client = new EndpointClient(url, credentials, { timeouts, dial });
    try {
      return await sampleEndpoint(client, { name: 'm1', url });
    } finally {
      client.close();
    }
  };

  it('that is well', async () => {
    const { port } = await keep(tlsServer(good, likeEtcd));
    expect(await look(`https://127.0.0.1:${port}`)).toMatchObject({
      reachable: true,
      tls: 'verified',
      healthy: true,
      memberId: '1',
      term: 2,
      chain: [{ ipAddresses: ['127.0.0.1'] }, { commonName: 'root' }],
    });
  });

  describe('that cannot be reached', () => {
    it.each<[string, () => Promise<string>, Partial<Sample>]>([
      [
        'closed port',
        async () => `https://127.0.0.1:${(await freePorts(1))[0]}`,
        { reachable: false, failedAt: 'tcp', failure: 'refused' },
      ],
      [
        'unknown name',
        async () => 'https://nobody.invalid:2379',
        { reachable: false, failedAt: 'dns', failure: 'unresolved' },
      ],
    ])('%s', async (_, url, expected) => {
      expect(await look(await url())).toMatchObject({ ...expected, tls: 'none', healthy: false });
    });
    it.each(['not a url', 'ftp://a:1', 'https://'])('«%s» is no endpoint', (url) => {
      expect(() => new EndpointClient(url, trust)).toThrow(EndpointError);
    });
  });

  describe('that is something else', () => {
    it.each<[string, 'http' | 'https', (socket: Socket) => void, Partial<Sample>]>([
      ['a silent port', 'https', () => undefined, { reachable: true, failedAt: 'tls', failure: 'silent' }],
      ['a silent port', 'http', () => undefined, { reachable: true, failedAt: 'http', failure: 'silent' }],
      ['one that hangs up', 'https', (socket) => socket.destroy(), { failedAt: 'tls', failure: 'closed' }],
      ['one that hangs up', 'http', (socket) => socket.destroy(), { failedAt: 'http', failure: 'closed' }],
      [
        'an SSH server',
        'https',
        (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
        { failedAt: 'tls', failure: 'not-tls' },
      ],
      [
        'an SSH server',
        'http',
        (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
        { failedAt: 'http', failure: 'not-http' },
      ],
    ])('%s on %s', async (_, scheme, onConnection, expected) => {
      const { port } = await keep(plainServer(onConnection));
      expect(await look(`${scheme}://127.0.0.1:${port}`)).toMatchObject({ ...expected, healthy: false });
    });

    it.each<[string, (socket: Socket) => void, Partial<Sample>]>([
      ['a web page', (socket) => respond(socket, '<html>'), { failedAt: 'http', failure: 'not-etcd', tls: 'verified' }],
      [
        'JSON of somebody else',
        (socket) => respond(socket, '{"a":1}', 'HTTP/1.1 404 Not Found'),
        { failedAt: 'http', failure: 'not-etcd' },
      ],
      [
        'an answer without end',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          for (let i = 0; i < 40; i++) socket.write('x'.repeat(65_536));
        },
        { failedAt: 'http', failure: 'not-etcd', error: expect.stringContaining('without end') },
      ],
      [
        'headers without end',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\n');
          for (let i = 0; i < 40; i++) socket.write(`x-${i}: ${'y'.repeat(1000)}\r\n`);
        },
        { failedAt: 'http', failure: 'not-http' },
      ],
      [
        'an answer drop by drop',
        (socket) => {
          respond(socket, '', 'HTTP/1.1 200 OK\r\nx: y');
          const timer = setInterval(() => socket.write('x'), 50);
          socket.on('close', () => clearInterval(timer));
        },
        { failedAt: 'http', failure: 'not-etcd' },
      ],
      [
        'half an answer',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{');
        },
        { failedAt: 'http', failure: 'silent' },
      ],
      [
        'half an answer and gone',
        (socket) => {
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{');
        },
        { failedAt: 'http', failure: 'closed' },
      ],
      [
        'gRPC frames instead of HTTP/1.1',
        (socket) => {
          socket.write(Buffer.from('00000604000000000000050000400000', 'hex'));
        },
        { failedAt: 'http', failure: 'not-http' },
      ],
    ])('over TLS: %s', async (_, answer, expected) => {
      const { port } = await keep(tlsServer(good, answer));
      expect(await look(`https://127.0.0.1:${port}`)).toMatchObject(expected);
    });

    it('plain http behind an https URL', async () => {
      const server = createHttpServer((_, response) => response.end('{}'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      expect(await look(`https://127.0.0.1:${port}`)).toMatchObject({
        failedAt: 'tls',
        failure: 'plain-http',
        tls: 'plain',
        error: expect.stringContaining('speaks plain http'),
      });
      server.closeAllConnections();
      server.close();
    });
    it('TLS behind an http URL', async () => {
      const { port } = await keep(tlsServer(good, likeEtcd));
      expect(await look(`http://127.0.0.1:${port}`)).toMatchObject({
        failedAt: 'http',
        failure: 'tls-on-http',
        error: expect.stringContaining('speaks TLS'),
      });
    });
    it('what it says reaches nobody unescaped', async () => {
      const { port } = await keep(
        tlsServer(good, (socket) =>
          respond(
            socket,
            JSON.stringify({ error: '\u001b[31mred\u202e', message: '\u001b[31mred\u202e', code: 2 }),
            'HTTP/1.1 500 E',
          ),
        ),
      );
      const client = new EndpointClient(`https://127.0.0.1:${port}`, trust, { timeouts });
      await expect(client.members()).rejects.toMatchObject({
        stage: 'etcd',
        message: 'etcd says: \\x1b[31mred\\u{202e}',
      });
      client.close();
    });
  });

  describe('whose certificate Go would refuse', () => {
    it.each<[string, Parameters<Openssl['leaf']>[1], RegExp]>([
      [
        'for another address',
        { san: 'IP:10.0.20.31,DNS:pi3.home' },
        /is for pi3\.home, 10\.0\.20\.31, not 127\.0\.0\.1/,
      ],
      ['with a common name only', {}, /names no host at all/],
      ['with the address as a DNS name', { san: 'DNS:127.0.0.1' }, /not 127\.0\.0\.1/],
      ['expired', { san: 'IP:127.0.0.1', days: -1 }, /has expired/],
      [
        'not meant for servers',
        { san: 'IP:127.0.0.1', extensions: 'extendedKeyUsage=clientAuth' },
        /not meant for servers/,
      ],
    ])('%s', async (name, options, words) => {
      const { port } = await keep(tlsServer(await pki.leaf(name.replaceAll(' ', '-'), options), likeEtcd));
      const sample = await look(`https://127.0.0.1:${port}`);
      expect(sample).toMatchObject({
        failedAt: 'tls',
        failure: 'server-certificate',
        tls: 'refused-by-us',
        healthy: false,
      });
      expect(sample.error).toMatch(words);
      expect(sample.chain.length).toBeGreaterThan(0);
    });

    it.each<[string, string, boolean]>([
      ['DNS:localhost', 'localhost', true],
      ['DNS:LOCALHOST', 'localhost', true],
      ['DNS:localhost.', 'localhost', false],
      ['DNS:*', 'localhost', false],
    ])('%s for https://%s: %s', async (san, host, accepted) => {
      const { port } = await keep(tlsServer(await pki.leaf(`san-${running.length}`, { san }), likeEtcd));
      expect((await look(`https://${host}:${port}`)).healthy).toBe(accepted);
    });
  });

  it('with an IPv6 address is matched in any notation', async () => {
    const certificate = new X509Certificate((await pki.leaf('six', { san: 'IP:fd00::1' })).cert);
    expect(identityFailure(certificate, 'fd00:0:0::1')).toBeUndefined();
    expect(identityFailure(certificate, 'fd00::2')?.message).toMatch(/not fd00::2/);
  });

  describe('of a chain', () => {
    it('is trusted by its intermediate alone, as Go does', async () => {
      const intermediate = await pki.ca('intermediate', 'root');
      const { port } = await keep(
        tlsServer(await pki.leaf('below', { san: 'IP:127.0.0.1', signer: 'intermediate' }), likeEtcd),
      );
      expect(await look(`https://127.0.0.1:${port}`, { caPem: intermediate })).toMatchObject({
        tls: 'verified',
        healthy: true,
      });
      expect(await look(`https://127.0.0.1:${port}`)).toMatchObject({ failure: 'server-certificate' });
    });
    it('signed by itself says so', async () => {
      const { port } = await keep(tlsServer(await pki.leaf('self', { san: 'IP:127.0.0.1', signer: '' }), likeEtcd));
      expect((await look(`https://127.0.0.1:${port}`)).error).toMatch(/signed by itself/);
    });
    it('made anew under the same name is told apart', async () => {
      const second = await Openssl.create();
      const { port } = await keep(tlsServer(await second.leaf('other', { san: 'IP:127.0.0.1' }), likeEtcd));
      expect((await look(`https://127.0.0.1:${port}`)).failure).toBe('server-certificate');
      await second.remove();
    });
  });

  it.each<[string, () => TlsCredentials, RegExp]>([
    [
      'a key of another certificate',
      () => ({ ...trust, certPem: good.cert, keyPem: otherKey }),
      /does not belong to the client certificate/,
    ],
    ['a CA that is no PEM', () => ({ caPem: 'x', certPem: 'y', keyPem: 'z' }), /not PEM/],
  ])('is not dialled with %s', async (_, credentials, words) => {
    const { port } = await keep(tlsServer(good, likeEtcd));
    const sample = await look(`https://127.0.0.1:${port}`, credentials());
    expect(sample).toMatchObject({ failedAt: 'tls', failure: 'credentials', tls: 'refused-by-us' });
    expect(sample.error).toMatch(words);
  });

  describe('and its connection', () => {
    it('is kept over many looks', async () => {
      const server = await keep(tlsServer(good, likeEtcd));
      const url = `https://127.0.0.1:${server.port}`;
      const client = new EndpointClient(url, trust, { timeouts });
      for (let look = 0; look < 5; look++)
        expect(await sampleEndpoint(client, { name: 'm1', url })).toMatchObject({ healthy: true, tls: 'verified' });
      expect(server.connections).toBe(1);
      client.close();
    });
    it('is opened anew, unnoticed, when the server had closed it meanwhile', async () => {
      const server = await keep(
        tlsServer(good, (socket, request) => {
          likeEtcd(socket, request);
          // Half-way between two requests, as etcd does when it is restarted.
          setImmediate(() => socket.destroy());
        }),
      );
      const client = new EndpointClient(`https://127.0.0.1:${server.port}`, trust, { timeouts });
      for (let call = 0; call < 5; call++) await client.status();
      expect(server.connections).toBeGreaterThan(1);
      client.close();
    });
    it.each(['http', 'https'])(
      'may run over any stream, such as a channel of an SSH connection: %s',
      async (scheme) => {
        const server =
          scheme === 'https'
            ? await keep(tlsServer(good, likeEtcd))
            : await keep(
                plainServer((socket) => socket.on('data', (chunk: Buffer) => likeEtcd(socket, chunk.toString()))),
              );
        let dials = 0;
        const dial = async () => {
          dials++;
          const socket = connect(server.port, '127.0.0.1');
          return Duplex.from({ readable: socket, writable: socket });
        };
        // The name need not mean anything here: the far end of the channel resolves it.
        const url = `${scheme}://${scheme === 'https' ? 'localhost' : 'far.invalid'}:1`;
        const client = new EndpointClient(url, trust, { timeouts, dial });
        for (let look = 0; look < 3; look++)
          expect(await sampleEndpoint(client, { name: 'm1', url })).toMatchObject({ healthy: true });
        expect(dials).toBe(1);
        client.close();
      },
    );
  });
});
