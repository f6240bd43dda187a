import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/apply/events.ts';
import { WizardError } from '../../src/errors.ts';
import { eventJson, headlessInteraction, jsonLine } from '../../src/front/headless.ts';
import { readerOf } from '../../src/front/reader.ts';
import { duration, errorLines, eventLines, healthLines } from '../../src/front/text.ts';
import type { ClusterHealth, MemberHealth } from '../../src/health/types.ts';

const HOSTILE = '\x1b]0;owned\x07\x1b[2J\u202e';

describe('an error as lines', () => {
  it('says where, what, why, the evidence and what to do next', () => {
    const error = new WizardError('start', 'etcd did not start.', {
      host: 'pi2',
      step: 'starting etcd',
      why: 'Port 2380 is held by «docker-proxy».\nNothing on pi2 was left half-done.',
      evidence: ['listen tcp 10.0.0.2:2380: bind: address already in use'],
      next: ['Stop that program, then', 'etcd-wizard replay homelab'],
    });
    expect(errorLines(error)).toEqual([
      '✗ pi2, starting etcd: etcd did not start.',
      '  Port 2380 is held by «docker-proxy».',
      '  Nothing on pi2 was left half-done.',
      '  | listen tcp 10.0.0.2:2380: bind: address already in use',
      '  Next:',
      '    Stop that program, then',
      '    etcd-wizard replay homelab',
    ]);
  });

  it('is one line when there is no more to say, and nothing hostile gets through', () => {
    expect(errorLines(new WizardError('bug', 'Oh.'))).toEqual(['✗ Oh.']);
    const all = new WizardError('remote', HOSTILE, {
      host: HOSTILE,
      step: HOSTILE,
      why: HOSTILE,
      evidence: [HOSTILE],
      next: [HOSTILE],
    });
    expect(errorLines(all).join('\n')).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
  });
});

describe('events as lines', () => {
  const titles = new Map([['files:pi1', 'install files']]);
  const action = { type: 'action', id: 'files:pi1', host: 'pi1', kind: 'files' } as const;
  it.each<[RunEvent, string[], string[]]>([
    [{ type: 'host', host: 'pi1', state: 'connecting' }, [], []],
    [
      { type: 'host', host: 'pi1', state: 'failed', detail: 'timed out' },
      ['✗ failed    pi1: timed out'],
      ['✗ failed    pi1: timed out'],
    ],
    [{ ...action, state: 'started' }, [], ['… pi1  install files']],
    [
      { ...action, state: 'done', elapsedMs: 340 },
      ['✓ done    pi1  install files  (0.3 s)'],
      ['✓ done    pi1  install files  (0.3 s)'],
    ],
    [
      { ...action, state: 'failed', detail: 'disk full' },
      ['✗ failed  pi1  install files: disk full'],
      ['✗ failed  pi1  install files: disk full'],
    ],
    [
      { type: 'waiting', host: 'pi3', reason: 'pi3 has not joined yet' },
      ['… waiting  pi3  pi3 has not joined yet'],
      ['… waiting  pi3  pi3 has not joined yet'],
    ],
    [
      { type: 'log', host: 'pi1', stream: 'command', line: 'systemctl start etcd' },
      [],
      ['  pi1 $ systemctl start etcd'],
    ],
    [{ type: 'proof', from: 'pi1', to: 'pi2', what: 'peer', outcome: 'ok' }, [], ['✓ proved    peer pi1 → pi2']],
    [
      { type: 'proof', from: 'pi1', to: 'pi2', what: 'peer', outcome: 'unchecked', detail: 'forwarding forbidden' },
      [],
      ['· unchecked peer pi1 → pi2: forwarding forbidden'],
    ],
    [{ type: 'note', text: 'one\ntwo' }, ['one', 'two'], ['one', 'two']],
    [
      { type: 'finished', outcome: 'healthy', elapsedMs: 2000, summary: ['3 members'] },
      ['● healthy after 2.0 s', '3 members'],
      ['● healthy after 2.0 s', '3 members'],
    ],
    [
      { type: 'finished', outcome: 'declined', elapsedMs: 0, summary: [] },
      ['· declined: nothing was changed'],
      ['· declined: nothing was changed'],
    ],
  ])('%j', (event, lines, verbose) => {
    expect(eventLines(event, titles)).toEqual(lines);
    expect(eventLines(event, titles, true)).toEqual(verbose);
  });

  it('what hosts print cannot move the cursor, in lines and in JSON', () => {
    const log: RunEvent = { type: 'log', host: 'pi1', stream: 'stderr', line: HOSTILE };
    expect(eventLines(log, titles, true)).toEqual(['  pi1 ! \\x1b]0;owned\\x07\\x1b[2J\\u{202e}']);
    expect(eventJson(log)).toMatchObject({ line: '\\x1b]0;owned\\x07\\x1b[2J\\u{202e}' });
    expect(jsonLine({ a: ['\x9b31m\u2028'] })).toBe('{"a":["\\\\x9b31m\\\\u{2028}"]}');
  });

  it.each([
    [0, '0.0 s'],
    [9_949, '9.9 s'],
    [59_400, '59 s'],
    [125_000, '2:05 min'],
  ])('%d ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it('the same reason for waiting is told once; the plan and the end go to standard output, talk to standard error', () => {
    const [out, err]: [string[], string[]] = [[], []];
    const emit = readerOf({
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      flags: { plain: true, json: false, yes: false, color: false, verbose: false },
    });
    const wait: RunEvent = { type: 'waiting', host: 'pi3', reason: 'no leader' };
    for (const event of [wait, wait, { ...wait, reason: 'still none' }, wait]) emit(event);
    emit({ type: 'finished', outcome: 'healthy', elapsedMs: 1, summary: [] });
    expect(err).toHaveLength(3);
    expect(out).toEqual(['● healthy after 0.0 s']);
  });

  it('--json: every event is one line of JSON', () => {
    const out: string[] = [];
    const emit = readerOf({
      out: (line) => out.push(line),
      err: () => expect.fail('talk'),
      flags: { plain: false, json: true, yes: false, color: false, verbose: false },
    });
    emit({
      type: 'plan',
      plan: { cluster: 'lab', state: 'new', findings: [], actions: [], resolved: { token: 't', versions: {} } },
    });
    emit({ type: 'note', text: 'a\nb' });
    expect(out).toHaveLength(2);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ type: 'plan', plan: { actions: [] } });
    expect(JSON.parse(out[1] ?? '')).toEqual({ type: 'note', text: 'a\nb' });
  });
});

