/** What screens say, as text: pure functions, by table. */
import { describe, expect, test } from 'vitest';
import { cut, line, span, textOf, warn, width } from '../../components/lines.tsx';
import { type HealthView, healthBody, healthTitle } from '../../components/screens/health-lines.ts';
import { runBody, runTail, runTitle } from '../../components/screens/run-lines.ts';
import { afterEvents, EMPTY_RUN } from '../../components/screens/run-state.ts';
import { symbolsFor } from '../../components/symbols.ts';
import { clock, grouped, progressBar, sparkline } from '../../components/widgets/meters.ts';
import { windowOf } from '../../components/widgets/scroll.ts';
import { tableLines } from '../../components/widgets/table.ts';
import { editText, startText } from '../../components/widgets/text-state.ts';
import type { RunEvent } from '../../src/apply/events.ts';
import { bytes } from '../../src/terminal/units.ts';
import { fakeHealth, fakeMember } from '../terminal/fixtures/health.ts';
import { fakePlan } from '../terminal/fixtures/services.ts';

const symbols = symbolsFor(true);
const texts = (lines: readonly { spans: readonly { text: string }[] }[]) =>
  lines.map((each) => textOf(each as never).trimEnd()).join('\n');

describe('lines', () => {
  test('nothing hostile gets through, wherever it comes from', () => {
    expect(textOf(line('a\x1b[31mb', span('c\u202ed\r\n'), warn('e\x07')))).toBe('a\\x1b[31mbc\\u{202e}d\\ne\\x07');
  });

  test('cutting counts cells and keeps the cursor only where it still is', () => {
    expect(textOf(cut(line('東京都'), 5))).toBe('東京…');
    expect(width(cut(line('abcdef'), 4))).toBe(4);
    expect(cut({ ...line('abcdef'), cursor: 5 }, 4).cursor).toBeUndefined();
  });

  test.each([
    [10, 0, 'focus' as const, 0, ['0', '1', '2', '3', '4', '5']],
    [10, 9, 'focus' as const, 0, ['   ↑ 5 more', '5', '6', '7', '8', '9']],
    [10, 5, 'focus' as const, 0, ['   ↑ 2 more', '2', '3', '4', '5', '   ↓ 4 more']],
    [6, 0, 'keys' as const, 0, ['0', '1', '2', '3', '4', '5']],
    [10, 0, 'tail' as const, 0, ['   ↑ 5 more', '5', '6', '7', '8', '9']],
  ])('%i lines, the %ith chosen, %s', (count, focus, scroll, offset, expected) => {
    const lines = Array.from({ length: count }, (_, row) => line(String(row)));
    const seen = windowOf(lines, { height: 6, scroll, focus, offset, symbols }).lines.map(textOf);
    if (count === 10 && focus === 0 && scroll === 'focus') expect(seen.slice(0, 5)).toEqual(expected.slice(0, 5));
    else expect(seen).toEqual(expected);
    expect(seen).toHaveLength(Math.min(6, count));
  });
});

describe('tables', () => {
  const columns = [
    { title: 'member', drop: 0 },
    { title: 'raft', drop: 2 },
    { title: 'db', drop: 1 },
  ];
  const rows = [
    ['pi1', '13 295 000 000', '4.5 MB'],
    ['pi2', '13', '4 MB'],
  ];

  test('the least important column goes first, none is broken', () => {
    expect(texts(tableLines({ columns, rows, cells: 60 }))).toBe(
      '   member  raft            db\n   pi1     13 295 000 000  4.5 MB\n   pi2     13              4 MB',
    );
    expect(texts(tableLines({ columns, rows, cells: 24 }))).toBe('   member  db\n   pi1     4.5 MB\n   pi2     4 MB');
  });
});

