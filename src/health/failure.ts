/**
 * Why an endpoint could not be used: the stage at which it failed, a stable kind for the judge, and a sentence that a
 * beginner understands. Pure: error codes of Node and OpenSSL in, words out.
 */
import { cleanLine } from '../clean.ts';
import type { Sample } from './types.ts';

export type Stage = NonNullable<Sample['failedAt']>;
export type FailureKind = NonNullable<Sample['failure']>;

/** A failed dial, handshake, request or call. The message is one sentence without a full stop, safe to show. */
export class EndpointError extends Error {
  readonly stage: Stage;
  readonly kind: FailureKind;
  /** Node's or OpenSSL's code, gRPC's number or the HTTP status, for the doctor. */
  readonly code: string | undefined;

  constructor(stage: Stage, kind: FailureKind, message: string, code?: string, cause?: unknown) {
    super(cleanLine(message), cause === undefined ? undefined : { cause });
    this.name = 'EndpointError';
    this.stage = stage;
    this.kind = kind;
    this.code = code;
  }

  /** What this failure says of the handshake; undefined where it says nothing. */
  get tls(): Sample['tls'] {
    if (this.kind === 'server-certificate' || this.kind === 'credentials') return 'refused-by-us';
    if (this.kind === 'client-certificate') return 'refused-by-them';
    if (this.kind === 'plain-http') return 'plain';
    return 'none';
  }
}

/** `code` of anything thrown; '' when it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';

/** DNS and TCP. `reason` of a DialError (a dial from another host) and errno codes of net.connect mean the same. */
export function tcpFailure(error: unknown, host: string, port: number): EndpointError {
  const reason = (error as { reason?: unknown } | null)?.reason;
  const key = typeof reason === 'string' ? reason : codeOf(error);
  const where = `${host} port ${port}`;
  const tcp = (kind: FailureKind, message: string) => new EndpointError('tcp', kind, message, key || undefined, error);
  switch (key) {
    case 'unresolved':
    case 'ENOTFOUND':
      return new EndpointError(
        'dns',
        'unresolved',
        `the name «${host}» is not known: no DNS record and no line in /etc/hosts`,
        key,
        error,
      );
    case 'EAI_AGAIN':
      return new EndpointError(
        'dns',
        'unresolved',
        `the name «${host}» could not be looked up: the DNS server does not answer`,
        key,
        error,
      );
    case 'refused':
    case 'ECONNREFUSED':
      return tcp('refused', `connection refused: ${host} answers, but nothing listens on port ${port}`);
    case 'timeout':
    case 'ETIMEDOUT':
      return tcp('timeout', `no answer from ${where}: the host is down, the address is wrong or a firewall drops it`);
    case 'unreachable':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return tcp('unreachable', `there is no route to ${host}`);
    case 'prohibited':
      return tcp('prohibited', `the SSH server does not allow forwarding to ${where}, so nothing was learnt`);
    default:
      return tcp('closed', `the connection to ${where} failed: ${messageOf(error)}`);
  }
}

/** Files of our own that cannot make a TLS context; nothing reached the server. */
export function credentialsFailure(error: unknown): EndpointError {
  const code = codeOf(error);
  const why =
    code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
      ? 'the client key does not belong to the client certificate'
      : /BAD_DECRYPT|NO_PASSWORD|INTERRUPTED_OR_CANCELLED|BAD_PASSWORD/.test(code)
        ? 'the client key is encrypted; etcd’s clients want it without a passphrase'
        : /NO_START_LINE|UNSUPPORTED|BAD_END_LINE|BAD_BASE64/.test(code)
          ? 'the CA file, the client certificate or its key is not PEM'
          : `the CA, the client certificate or its key cannot be used: ${messageOf(error)}`;
  return new EndpointError('tls', 'credentials', why, code || undefined, error);
}

/** Alerts by which a server refuses our client certificate (RFC 8446 section 6.2); Go before 1.21 says 42 to all of them. */
const CLIENT_ALERTS: Record<string, string> = {
  BAD_CERTIFICATE:
    'the server refused our client certificate without saying why: another CA, dates, or no clientAuth usage; etcd’s log there tells',
  CERTIFICATE_REQUIRED: 'the server wants a client certificate and got none',
  UNKNOWN_CA: 'the server does not trust the CA that signed our client certificate',
  CERTIFICATE_EXPIRED: 'our client certificate has expired or is not yet valid by the server’s clock',
  CERTIFICATE_REVOKED: 'the server says that our client certificate is revoked',
  CERTIFICATE_UNKNOWN: 'the server could not accept our client certificate',
  UNSUPPORTED_CERTIFICATE: 'the server does not support the kind of our client certificate',
  ACCESS_DENIED: 'the server knows our client certificate but denies access',
  DECODE_ERROR: 'the server could not read our client certificate',
  DECRYPT_ERROR: 'our client certificate and its key do not fit, says the server',
};
const WANTED = 'the server wants a client certificate and none was given';

