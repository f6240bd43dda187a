/** One kept-alive HTTP/1.1 connection to one endpoint, with a limit for every stage and for the size of the answer. */
import { Agent, type ClientRequestArgs, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import {
  type Address,
  type Dial,
  guessProtocol,
  openTcp,
  openTls,
  parseAddress,
  type Secured,
  secureContextOf,
  TIMEOUTS,
  type Timeouts,
} from './connect.ts';
import { codeOf, EndpointError, httpFailure, tlsFailure } from './failure.ts';
import type { Sample, TlsCredentials } from './types.ts';

/** No answer of etcd to what is asked here comes near it. */
const MAX_BODY_BYTES = 1 << 20;

export interface Answer {
  status: number;
  body: string;
}

export interface EndpointOptions {
  /** Absent: from this machine. */
  dial?: Dial;
  timeouts?: Partial<Timeouts>;
}

/** Makes the connections of one endpoint; keeps one alive. */
class ConnectionAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#open = open;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#open().then(
      (socket) => callback?.(null, socket),
      // Node's signature wants a stream beside an error and never looks at it.
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
  }
}

export class Connection {
  readonly url: string;
  /** PEM of the server's certificates as last seen, leaf first; there also when they were refused. */
  readonly chain: string[] = [];
  readonly #address: Address;
  readonly #credentials: TlsCredentials;
  readonly #dial: Dial | undefined;
  readonly #timeouts: Timeouts;
  readonly #agent: ConnectionAgent;
  #context: SecureContext | undefined;
  #secured: Secured | undefined;
  #answered = false;

  /** @throws EndpointError for something that is no http(s) URL */
  constructor(url: string, credentials: TlsCredentials, options: EndpointOptions = {}) {
    this.url = url;
    this.#address = parseAddress(url);
    this.#credentials = credentials;
    this.#dial = options.dial;
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts };
    this.#agent = new ConnectionAgent(() => this.#connect());
  }

  /** `verified` only after the first bytes of an answer: in TLS 1.3 a refused client certificate shows up that late. */
  get tls(): Sample['tls'] {
    if (!this.#answered) return 'none';
    return this.#address.secure ? 'verified' : 'plain';
  }

  /** As in the URL, IPv6 without brackets. */
  get host(): string {
    return this.#address.host;
  }

  /** Ends the connection; requests under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  /**
   * One request. Asked again once where that is safe and sensible: on a kept connection that the server had closed meanwhile,
   * and where a close right after the handshake may have swallowed the alert that says why.
   * @throws EndpointError
   */
  async request(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    try {
      return await this.#once(method, path, body);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      try {
        return await this.#once(method, path, body);
      } catch (again) {
        throw again instanceof Retry ? again.failure : again;
      }
    }
  }

  #once(method: 'GET' | 'POST', path: string, body?: string): Promise<Answer> {
    const { host, port, secure } = this.#address;
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ agent: this.#agent, host, port, method, path, headers });
      let timer: NodeJS.Timeout | undefined;
      let began = false;
      const fail = (error: unknown) => {
        clearTimeout(timer);
        outgoing.destroy();
        if (error instanceof EndpointError) return reject(error);
        const ending = this.#secured?.ending;
        const silent = codeOf(error) === 'ETIMEDOUT';
        const atHandshake = secure && !began && !this.#answered && !silent && !codeOf(error).startsWith('HPE_');
        const failure = atHandshake
          ? tlsFailure(ending ?? error, {
              host,
              clientCertificate: this.#credentials.certPem !== undefined,
              finished: true,
            })
          : httpFailure(error, host);
        const closed = codeOf(ending ?? error) === 'ECONNRESET' || codeOf(ending ?? error) === 'EPIPE';
        if (closed && !began && (outgoing.reusedSocket || atHandshake)) return reject(new Retry(failure));
        if (!secure && !began && (failure.kind === 'closed' || failure.kind === 'not-http'))
          return void this.#unlike(failure).then(reject);
        reject(failure);
      };
      // The stages before have limits of their own.
      outgoing.once('socket', () => {
        timer = setTimeout(() => fail({ code: 'ETIMEDOUT' }), this.#timeouts.request);
      });
      outgoing.once('error', fail);
      outgoing.once('response', (incoming) => {
        began = true;
        this.#answered = true;
        readBody(incoming).then((text) => {
          clearTimeout(timer);
          resolve({ status: incoming.statusCode ?? 0, body: text });
        }, fail);
      });
      outgoing.end(body);
    });
  }

  async #connect(): Promise<Duplex> {
    this.#answered = false;
    this.#secured = undefined;
    const { secure, host } = this.#address;
    const raw = await openTcp(this.#address, this.#timeouts, this.#dial);
    if (!secure) return withSocketMethods(raw);
    try {
      this.#context ??= secureContextOf(this.#credentials);
      this.#secured = await openTls(raw, this.#address, this.#context, {
        clientCertificate: this.#credentials.certPem !== undefined,
        timeoutMs: this.#timeouts.tls,
        chain: this.chain,
      });
      return this.#secured.socket;
    } catch (error) {
      raw.destroy();
      const failure =
        error instanceof EndpointError ? error : tlsFailure(error, { host, clientCertificate: false, finished: false });
      throw failure.kind === 'closed' || failure.kind === 'not-tls' ? await this.#unlike(failure) : failure;
    }
  }

  /** Looks what the port speaks instead; the failure as it was when that tells nothing. */
  async #unlike(failure: EndpointError): Promise<EndpointError> {
    const { host, port, secure } = this.#address;
    const speaks = await guessProtocol(this.#address, this.#timeouts, this.#dial);
    if (secure && speaks === 'http')
      return new EndpointError(
        'tls',
        'plain-http',
        `${host} port ${port} speaks plain http: TLS is off there, the URL must begin with http://, or etcd was started without its certificates`,
        failure.code,
        failure,
      );
    if (!secure && speaks === 'tls')
      return new EndpointError(
        'http',
        'tls-on-http',
        `${host} port ${port} speaks TLS: the URL must begin with https://`,
        failure.code,
        failure,
      );
    return failure;
  }
}

/** Node's agent wants a socket's methods; a channel of an SSH connection is a plain stream without them. */
function withSocketMethods(stream: Duplex): Duplex {
  const nothing = () => stream;
  return 'setKeepAlive' in stream
    ? stream
    : Object.assign(stream, { setKeepAlive: nothing, setTimeout: nothing, ref: nothing, unref: nothing });
}

/** Worth a second attempt; carries what to say when that fails too. */
class Retry extends Error {
  readonly failure: EndpointError;
  constructor(failure: EndpointError) {
    super(failure.message);
    this.failure = failure;
  }
}

function readBody(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > MAX_BODY_BYTES) reject(Object.assign(new Error('answer too large'), { code: 'ERR_TOO_LARGE' }));
    });
    incoming.once('end', () => resolve(Buffer.concat(chunks).toString()));
    incoming.once('error', reject);
    incoming.once('aborted', () => reject(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })));
  });
}
