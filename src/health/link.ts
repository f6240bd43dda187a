/** The way to one member: directly where there is a route, else through that host's own SSH connection. */
import type { Transport } from '../remote/transport.ts';
import { type Dial, parseAddress, TIMEOUTS, type Timeouts } from './connect.ts';
import { EndpointClient } from './endpoint.ts';
import { sampleEndpoint } from './sample.ts';
import type { Endpoint, Sample, TlsCredentials } from './types.ts';

export interface LinkOptions {
  /** Tried when the direct way ends before TLS. */
  fallback?: Dial;
  timeouts?: Partial<Timeouts>;
}

/** The way round may have to open its SSH connection first, milliseconds. */
const DETOUR_MS = 10_000;

/** A connection to a URL's host and port that begins on the transport's host. */
export function dialFrom(transport: Transport, url: string, timeoutMs = TIMEOUTS.connect): Dial {
  return () => {
    const { host, port } = parseAddress(url);
    return transport.dial(host, port, { timeoutMs });
  };
}

export class Link {
  readonly endpoint: Endpoint;
  readonly #direct: EndpointClient;
  readonly #detour: EndpointClient | undefined;
  #active: EndpointClient;

  /** @throws EndpointError for a URL that is none */
  constructor(endpoint: Endpoint, credentials: TlsCredentials, options: LinkOptions = {}) {
    this.endpoint = endpoint;
    this.#direct = new EndpointClient(endpoint.url, credentials, { timeouts: options.timeouts });
    this.#detour =
      options.fallback &&
      new EndpointClient(endpoint.url, credentials, {
        dial: options.fallback,
        timeouts: { ...options.timeouts, connect: Math.max(DETOUR_MS, options.timeouts?.connect ?? 0) },
      });
    this.#active = this.#direct;
  }

  /** The client of the way that the last look found; look once before. */
  get client(): EndpointClient {
    return this.#active;
  }

  /** True when the last look went through the host's SSH connection. */
  get detoured(): boolean {
    return this.#active === this.#detour;
  }

  /** Never rejects. */
  async look(): Promise<Sample> {
    const first = await this.#sample(this.#active);
    if (first.reachable || this.#detour === undefined) return first;
    const other = this.detoured ? this.#direct : this.#detour;
    const second = await this.#sample(other);
    if (!second.reachable) return this.detoured ? second : first;
    this.#active = other;
    return second;
  }

  async #sample(client: EndpointClient): Promise<Sample> {
    const sample = await sampleEndpoint(client, this.endpoint);
    return client === this.#detour ? { ...sample, viaSsh: true } : sample;
  }

  close(): void {
    this.#direct.close();
    this.#detour?.close();
  }
}