describe('the health pane', () => {
  const view = (
    more: Partial<HealthView> = {},
    health = fakeHealth([fakeMember('pi1'), fakeMember('pi2', { role: 'leader' }), fakeMember('pi3')]),
  ): HealthView => ({
    title: 'homelab',
    health,
    history: new Map(),
    paused: false,
    time: '14:02:31',
    cells: 80,
    symbols,
    ...more,
  });

  test('the header says state, quorum, leader, term and time', () => {
    expect(texts(healthTitle(view()))).toBe(
      'homelab  ● healthy   3 of 3 up, 1 may fail      leader pi2   term 4   14:02:31',
    );
    expect(healthTitle(view({ cells: 60 }))).toHaveLength(2);
  });

  test('a member that is down says why, in words', () => {
    const down = fakeMember(
      'pi3',
      { up: false, role: 'unknown' },
      {
        reachable: false,
        error: 'certificate is for 10.0.20.31, not 10.0.31.1',
        latencyMs: undefined,
        raftIndex: undefined,
        dbBytes: undefined,
      },
    );
    const text = texts(
      healthBody(view({}, fakeHealth([fakeMember('pi1'), down], { state: 'no-quorum', leader: undefined }))),
    );
    expect(text).toMatch(/pi3 +✗ down/);
    expect(text).toContain('✗ pi3: certificate is for 10.0.20.31, not 10.0.31.1');
  });

  test.each([
    [312, '312 days'],
    [29, '▲ 29 days'],
    [1, '▲ 1 day'],
    [-1, '✗ expired a day ago'],
    [-3, '✗ expired 3 days ago'],
  ])('a certificate with %i days left reads «%s»', (daysLeft, expected) => {
    expect(texts(healthBody(view({}, fakeHealth([fakeMember('pi1', { daysLeft })]))))).toContain(expected);
  });

  test.each([60, 80, 100, 120, 200])(
    'at %i columns role, latency, raft, db and certificates are all there',
    (cells) => {
      const text = texts(healthBody(view({ cells })));
      for (const part of ['follower', '1.2 ms', '13 295', '4.5 MB', '312 days']) expect(text).toContain(part);
    },
  );

  test('below 60 columns members are stacked, with the same facts', () => {
    const text = texts(healthBody(view({ cells: 45 })));
    for (const part of ['pi1  follower', '1.2 ms', '13 295', '4.5 MB', '312 days']) expect(text).toContain(part);
  });

  test('hostile words of a member stay words', () => {
    expect(texts(healthBody(view({}, fakeHealth([fakeMember('pi1', { remarks: ['\x1b]0;owned\x07'] })]))))).toContain(
      '\\x1b]0;owned\\x07',
    );
  });
});

describe('a run', () => {
  const told = (...events: RunEvent[]) => afterEvents(EMPTY_RUN, events);
  const view = (state: ReturnType<typeof told>, cells = 80) => ({
    title: 'homelab',
    state,
    elapsedMs: 62_000,
    stopping: false,
    told: false,
    spinner: '⠼',
    cells,
    symbols,
  });
  const connected: RunEvent[] = ['pi1', 'pi2'].flatMap((host): RunEvent[] => [
    { type: 'host', host, state: 'connected' },
    { type: 'host', host, state: 'facts' },
  ]);
  const plan: RunEvent = { type: 'plan', plan: fakePlan(['pi1', 'pi2']) };
  const action = (
    id: string,
    host: string,
    kind: string,
    state: 'started' | 'done' | 'failed' | 'skipped',
    detail?: string,
  ): RunEvent => ({ type: 'action', id, host, kind, state, detail });

  test('a host a line, a step a column, the reason for a wait', () => {
    const state = told(
      ...connected,
      plan,
      action('install:pi1', 'pi1', 'install-package', 'done'),
      action('start:pi1', 'pi1', 'start', 'started'),
      { type: 'waiting', host: 'pi1', reason: 'waiting for a leader: pi2 has not joined yet' },
    );
    const text = texts(runBody(view(state)));
    expect(text).toMatch(/connect +facts +ca +prepare +files +start/);
    expect(text).toMatch(/pi1 +✓ +✓ +✓ +· +⠼/);
    expect(text).toContain('waiting for a leader: pi2 has not joined yet');
  });

  test('the share only grows, from nothing to all', () => {
    const events: RunEvent[] = [
      ...connected,
      plan,
      ...fakePlan(['pi1', 'pi2']).actions.flatMap((each) => [
        action(each.id, each.host, each.kind, 'started'),
        action(each.id, each.host, each.kind, 'done'),
      ]),
      { type: 'finished', outcome: 'healthy', elapsedMs: 1, summary: [] },
    ];
    let state = EMPTY_RUN;
    const shares = events.map((event) => {
      state = afterEvents(state, [event]);
      return state.share;
    });
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect(texts([runTitle(view(state))])).toMatch(/100 % +1:02/);
  });

  test('a failure names host, step and cause', () => {
    const state = told(
      ...connected,
      plan,
      action('start:pi2', 'pi2', 'start', 'failed', 'Port 2380 is held by «docker-proxy» (pid 812).'),
      { type: 'finished', outcome: 'failed', elapsedMs: 1, summary: [] },
    );
    expect(texts(runBody(view(state, 120)))).toContain(
      '✗ pi2: start etcd: Port 2380 is held by «docker-proxy» (pid 812).',
    );
    expect(texts(runTail(view(state)))).toContain('did not work out');
  });

  test('a host that could not be reached says why', () => {
    expect(
      texts(runBody(view(told({ type: 'host', host: 'pi1', state: 'failed', detail: 'connection refused' })))),
    ).toContain('✗ pi1: connection refused');
  });

  test('the log keeps the last 2000 lines', () => {
    const state = told(
      ...Array.from(
        { length: 3000 },
        (_, index): RunEvent => ({ type: 'log', host: 'pi1', stream: 'stdout', line: `line ${index}` }),
      ),
    );
    expect(state.log).toHaveLength(2000);
    expect(state.log.at(-1)?.line).toBe('line 2999');
  });
});

