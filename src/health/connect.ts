/** One connection to an endpoint, stage by stage: name, TCP, TLS, the server's certificate by Go's rules. */
import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { codeOf, credentialsFailure, EndpointError, tcpFailure, tlsFailure, verdictFailure } from './failure.ts';
import { identityFailure } from './identity.ts';
import type { TlsCredentials } from './types.ts';

/** A dial that runs elsewhere, such as a direct-tcpip channel of a host's SSH connection. @throws DialError */
export type Dial = () => Promise<Duplex>;

/** Milliseconds. */
export interface Timeouts {
  /** Name look-up and TCP. */
  connect: number;
  tls: number;
  /** From the request's first byte to the answer's last. */
  request: number;
}
export const TIMEOUTS: Timeouts = { connect: 3000, tls: 3000, request: 3000 };

export interface Address {
  host: string;
  port: number;
  secure: boolean;
}

/** @throws EndpointError for a URL that is no http(s) URL with a host */
export function parseAddress(url: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === '' || !/^https?:$/.test(parsed.protocol)) {
    throw new EndpointError(
      'dns',
      'unresolved',
      `«${url}» is no endpoint; expected something like https://10.0.0.1:2379`,
    );
  }
  const secure = parsed.protocol === 'https:';
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port) || (secure ? 443 : 80), secure };
}

/** @throws EndpointError `credentials` */
export function secureContextOf(credentials: TlsCredentials): SecureContext {
  try {
    // As in Go every certificate of the CA file is an anchor, an intermediate too.
    return createSecureContext({
      ca: credentials.caPem,
      cert: credentials.certPem,
      key: credentials.keyPem,
      minVersion: 'TLSv1.2',
      allowPartialTrustChain: true,
    });
  } catch (error) {
    throw credentialsFailure(error);
  }
}

/** @throws EndpointError with stage dns or tcp */
export async function openTcp(address: Address, timeouts: Timeouts, dial?: Dial): Promise<Duplex> {
  if (dial === undefined) return openDirect(address, timeouts.connect);
  try {
    return await before(timeouts.connect, dial(), (late) => late.destroy());
  } catch (error) {
    throw tcpFailure(error, address.host, address.port);
  }
}

function openDirect({ host, port }: Address, timeoutMs: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, noDelay: true, autoSelectFamilyAttemptTimeout: 1000 });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(tcpFailure(error, host, port));
    };
    let resolved = isIP(host) !== 0;
    socket.on('lookup', () => {
      resolved = true;
    });
    // A DNS server that does not answer keeps the system's resolver waiting far longer than this.
    const timer = setTimeout(() => fail({ code: resolved ? 'ETIMEDOUT' : 'EAI_AGAIN' }), timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/** Rejects with ETIMEDOUT after `timeoutMs`; what comes later is disposed of. */
function before<T>(timeoutMs: number, work: Promise<T>, dispose: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        if (late) dispose(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

export interface Secured {
  socket: TLSSocket;
  /** The alert or reset that ended the connection later, also when no request was there to see it. */
  ending?: unknown;
}

/**
 * Shakes hands and checks the server's certificate. In TLS 1.3 this succeeds also where the server then refuses our client
 * certificate: only an answer's first bytes prove that it was accepted.
 * @param options.chain filled with the server's certificates as PEM, leaf first up to the anchor, also when they are refused
 * @throws EndpointError with stage tls
 */
export function openTls(
  raw: Duplex,
  address: Address,
  context: SecureContext,
  options: { clientCertificate: boolean; timeoutMs: number; chain: string[] },
): Promise<Secured> {
  const { host } = address;
  return new Promise((resolve, reject) => {
    // Verified below, before a byte of ours is written: Node's own refusal would hide the chain that explains it.
    const socket = connectTls({
      socket: raw,
      secureContext: context,
      servername: isIP(host) === 0 ? host.replace(/\.$/, '') : '',
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const fail = (error: EndpointError) => {
      clearTimeout(timer);
      socket.destroy();
      raw.destroy();
      reject(error);
    };
    const failed = (error: unknown) =>
      fail(tlsFailure(error, { host, clientCertificate: options.clientCertificate, finished: false }));
    const closed = () => failed({ code: 'ECONNRESET' });
    const timer = setTimeout(() => failed({ code: 'ETIMEDOUT' }), options.timeoutMs);
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      socket.off('close', closed);
      // An alert may come before a request listens; the request then finds the reason here.
      const secured: Secured = { socket };
      socket.on('error', (error) => {
        secured.ending ??= error;
      });
      options.chain.splice(0, options.chain.length, ...chainOf(socket));
      const refusal = judgeServer(socket, options.chain, host);
      if (refusal) fail(refusal);
      else resolve(secured);
    });
  });
}

function judgeServer(socket: TLSSocket, chain: readonly string[], host: string): EndpointError | undefined {
  const leaf = chain[0];
  if (leaf === undefined) return verdictFailure('NO_CERTIFICATE');
  // Typed as an Error, but Node stores the code.
  if (!socket.authorized)
    return verdictFailure(String(codeOf(socket.authorizationError) || socket.authorizationError || 'UNSPECIFIED'));
  return identityFailure(new X509Certificate(leaf), host);
}

function chainOf(socket: TLSSocket): string[] {
  const seen = new Set<string>();
  const chain: string[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    chain.push(new X509Certificate(certificate.raw).toString());
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

/** What a port speaks that did not do what its URL says; asked once, on a connection of its own. */
export async function guessProtocol(
  address: Address,
  timeouts: Timeouts,
  dial?: Dial,
): Promise<'http' | 'tls' | 'unknown'> {
  const raw = await openTcp(address, timeouts, dial).catch(() => undefined);
  if (raw === undefined) return 'unknown';
  // A TLS server answers plain text with an alert, with Go's 400 «Client sent an HTTP request to an HTTPS server», or not at all.
  const said = await firstBytes(raw, `GET /version HTTP/1.0\r\nHost: ${address.host}\r\n\r\n`, timeouts.tls);
  if (said[0] === 0x15 || said.includes('HTTPS server')) return 'tls';
  if (said.subarray(0, 5).toString('latin1') === 'HTTP/') return 'http';
  if (said.length > 0 || address.secure) return 'unknown';
  const again = await openTcp(address, timeouts, dial).catch(() => undefined);
  if (again === undefined) return 'unknown';
  try {
    const { socket } = await openTls(again, address, createSecureContext(), {
      clientCertificate: false,
      timeoutMs: timeouts.tls,
      chain: [],
    });
    socket.destroy();
    return 'tls';
  } catch (error) {
    const kind = error instanceof EndpointError ? error.kind : undefined;
    return kind === 'server-certificate' || kind === 'client-certificate' || kind === 'handshake' ? 'tls' : 'unknown';
  }
}

function firstBytes(raw: Duplex, request: string, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    let said = Buffer.alloc(0);
    const done = () => {
      clearTimeout(timer);
      raw.destroy();
      resolve(said);
    };
    const timer = setTimeout(done, timeoutMs);
    raw.on('data', (chunk: Buffer) => {
      said = Buffer.concat([said, chunk]);
      if (said.length > 512) done();
    });
    raw.once('error', done);
    raw.once('close', done);
    raw.once('end', done);
    raw.write(request);
  });
}