/** A handshake that failed, an alert after it (TLS 1.3), or a close where an answer was due. */
export function tlsFailure(
  error: unknown,
  context: { host: string; clientCertificate: boolean; finished: boolean },
): EndpointError {
  const code = codeOf(error);
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(.+)$/.exec(code)?.[1];
  const make = (kind: FailureKind, message: string) =>
    new EndpointError('tls', kind, message, code || undefined, error);
  if (alert !== undefined) {
    const refusal = CLIENT_ALERTS[alert];
    if (refusal !== undefined) return make('client-certificate', context.clientCertificate ? refusal : WANTED);
    // Go 1.26 answers so to a TLS 1.2 client without a certificate.
    if (alert === 'HANDSHAKE_FAILURE' && !context.clientCertificate)
      return make('client-certificate', `${WANTED}, or there is no common cipher`);
    if (alert === 'HANDSHAKE_FAILURE')
      return make('handshake', 'the server and this program have no common cipher, or the server’s key is too weak');
    if (alert === 'PROTOCOL_VERSION') return make('handshake', 'the server does not speak TLS 1.2 or 1.3');
    if (alert === 'INTERNAL_ERROR')
      return make(
        'handshake',
        'the server cannot use its own certificate: file missing, or key and certificate do not belong together',
      );
    return make('handshake', `the server ended the handshake: ${alert.toLowerCase().replaceAll('_', ' ')}`);
  }
  if (code === 'ETIMEDOUT') {
    return make(
      'silent',
      `${context.host} accepts connections but does not answer: etcd may be waiting for its peers (no quorum yet), or something else listens there`,
    );
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return make('not-tls', 'what answers there does not speak TLS');
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === '') {
    return context.finished
      ? make(
          'client-certificate',
          context.clientCertificate
            ? 'the server closed the connection right after the handshake: our client certificate was probably refused (revoked, or not allowed)'
            : WANTED,
        )
      : make('closed', 'the server closed the connection during the handshake');
  }
  return make('handshake', `the TLS handshake failed: ${messageOf(error)}`);
}

/** OpenSSL's verdicts on the server's chain (X509_verify_cert_error_string), as Node names them. */
const VERDICTS: Record<string, string> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server’s certificate was not signed by the CA that we trust',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the server’s certificate was not signed by the CA that we trust',
  UNABLE_TO_GET_ISSUER_CERT: 'a CA between the server’s certificate and the one that we trust is missing',
  SELF_SIGNED_CERT_IN_CHAIN: 'the server’s certificate comes from another CA than the one that we trust',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'the server’s certificate is signed by itself (etcd’s auto-tls makes such), not by the CA that we trust',
  CERT_SIGNATURE_FAILURE:
    'the server’s certificate names the CA that we trust, but another key signed it: the CA was made anew under the same name',
  CERT_NOT_YET_VALID:
    'the server’s certificate is not yet valid: this clock is behind, or the clock of who issued it was ahead',
  CERT_HAS_EXPIRED: 'the server’s certificate has expired',
  INVALID_PURPOSE: 'the server’s certificate is not meant for servers (no serverAuth usage), or its CA is not a CA',
  INVALID_CA: 'the CA that we trust is not marked as a CA',
  PATH_LENGTH_EXCEEDED: 'there are more intermediate CAs than the CA allows',
  CERT_REVOKED: 'the server’s certificate is revoked',
  CERT_UNTRUSTED: 'the server’s certificate is not trusted for this use',
};

/** Our refusal of the server's certificate. */
export function verdictFailure(verdict: string): EndpointError {
  return new EndpointError(
    'tls',
    'server-certificate',
    VERDICTS[verdict] ?? `the server’s certificate was not accepted (${verdict})`,
    verdict,
  );
}

/** A request on a finished connection. */
export function httpFailure(error: unknown, host: string): EndpointError {
  const code = codeOf(error);
  const make = (kind: FailureKind, message: string) =>
    new EndpointError('http', kind, message, code || undefined, error);
  if (code === 'ETIMEDOUT') return make('silent', `${host} did not finish its answer in time`);
  if (code === 'ERR_TOO_LARGE') return make('not-etcd', `${host} sends an answer without end: that is not etcd`);
  if (code.startsWith('HPE_'))
    return make('not-http', `what answers on ${host} is not an HTTP server, or etcd’s gRPC-only port`);
  return make('closed', `${host} closed the connection before it answered`);
}
