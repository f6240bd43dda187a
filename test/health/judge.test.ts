/** What samples mean together: quorum arithmetic in words, the four states, remarks. */
import { describe, expect, it } from 'vitest';
import type { EtcdMember } from '../../src/health/gateway.ts';
import { type JudgeOptions, judge } from '../../src/health/judge.ts';
import type { Sample } from '../../src/health/types.ts';
import { waitingFor } from '../../src/health/wait.ts';
import type { CertificateInfo } from '../../src/pki/types.ts';

const now = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

const certificate = (days: number): CertificateInfo => ({
  fingerprint: '',
  subject: '',
  issuer: '',
  serial: '',
  dnsNames: [],
  ipAddresses: [],
  notBefore: 0,
  notAfter: now + days * DAY + (days < 0 ? -1000 : 1000),
  isCa: false,
  keyUsage: [],
  publicKeyAlgorithm: '',
  signatureAlgorithm: '',
  publicKey: '',
  selfSigned: false,
});

/** A healthy follower of leader 1, unless said otherwise; the id is the name's number. */
const up = (name: string, over: Partial<Sample> = {}): Sample => ({
  endpoint: { name, url: `https://${name}:2379` },
  at: now,
  reachable: true,
  tls: 'verified',
  healthy: true,
  quorumRead: true,
  latencyMs: 2,
  version: '3.5.16',
  clusterId: '77',
  memberId: name.slice(1),
  leaderId: '1',
  isLearner: false,
  term: 4,
  raftIndex: 100,
  raftAppliedIndex: 100,
  dbBytes: 1,
  dbInUseBytes: 1,
  alarms: [],
  chain: [certificate(312)],
  ...over,
});
const down = (name: string, failure: Sample['failure'] = 'refused', failedAt: Sample['failedAt'] = 'tcp'): Sample => ({
  endpoint: { name, url: `https://${name}:2379` },
  at: now,
  reachable: failedAt !== 'tcp',
  tls: 'none',
  healthy: false,
  alarms: [],
  chain: [],
  error: `error ${failure}`,
  failedAt,
  failure,
});
/** Answers, but sees no leader. */
const alone = (name: string) =>
  up(name, { leaderId: '0', healthy: false, quorumRead: undefined, complaint: 'no leader' });
const member = (name: string, isLearner = false): EtcdMember => ({
  id: name.slice(1),
  name,
  peerUrls: [],
  clientUrls: [],
  isLearner,
});
const look = (samples: Sample[], options: Partial<JudgeOptions> = {}) => judge(samples, { now, ...options });