describe('numbers', () => {
  test.each([
    [950, '950 B'],
    [4_512_000, '4.5 MB'],
    [2_100_000_000, '2.1 GB'],
  ])('%i bytes', (value, text) => expect(bytes(value)).toBe(text));
  test.each([
    [2000, '0:02'],
    [760_000, '12:40'],
  ])('%i ms', (value, text) => expect(clock(value)).toBe(text));
  test.each([
    [13_295, '13 295'],
    [999, '999'],
    [1_234_567, '1 234 567'],
  ])('%i', (value, text) => expect(grouped(value)).toBe(text));
  test('bars', () => {
    expect(sparkline([0, undefined, 100, 500], 6, 100, symbols)).toBe('  ▁ ██');
    expect(sparkline([0, 50, 100], 3, 100, symbolsFor(false))).toMatch(/^[\x20-\x7e]{3}$/);
    expect(textOf(progressBar(0.5, 10, symbols))).toBe('█████░░░░░');
    expect(textOf(progressBar(7, 4, symbols))).toBe('████');
  });
});

describe('a text field', () => {
  const edit = (text: string, ...keys: Parameters<typeof editText>[1][]) =>
    keys.reduce((state, key) => editText(state, key) ?? state, startText(text));

  test.each<[string, ReturnType<typeof edit>, string, number]>([
    ['typing in the middle', edit('ac', { name: 'left' }, { name: 'text', text: 'b' }), 'abc', 2],
    ['backspace', edit('ab', { name: 'backspace' }), 'a', 1],
    ['backspace takes a whole character', edit('a🙂', { name: 'backspace' }), 'a', 1],
    ['delete', edit('ab', { name: 'home' }, { name: 'delete' }), 'b', 0],
    ['Ctrl-U', edit('ab', { name: 'left' }, { name: 'ctrl-u' }), 'b', 0],
    ['Ctrl-W', edit('pi1 pi2 ', { name: 'ctrl-w' }), 'pi1 ', 4],
    ['Ctrl-K', edit('ab', { name: 'home' }, { name: 'ctrl-k' }), '', 0],
    ['line breaks of a paste become spaces', edit('', { name: 'paste', text: 'a\nb\n\tc' }), 'a b c', 5],
    ['left of the beginning', edit('', { name: 'left' }, { name: 'backspace' }), '', 0],
  ])('%s', (_name, state, text, at) => {
    expect(state).toMatchObject({ text, at });
  });

  test('invisible characters are left out, and that is said', () => {
    expect(edit('', { name: 'paste', text: 'pi\u200b1\x1b' })).toMatchObject({
      text: 'pi1',
      remark: '2 control or invisible characters were left out',
    });
  });

  test('keys that are none of its business are left alone', () => {
    for (const name of ['enter', 'escape', 'tab', 'up', 'ctrl-c'] as const)
      expect(editText(startText('a'), { name })).toBeUndefined();
  });
});
