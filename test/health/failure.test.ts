/** Codes of Node and OpenSSL become kinds and sentences: alerts of Go 1.19 to 1.26, errno, files of our own. */
import { describe, expect, it } from 'vitest';
import { credentialsFailure, httpFailure, tcpFailure, tlsFailure, verdictFailure } from '../../src/health/failure.ts';
import { DialError } from '../../src/remote/transport.ts';

const coded = (code: string) => Object.assign(new Error('raw words'), { code });

describe('alerts and ends of a handshake', () => {
  const withOne = { host: 'pi1', clientCertificate: true, finished: true };
  it.each<[string, string, RegExp]>([
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'client-certificate', /without saying why/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'client-certificate', /wants a client certificate/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'client-certificate', /does not trust the CA/],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'client-certificate', /expired or is not yet valid/],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED', 'client-certificate', /revoked/],
    ['ERR_SSL_TLSV1_ALERT_DECODE_ERROR', 'client-certificate', /could not read/],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'handshake', /no common cipher/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'handshake', /TLS 1\.2 or 1\.3/],
    ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'handshake', /own certificate/],
    ['ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION', 'handshake', /no renegotiation/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'not-tls', /does not speak TLS/],
    ['ETIMEDOUT', 'silent', /waiting for its peers/],
    ['ECONNRESET', 'client-certificate', /right after the handshake/],
    ['ERR_SSL_SOMETHING_NEW', 'handshake', /raw words/],
  ])('%s', (code, kind, words) => {
    const failure = tlsFailure(coded(code), withOne);
    expect(failure).toMatchObject({ stage: 'tls', kind, code });
    expect(failure.message).toMatch(words);
  });
  it.each(['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'ECONNRESET'])(
    '%s without a client certificate: one is wanted',
    (code) => {
      const failure = tlsFailure(coded(code), { ...withOne, clientCertificate: false });
      expect(failure).toMatchObject({ kind: 'client-certificate', tls: 'refused-by-them' });
      expect(failure.message).toMatch(/wants a client certificate and none was given/);
    },
  );
  it('a close inside the handshake blames nobody’s certificate', () => {
    expect(tlsFailure(coded('ECONNRESET'), { ...withOne, finished: false })).toMatchObject({
      kind: 'closed',
      tls: 'none',
    });
  });
});

it.each<[unknown, string, string]>([
  [coded('ECONNREFUSED'), 'tcp', 'refused'],
  [coded('ETIMEDOUT'), 'tcp', 'timeout'],
  [coded('EHOSTUNREACH'), 'tcp', 'unreachable'],
  [coded('ENETUNREACH'), 'tcp', 'unreachable'],
  [coded('ENOTFOUND'), 'dns', 'unresolved'],
  [coded('EAI_AGAIN'), 'dns', 'unresolved'],
  [new DialError('refused', ''), 'tcp', 'refused'],
  [new DialError('unresolved', ''), 'dns', 'unresolved'],
  [new DialError('prohibited', ''), 'tcp', 'prohibited'],
  [new Error('something'), 'tcp', 'closed'],
])('a dial that fails with %s', (error, stage, kind) => {
  expect(tcpFailure(error, 'pi1', 2379)).toMatchObject({ stage, kind });
});

it.each<[string, RegExp]>([
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not signed by the CA/],
  ['CERT_SIGNATURE_FAILURE', /same name/],
  ['CERT_NOT_YET_VALID', /not yet valid/],
  ['SOMETHING_NEW', /SOMETHING_NEW/],
])('our verdict %s', (verdict, words) => {
  const failure = verdictFailure(verdict);
  expect(failure).toMatchObject({ kind: 'server-certificate', tls: 'refused-by-us' });
  expect(failure.message).toMatch(words);
});

it.each<[string, string]>([
  ['ETIMEDOUT', 'silent'],
  ['ERR_TOO_LARGE', 'not-etcd'],
  ['HPE_INVALID_CONSTANT', 'not-http'],
  ['ECONNRESET', 'closed'],
])('a request that ends with %s', (code, kind) => {
  expect(httpFailure(coded(code), 'pi1')).toMatchObject({ stage: 'http', kind });
});

it.each<[string, RegExp]>([
  ['ERR_OSSL_X509_KEY_VALUES_MISMATCH', /does not belong/],
  ['ERR_OSSL_BAD_DECRYPT', /encrypted/],
  ['ERR_OSSL_PEM_NO_START_LINE', /not PEM/],
  ['ERR_OSSL_SOMETHING', /cannot be used/],
])('files that fail with %s', (code, words) => {
  expect(credentialsFailure(coded(code)).message).toMatch(words);
});

it('words from outside are made harmless', () => {
  expect(tcpFailure(new Error('\u001b[2Jgone'), 'pi1', 1).message).toContain('\\x1b[2Jgone');
});