describe('states and quorum', () => {
  const known3 = ['m1', 'm2', 'm3'].map((name) => member(name));
  it.each<[string, Sample[], string, string, number, Partial<JudgeOptions>?]>([
    ['all of three', [up('m1'), up('m2'), up('m3')], 'healthy', '3 of 3 up, 1 may fail', 1],
    ['all of five', ['m1', 'm2', 'm3', 'm4', 'm5'].map((name) => up(name)), 'healthy', '5 of 5 up, 2 may fail', 2],
    ['all of four', ['m1', 'm2', 'm3', 'm4'].map((name) => up(name)), 'healthy', '4 of 4 up, 1 may fail', 1],
    ['two of two', [up('m1'), up('m2')], 'healthy', '2 of 2 up, none may fail', 0],
    ['a single member', [up('m1')], 'healthy', '1 of 1 up, none may fail', 0],
    ['one down of three', [up('m1'), up('m2'), down('m3')], 'degraded', '2 of 3 up, none may fail', 0],
    ['one behind a firewall', [up('m1'), up('m2'), down('m3', 'timeout')], 'degraded', '2 of 3 up, none may fail', 0],
    [
      'two down, the last without a leader',
      [alone('m1'), down('m2'), down('m3')],
      'no-quorum',
      '1 of 3 up, quorum lost: 2 needed',
      -1,
    ],
    [
      'two down, the last still believes in its leader but cannot read',
      [up('m1', { healthy: false, quorumRead: false }), down('m2'), down('m3')],
      'no-quorum',
      '1 of 3 up, quorum lost: 2 needed',
      -1,
    ],
    [
      'all answer, nobody leads',
      [alone('m1'), alone('m2'), alone('m3')],
      'no-quorum',
      '3 of 3 up, but no leader: 2 must agree on one',
      1,
    ],
    ['all refused', [down('m1'), down('m2'), down('m3')], 'no-quorum', '0 of 3 up, quorum lost: 2 needed', -2],
    [
      'two refused, one timed out',
      [down('m1'), down('m2'), down('m3', 'timeout')],
      'no-quorum',
      '0 of 3 up, quorum lost: 2 needed',
      -2,
    ],
    [
      'one refused, two timed out',
      [down('m1'), down('m2', 'timeout'), down('m3', 'timeout')],
      'unknown',
      'nothing known of 3 members: no look succeeded',
      -2,
    ],
    [
      'all open but silent',
      ['m1', 'm2', 'm3'].map((name) => down(name, 'silent', 'tls')),
      'no-quorum',
      '0 of 3 up, quorum lost: 2 needed',
      -2,
    ],
    [
      'no route to any',
      ['m1', 'm2', 'm3'].map((name) => down(name, 'timeout')),
      'unknown',
      'nothing known of 3 members: no look succeeded',
      -2,
    ],
    [
      'our certificate refused everywhere',
      ['m1', 'm2', 'm3'].map((name) => down(name, 'client-certificate', 'tls')),
      'unknown',
      'nothing known of 3 members: no look succeeded',
      -2,
    ],
    [
      'our CA is wrong everywhere',
      ['m1', 'm2', 'm3'].map((name) => down(name, 'server-certificate', 'tls')),
      'unknown',
      'nothing known of 3 members: no look succeeded',
      -2,
    ],
    [
      'names unknown',
      ['m1', 'm2', 'm3'].map((name) => down(name, 'unresolved', 'dns')),
      'unknown',
      'nothing known of 3 members: no look succeeded',
      -2,
    ],
    [
      'one reached, but it serves: the others are only out of our sight',
      [up('m1'), down('m2', 'timeout'), down('m3', 'timeout')],
      'degraded',
      '1 of 3 reached; the cluster still has a quorum',
      -1,
    ],
    [
      'one endpoint given of a healthy three',
      [up('m2')],
      'healthy',
      '1 of 3 up, 2 not looked at; the cluster has a quorum',
      -1,
      { known: known3 },
    ],
    [
      'two endpoints given of three',
      [up('m1'), up('m2')],
      'healthy',
      '2 of 3 up, 1 not looked at',
      0,
      { known: known3 },
    ],
    [
      'an endpoint that never answered is one of the known',
      [up('m1'), up('m2'), down('10.0.0.3:2379')],
      'degraded',
      '2 of 3 up, none may fail',
      0,
      { known: known3 },
    ],
    [
      'a profile’s member without a sample',
      [up('m1'), up('m2')],
      'healthy',
      '2 of 3 up, 1 not looked at',
      0,
      { expected: ['m1', 'm2', 'm3'] },
    ],
    [
      'a learner has no vote',
      [up('m1'), up('m2'), up('m3'), up('m4', { isLearner: true, quorumRead: undefined })],
      'healthy',
      '3 of 3 up, 1 may fail',
      1,
    ],
    [
      'a learner that is down costs no quorum',
      [up('m1'), up('m2'), up('m3'), down('m4')],
      'degraded',
      '3 of 3 up, 1 may fail',
      1,
      { known: [...known3, member('m4', true)] },
    ],
    [
      'one member under two addresses is one vote',
      [up('m1'), up('m1', { endpoint: { name: 'm1', url: 'https://localhost:2379' } }), up('m2'), up('m3')],
      'healthy',
      '3 of 3 up, 1 may fail',
      1,
    ],
    [
      'only /health answers',
      ['m1', 'm2', 'm3'].map((name) =>
        up(name, { limited: true, memberId: undefined, leaderId: undefined, clusterId: undefined }),
      ),
      'healthy',
      '3 of 3 up, 1 may fail',
      1,
    ],
    [
      'an alarm',
      [up('m1', { alarms: ['NOSPACE'], healthy: false }), up('m2'), up('m3')],
      'degraded',
      '3 of 3 up, 1 may fail',
      1,
    ],
    [
      'an expired certificate',
      [up('m1', { chain: [certificate(-3)] }), up('m2'), up('m3')],
      'degraded',
      '3 of 3 up, 1 may fail',
      1,
    ],
    [
      'two who disagree on the leader',
      [up('m1'), up('m2'), up('m3', { leaderId: '3' })],
      'degraded',
      '3 of 3 up, 1 may fail',
      1,
    ],
    [
      'a member of another cluster',
      [up('m1'), up('m2'), up('m3', { clusterId: '78', leaderId: '3' })],
      'degraded',
      '2 of 3 up, none may fail',
      0,
    ],
  ])('%s', (_, samples, state, quorum, mayFail, options) => {
    expect(look(samples, options)).toMatchObject({ state, quorum, mayFail });
  });
});