describe('health as lines', () => {
  const member = (name: string, more: Partial<MemberHealth> = {}): MemberHealth => ({
    name,
    url: `https://${name}:2379`,
    role: 'follower',
    up: true,
    remarks: [],
    sample: {
      endpoint: { name, url: '' },
      at: 0,
      reachable: true,
      tls: 'verified',
      healthy: true,
      alarms: [],
      chain: [],
      latencyMs: 1.23,
      version: '3.5.16',
      raftIndex: 100,
      dbBytes: 4_500_000,
    },
    daysLeft: 312,
    ...more,
  });
  const health: ClusterHealth = {
    state: 'degraded',
    quorum: '2 of 3 up, none may fail',
    up: 2,
    total: 3,
    mayFail: 0,
    leader: 'pi2',
    term: 4,
    remarks: ['versions differ'],
    members: [
      member('pi1'),
      member('pi2', { role: 'leader', daysLeft: 1 }),
      member('pi3', {
        up: false,
        role: 'unknown',
        daysLeft: -2,
        remarks: ['expired'],
        sample: {
          endpoint: { name: 'pi3', url: '' },
          at: 0,
          reachable: false,
          tls: 'none',
          healthy: false,
          alarms: [],
          chain: [],
          error: `refused${HOSTILE}`,
        },
      }),
    ],
  };

  it('has state and quorum in words, a row a member, remarks with their member', () => {
    expect(healthLines(health)).toEqual([
      '▲ degraded   2 of 3 up, none may fail   leader pi2   term 4',
      'member  state  role      latency  raft index  database  certificates  version',
      'pi1     up     follower  1.2 ms   100         4.5 MB    312 days      3.5.16',
      'pi2     up     leader    1.2 ms   100         4.5 MB    1 day         3.5.16',
      'pi3     down   unknown   -        -           -         expired       -',
      '▲ pi3: refused\\x1b]0;owned\\x07\\x1b[2J\\u{202e}',
      '▲ pi3: expired',
      '▲ versions differ',
    ]);
  });
});

describe('nobody to ask', () => {
  const plan = {
    cluster: 'lab',
    state: 'new',
    findings: [],
    actions: [],
    resolved: { token: 't', versions: {} },
  } as const;
  const key = { host: 'pi1', address: '10.0.0.1:22', type: 'ssh-ed25519', fingerprint: 'SHA256:abc' };
  const with_ = (yes: boolean, secrets: Parameters<typeof headlessInteraction>[0]['secrets'] = {}) =>
    headlessInteraction({ flags: { yes }, secrets });
  const ask = (kind: Parameters<ReturnType<typeof headlessInteraction>['secret']>[0]['kind'], retry = false) => ({
    id: 'x',
    kind,
    prompt: 'pi1 asks',
    retry,
  });

  it('--yes agrees to the plan; without it the flag is named', async () => {
    expect(await with_(true).acceptPlan({ ...plan, findings: [], actions: [] }, false)).toBe(true);
    await expect(with_(false).acceptPlan({ ...plan, findings: [], actions: [] }, false)).rejects.toMatchObject({
      code: 'no-terminal',
      exitCode: 64,
      next: expect.arrayContaining(['--yes']),
    });
  });

  it('an unknown host key is never taken silently; its fingerprint and the flag are named', async () => {
    await expect(with_(true).acceptHostKey(key)).rejects.toMatchObject({
      exitCode: 64,
      why: expect.stringContaining('SHA256:abc'),
      next: expect.arrayContaining(['--accept-new-host-keys']),
    });
  });

  it.each([
    ['sudo-password', '--sudo-password-file FILE'],
    ['ssh-password', '--ssh-password-file FILE'],
    ['keyboard-interactive', '--ssh-password-file FILE'],
    ['ca-passphrase', '--ca-passphrase-file FILE'],
    ['p12-password', '--p12-password-file FILE'],
    ['key-passphrase', 'ssh-add, so that the agent holds the key'],
  ] as const)('%s: names %s', async (kind, flag) => {
    await expect(with_(true).secret(ask(kind))).rejects.toMatchObject({
      exitCode: 64,
      next: expect.arrayContaining([flag]),
    });
  });

  it('gives a secret once, and says so when it was refused, without showing it', async () => {
    const given = with_(true, { sudoPassword: 'hunter2' });
    expect(await given.secret(ask('sudo-password'))).toBe('hunter2');
    const refused = await given.secret(ask('sudo-password', true)).catch((error: WizardError) => error);
    expect(refused).toMatchObject({ code: 'privilege', message: 'The sudo password was refused.' });
    expect(JSON.stringify(refused)).not.toContain('hunter2');
  });
});
