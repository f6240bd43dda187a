/** Keys as a person presses them, right and wrong ones, through ink-testing-library. */
import { render } from 'ink-testing-library';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { App } from '../../components/app.tsx';
import { KeyMap, Keys, LEVEL } from '../../components/keys.tsx';
import { Questions } from '../../components/questions.ts';
import { HealthPane } from '../../components/screens/health-pane.tsx';
import { QuestionScreen } from '../../components/screens/question-screen.tsx';
import type { AppServices, Left } from '../../components/services.ts';
import { fixedTerminal, Root } from '../../src/terminal/ink.ts';
import { livingSource } from '../terminal/fixtures/health.ts';
import { fakePlan, fakeServices } from '../terminal/fixtures/services.ts';
import { KEY } from './draw.tsx';

type Rendered = ReturnType<typeof render>;
const open: Rendered[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.unmount();
});

function show(tree: React.ReactNode) {
  const app = render(
    <Root terminal={fixedTerminal({ columns: 100, rows: 30 })}>
      <Keys>{tree}</Keys>
    </Root>,
  );
  open.push(app);
  const text = () => (app.lastFrame() ?? '').replace(/\x1b\[[0-9;]*m/g, '');
  const shows = (wanted: string | RegExp) =>
    vi.waitFor(() => expect(text()).toMatch(wanted), { timeout: 5000, interval: 5 });
  const press = async (...keys: string[]) => {
    for (const key of keys) {
      app.stdin.write(key);
      await new Promise((resolve) => setTimeout(resolve, key === KEY.escape ? 60 : 10));
    }
  };
  return { text, shows, press };
}

function showApp(services: AppServices) {
  const onExit = vi.fn<(left: Left) => void>();
  const controller = new AbortController();
  const screen = show(
    <App services={services} signal={controller.signal} onInterrupt={() => controller.abort()} onExit={onExit} />,
  );
  return { ...screen, onExit, controller };
}

describe('home', () => {
  test('arrows and vi keys move, Enter opens, the footer names only keys that work', async () => {
    const { shows, press, text } = showApp(
      fakeServices({ pace: 1, profiles: [{ name: 'homelab', hosts: 3, topology: 'external' }] }),
    );
    await shows('homelab');
    expect(text()).not.toContain('r replay');
    await press('j', KEY.down);
    await shows('❯ homelab');
    expect(text()).toContain('r replay');
    await press('k');
    await shows('❯ Try it here');
    expect(text()).not.toContain('r replay');
    await press('j', KEY.enter);
    await shows('3 of 3 up');
    await press('q');
    await shows('Saved clusters');
  });

  test('a profile that cannot be used says why and offers nothing that would fail', async () => {
    const { shows, press, text } = showApp(
      fakeServices({
        pace: 1,
        profiles: [{ name: 'broken', hosts: 0, topology: 'external', problem: 'hosts: at least one host' }],
      }),
    );
    await shows('broken');
    await press(KEY.up);
    await shows('hosts: at least one host');
    expect(text()).toContain('etcd-wizard profile validate broken');
    expect(text()).not.toContain('h health');
    await press('h', 'r', KEY.enter);
    expect(text()).toContain('Saved clusters');
  });

  test('wrong keys and pastes do nothing', async () => {
    const { shows, press, onExit } = showApp(fakeServices({ pace: 1 }));
    await shows('No saved clusters yet');
    await press('z', '\x1b[15~', '\x1bx', '\x1b[200~q\nq\n\x1b[201~', 'quite a long text without brackets', KEY.tab);
    await shows('❯ Try it here');
    expect(onExit).not.toHaveBeenCalled();
    await press('q');
    expect(onExit).toHaveBeenCalledWith({ told: [] });
  });
});

describe('from the first question to a healthy cluster', () => {
  const toReview = [
    KEY.enter,
    'pi@10.0.11.1\r',
    '10.0.11.2\r',
    '10.0.11.3\r',
    KEY.enter,
    KEY.enter,
    KEY.enter,
    KEY.enter,
  ];

  test('answers, plan, run, health, summary', async () => {
    const services = fakeServices({ pace: 5 });
    const { shows, press, onExit } = showApp(services);
    await shows('New cluster');
    await press('n');
    await shows('What shall');
    await press(...toReview);
    await shows('Is this right?');
    await shows('10.0.11.3 localhost');
    await press(KEY.enter);
    await shows('nothing has been changed yet');
    expect(services.saved).toMatchObject([
      {
        name: 'homelab',
        hosts: [
          { name: 'pi1', address: '10.0.11.1', ssh: { user: 'pi' } },
          { address: '10.0.11.2' },
          { address: '10.0.11.3' },
        ],
      },
    ]);
    await shows('Press y');
    await press('y');
    await shows('proved by 12 handshakes');
    await press(KEY.enter);
    await shows('3 of 3 up');
    await press('q');
    expect(onExit.mock.calls[0]?.[0].told.join('\n')).toContain('homelab is up: 3 members');
  });

  test('back keeps every answer; a question can be changed from the review', async () => {
    const { shows, press, text } = showApp(fakeServices({ pace: 1 }));
    await shows('New cluster');
    await press('n');
    await shows('What shall');
    await press('garage', ...toReview);
    await shows('Is this right?');
    await press(KEY.escape, KEY.escape, KEY.escape, KEY.escape);
    await shows('pi3');
    await press(KEY.escape);
    await shows('❯ garage');
    await press('2', KEY.enter, KEY.enter, KEY.enter, KEY.enter, KEY.enter);
    await shows('Is this right?');
    expect(text()).toContain('garage2');
    await press(KEY.down, KEY.enter);
    await shows('What shall');
    await press(KEY.backspace, '3', KEY.enter);
    await shows('Is this right?');
    expect(text()).toContain('garage3');
  });

  test('declined: nothing is done, and it is said', async () => {
    const { shows, press } = showApp(fakeServices({ pace: 1 }));
    await shows('New cluster');
    await press('n');
    await shows('What shall');
    await press(...toReview);
    await shows('Is this right?');
    await press(KEY.enter);
    await shows('Press y to do it');
    await press(KEY.escape);
    await shows('Nothing was changed');
  });

  test('what cannot be a host stays in the field with the reason; a removed host is gone', async () => {
    const { shows, press, text } = showApp(fakeServices({ pace: 1 }));
    await shows('New cluster');
    await press('n');
    await shows('What shall');
    await press(KEY.enter, '10.0.11.300\r');
    await shows('not an IPv4 address');
    expect(text()).toContain('+ 10.0.11.300');
    await press('\x15', '10.0.11.9\r');
    await shows('connection refused');
    await press(KEY.up);
    await shows('Nothing listens on port 22');
    await press('x');
    await vi.waitFor(() => expect(text()).not.toContain('10.0.11.9'));
  });

  test('control characters are left out and said; a paste of 10 000 characters is kept', async () => {
    const { shows, press } = showApp(fakeServices({ pace: 1 }));
    await shows('New cluster');
    await press('n');
    await shows('What shall');
    await press(KEY.enter, '\x1b[200~pi1=10.0\x1b[31m.11.1\u202e\x1b[201~');
    await shows('were left out');
    await press('\x15', `\x1b[200~${'a'.repeat(10_000)}\x1b[201~`, KEY.enter);
    await shows('is too long');
  });
});

describe('a run is stopped by Ctrl-C', () => {
  test('once: it winds down and says how to go on', async () => {
    const { shows, press, onExit, controller } = showApp(
      fakeServices({ pace: 40, profiles: [{ name: 'homelab', hosts: 3, topology: 'external' }] }),
    );
    await shows('homelab');
    await press(KEY.up, 'r');
    await shows('Press y');
    await press('y');
    await shows('files');
    await press(KEY.ctrlC);
    expect(controller.signal.aborted).toBe(true);
    await vi.waitFor(() => expect(onExit.mock.calls[0]?.[0].told.join('\n')).toContain('etcd-wizard replay homelab'), {
      timeout: 5000,
    });
  });

  test('while a question is open it is answered with no', async () => {
    const { shows, press, onExit } = showApp(
      fakeServices({ pace: 1, profiles: [{ name: 'homelab', hosts: 3, topology: 'external' }] }),
    );
    await shows('homelab');
    await press(KEY.up, 'r');
    await shows('Press y');
    await press(KEY.ctrlC);
    await vi.waitFor(() => expect(onExit.mock.calls[0]?.[0].told.join('\n')).toContain('To go on'), { timeout: 5000 });
  });
});

describe('questions', () => {
  test('a secret is never on the screen', async () => {
    const answer = vi.fn();
    const { shows, press, text } = show(
      <QuestionScreen
        question={{
          kind: 'secret',
          secret: { id: 'a', kind: 'sudo-password', prompt: 'password for pi', retry: false },
          answer,
        }}
      />,
    );
    await shows('password for pi');
    await press('hunter2');
    await shows('•••••••');
    expect(text()).not.toContain('hunter2');
    await press(KEY.enter);
    expect(answer).toHaveBeenCalledWith('hunter2');
  });

  test('an unknown host key: the fingerprint stands alone on its line; only y accepts', async () => {
    const answer = vi.fn();
    const { shows, press, text } = show(
      <QuestionScreen
        question={{
          kind: 'host-key',
          key: {
            host: 'pi1',
            address: '10.0.11.1',
            type: 'ssh-ed25519',
            fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BrPLE4TQz5o0Gx1c0Ff1bBnM',
          },
          answer,
        }}
      />,
    );
    await shows('SHA256:');
    expect(
      text()
        .split('\n')
        .map((line) => line.trim()),
    ).toContain('SHA256:uNiVztksCsDhcc0u9e8BrPLE4TQz5o0Gx1c0Ff1bBnM');
    // Held down from the question before: nobody has read this one yet.
    await press('y', KEY.enter, ' ', 'x');
    expect(answer).not.toHaveBeenCalled();
    await shows('it is right');
    await press('y');
    expect(answer).toHaveBeenCalledWith(true);
  });

  test('a plan that stops here cannot be accepted', async () => {
    const answer = vi.fn();
    const plan = fakePlan();
    plan.findings = [
      {
        id: 'clock-skew',
        severity: 'stop',
        hosts: ['pi3'],
        what: 'its clock is 3 h behind',
        why: 'Certificates would look not yet valid.',
        remedy: ['sudo timedatectl set-ntp true'],
      },
    ];
    const { shows, press, text } = show(<QuestionScreen question={{ kind: 'plan', plan, changed: false, answer }} />);
    await shows('sudo timedatectl set-ntp true');
    expect(text()).not.toContain('y do it');
    await press('y', KEY.enter);
    expect(answer).not.toHaveBeenCalled();
  });

  test('several hosts ask one after the other, each gets its own answer', async () => {
    const questions = new Questions();
    const key = (host: string) => ({ host, address: host, type: 'ssh-ed25519', fingerprint: 'SHA256:x' });
    const answers = Promise.all([
      questions.interaction.acceptHostKey(key('pi1')),
      questions.interaction.acceptHostKey(key('pi2')),
    ]);
    const first = questions.current();
    if (first?.kind === 'host-key') {
      first.answer(true);
      // A second press comes too late to answer the next question.
      first.answer(true);
    }
    expect(questions.current()).toMatchObject({ kind: 'host-key', key: { host: 'pi2' } });
    questions.refuseAll();
    expect(await answers).toEqual([true, false]);
  });
});

describe('the health pane', () => {
  test('pauses, refreshes, changes its interval, shows details, quits', async () => {
    const source = livingSource();
    const onQuit = vi.fn();
    const { shows, press } = show(<HealthPane source={source} interval={60_000} onQuit={onQuit} />);
    await shows('3 of 3 up, 1 may fail');
    expect(source.looks).toBe(1);
    await press('p');
    await shows('paused');
    await press('r');
    await vi.waitFor(() => expect(source.looks).toBe(2));
    await press('-', '-');
    await shows('every 10 s');
    await press('+');
    await shows('every 30 s');
    await press(KEY.enter);
    await shows('verified both ways');
    await press(KEY.escape);
    await shows('certificates');
    await press('q');
    expect(onQuit).toHaveBeenCalledOnce();
  });
});

describe('the map of keys', () => {
  const binding = (key: string, run: () => void) => ({ keys: [key], hint: key, run });

  test('a question takes the keys from what is below; Ctrl-C stays with the app', () => {
    const map = new KeyMap();
    const [screen, question, app] = [vi.fn(), vi.fn(), vi.fn()];
    map.add({ level: LEVEL.app, modal: false, bindings: [binding('ctrl-c', app)] });
    map.add({ level: LEVEL.screen, modal: false, bindings: [binding('y', screen), binding('x', screen)] });
    map.add({ level: LEVEL.question, modal: true, bindings: [binding('y', question)] });
    for (const text of ['y', 'x']) map.dispatch({ name: 'text', text });
    map.dispatch({ name: 'ctrl-c' });
    expect([screen.mock.calls.length, question.mock.calls.length, app.mock.calls.length]).toEqual([0, 1, 1]);
    expect(map.bindings().map((each) => each.hint)).toEqual(['y', 'ctrl-c']);
  });

  test('a DNS name that was not accepted is there again after going back', async () => {
    const { shows, press } = showApp(fakeServices({ pace: 1 }));
    await shows('New cluster');
    await press('n');
    await shows('What shall');
    await press(KEY.enter);
    await shows('Which hosts');
    await press('10.0.11.1', KEY.enter);
    await shows('1 member');
    await press(KEY.enter);
    await shows('find each other');
    await press(KEY.down, KEY.enter);
    await shows('Under which DNS name');
    await press('not_a/name');
    await shows('✗');
    await press(KEY.escape);
    await shows('find each other');
    await press(KEY.enter);
    await shows('not_a/name');
    await shows('✗');
  });

  test('while text is typed letters are text, and no hint names one', () => {
    const map = new KeyMap();
    const quit = vi.fn();
    const typed: string[] = [];
    map.add({ level: LEVEL.screen, modal: false, bindings: [binding('q', quit), binding('escape', quit)] });
    map.add({
      level: LEVEL.widget,
      modal: false,
      bindings: [],
      text: (key) => key.name === 'text' && typed.push(key.text) > 0,
    });
    map.dispatch({ name: 'text', text: 'q' });
    expect(typed).toEqual(['q']);
    expect(quit).not.toHaveBeenCalled();
    expect(map.bindings().map((each) => each.hint)).toEqual(['escape']);
  });
});