describe('members', () => {
  it('have a role, a lag behind the leader and the days of their first certificate', () => {
    const health = look([
      up('m1', { raftIndex: 13_295 }),
      up('m2', { raftIndex: 13_291, chain: [certificate(312), certificate(40)] }),
      up('m3', { isLearner: true }),
    ]);
    expect(health.members).toMatchObject([
      { role: 'leader', lag: 0, daysLeft: 312 },
      { role: 'follower', lag: 4, daysLeft: 40 },
      { role: 'learner' },
    ]);
    expect(health).toMatchObject({ leader: 'm1', term: 4, clusterId: '77', daysLeft: 40 });
  });
  it('count certificates that are not seen on the client port as their own', () => {
    const health = look([up('m1'), up('m2'), up('m3')], {
      extraCertificates: [{ name: 'm2', certificate: certificate(5) }],
    });
    expect(health.members[1]).toMatchObject({ daysLeft: 5, remarks: ['its certificate expires in 5 days'] });
    expect(health.remarks).toEqual([]);
  });
  it('name the leader even when only the member list knows it', () => {
    expect(look([up('m2'), up('m3')], { known: [member('m1'), member('m2'), member('m3')] }).leader).toBe('m1');
  });

  it.each<[string, Partial<Sample>, string]>([
    ['slow', { latencyMs: 120.4 }, 'answers slowly (120 ms): slow disk, busy host or slow network'],
    ['behind', { raftIndex: 1 }, '5999 entries behind the leader'],
    [
      'not applying',
      { raftIndex: 6000, raftAppliedIndex: 10 },
      '5990 entries wait to be applied: its disk or processor does not keep up',
    ],
    ['expiring soon', { chain: [certificate(12)] }, 'its certificate expires in 12 days'],
    ['expiring tomorrow', { chain: [certificate(1)] }, 'its certificate expires in 1 day'],
    ['expiring today', { chain: [certificate(0)] }, 'its certificate expires today'],
    ['expired', { chain: [certificate(-3)] }, 'its certificate expired 3 days ago'],
    ['over plain http', { tls: 'plain' }, 'plain http: nothing is encrypted and everybody is let in'],
    ['with another leader', { leaderId: '2' }, 'sees another leader: an election is under way, or it is cut off'],
    ['with an alarm', { alarms: ['CORRUPT'] }, 'alarm CORRUPT'],
  ])('%s is remarked', (_, over, remark) => {
    expect(
      look([
        up('m1', { raftIndex: 6000, raftAppliedIndex: 6000 }),
        up('m2', { raftIndex: 6000, raftAppliedIndex: 6000 }),
        up('m3', { raftIndex: 6000, raftAppliedIndex: 6000, ...over }),
      ]).members[2]?.remarks,
    ).toContain(remark);
  });
});

