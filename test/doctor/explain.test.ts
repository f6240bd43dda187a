import { describe, expect, it } from 'vitest';
import { explainLogs } from '../../src/doctor/explain.ts';

describe('what etcd’s log means', () => {
  it.each([
    [
      '{"level":"fatal","msg":"discovery failed","error":"listen tcp 10.0.11.1:2380: bind: address already in use"}',
      'port-in-use',
      /pi1.*10\.0\.11\.1:2380/,
    ],
    [
      'listen tcp 10.0.11.9:2380: bind: cannot assign requested address',
      'address-missing',
      /pi1 does not have the address 10\.0\.11\.9:2380/,
    ],
    ['open /etc/etcd/ssl/server-key.pem: permission denied', 'permission', /server-key\.pem/],
    [
      `error verifying flags, invalid value "soon" for ETCD_HEARTBEAT_INTERVAL: parse error. See 'etcd --help'.`,
      'flag-value',
      /pi1 does not accept the value "soon" for HEARTBEAT_INTERVAL/,
    ],
    [
      `error verifying flags, --election-timeout[100ms] should be at least as 5 times as --heartbeat-interval[100ms]. See 'etcd --help'.`,
      'flags',
      /its settings: --election-timeout\[100ms\] should be at least as 5 times as --heartbeat-interval\[100ms\]\./,
    ],
    ['tls: private key does not match public key', 'key-mismatch', /pi1/],
    [
      'x509: certificate is valid for 10.0.20.31, pi3.home, not 10.0.31.1',
      'name',
      /dialled 10\.0\.31\.1, but the certificate there is for 10\.0\.20\.31, pi3\.home/,
    ],
    [
      '"error":"tls: \\"10.77.0.13\\" does not match any of DNSNames [\\"pi3.lan\\"] (lookup pi3.lan)"',
      'san',
      /peer from 10\.77\.0\.13/,
    ],
    [
      'certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-01-01T00:00:00Z',
      'expired',
      /clock says 2020-01-01/,
    ],
    ['member 8211f1d0f64f3269 has already been bootstrapped', 'bootstrapped', /data directory is empty/],
    ['lookup etcd.az2.home on 10.77.0.1:53: no such host', 'resolve', /cannot resolve etcd\.az2\.home/],
    ['dial tcp 10.0.21.1:2380: i/o timeout', 'timeout', /no answer from 10\.0\.21\.1:2380/],
  ])('%s', (line, id, sentence) => {
    const [first] = explainLogs([{ host: 'pi1', lines: ['{"level":"info","msg":"starting"}', line] }]);
    expect(first).toMatchObject({ id, sentence: expect.stringMatching(sentence) });
  });

  it('says nothing about what it does not know, and «remote error» alone blames nobody', () => {
    expect(
      explainLogs([
        {
          host: 'pi1',
          lines: ['rejected connection: remote error: tls: bad certificate', 'ready to serve client requests'],
        },
      ]),
    ).toEqual([]);
  });

  it('repeats a meaning once a host and cleans what the log carried', () => {
    const lines = Array.from({ length: 20 }, () => 'lookup evil\u001b[31m.home: no such host');
    const found = explainLogs([
      { host: 'pi1', lines },
      { host: 'pi2', lines },
    ]);
    expect(found.map(({ sentence }) => sentence)).toEqual([
      'pi1 cannot resolve evil\\x1b[31m.home.',
      'pi2 cannot resolve evil\\x1b[31m.home.',
    ]);
  });
});