describe('remarks on the cluster', () => {
  it.each<[string, Sample[], string, Partial<JudgeOptions>?]>([
    [
      'two cluster ids',
      [up('m1'), up('m2'), up('m3', { clusterId: '78' })],
      'the endpoints belong to 2 different clusters: a member was started with another token, or with the data of another cluster',
    ],
    ['no leader', [alone('m1'), alone('m2')], 'there is no leader: nothing can be written'],
    [
      'an upgrade under way',
      [up('m1'), up('m2', { version: '3.4.23' })],
      'versions differ: 3.5.16 (m1), 3.4.23 (m2); finish the upgrade',
    ],
    [
      'versions too far apart',
      [up('m1', { version: '3.6.1' }), up('m2', { version: '3.4.23' })],
      'versions are too far apart: 3.6.1 (m1), 3.4.23 (m2); etcd allows one minor version between members',
    ],
    [
      'a stranger',
      [up('m1')],
      'the cluster has 1 member that the profile does not name: m9',
      { expected: ['m1'], known: [member('m1'), member('m9')] },
    ],
    [
      'never joined',
      [up('m1')],
      'not a member of the cluster, or never started: m2',
      { expected: ['m1', 'm2'], known: [member('m1')] },
    ],
    [
      'the CA',
      [up('m1')],
      'the CA expires in 9 days',
      { extraCertificates: [{ name: 'the CA', certificate: certificate(9) }] },
    ],
    [
      'a full database',
      [up('m1', { alarms: ['NOSPACE'] })],
      'alarm NOSPACE: the database is full, etcd takes only reads and deletes until it is compacted, defragmented and the alarm disarmed',
    ],
  ])('%s', (_, samples, remark, options) => {
    expect(look(samples, options).remarks).toContain(remark);
  });
  it('are none when all is well', () => {
    expect(
      look([up('m1'), up('m2'), up('m3')], {
        expected: ['m1', 'm2', 'm3'],
        known: ['m1', 'm2', 'm3'].map((name) => member(name)),
      }).remarks,
    ).toEqual([]);
  });
});

describe('the reason for a wait', () => {
  it.each<[string, Sample[], { host: string; reason: string }[]]>([
    ['nothing, when all take part', [up('m1'), up('m2')], []],
    [
      'who is missing',
      [down('m1', 'silent', 'tls'), alone('m2'), down('m3')],
      [
        { host: 'm1', reason: 'waiting for a leader: m3 has not joined yet' },
        { host: 'm2', reason: 'waiting for a leader: m3 has not joined yet' },
        { host: 'm3', reason: 'not started yet: nothing listens on its client port' },
      ],
    ],
    [
      'an election',
      [alone('m1'), alone('m2')],
      [
        { host: 'm1', reason: 'waiting for a leader: the members are still finding each other' },
        { host: 'm2', reason: 'waiting for a leader: the members are still finding each other' },
      ],
    ],
    [
      'what TLS says',
      [up('m1'), up('m2'), down('m3', 'server-certificate', 'tls')],
      [{ host: 'm3', reason: 'error server-certificate' }],
    ],
    ['no alarm', [up('m1', { alarms: ['NOSPACE'], healthy: false }), up('m2')], []],
  ])('is %s', (_, samples, reasons) => {
    expect(waitingFor(look(samples))).toEqual(reasons);
  });
  it('concerns only the members that are asked for', () => {
    expect(waitingFor(look([up('m1'), up('m2'), down('m3')]), ['m1', 'm2'])).toEqual([]);
  });
});
