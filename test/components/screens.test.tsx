/** Every screen at every size: never taller than the window less one row, never wider, and what matters is there. */
import type { ReactNode } from 'react';
import { afterEach, describe, expect, test } from 'vitest';
import { App } from '../../components/app.tsx';
import { Questions } from '../../components/questions.ts';
import { HealthPane } from '../../components/screens/health-pane.tsx';
import { QuestionScreen } from '../../components/screens/question-screen.tsx';
import { RunScreen } from '../../components/screens/run-screen.tsx';
import { Wizard } from '../../components/screens/wizard/wizard.tsx';
import { displayWidth } from '../../src/terminal/width.ts';
import { livingSource } from '../terminal/fixtures/health.ts';
import { fakePlan, fakeServices } from '../terminal/fixtures/services.ts';
import { type Drawing, draw, KEY, SIZES } from './draw.tsx';

const open: Drawing[] = [];
afterEach(() => {
  for (const drawing of open.splice(0)) drawing.close();
});

const many = Array.from({ length: 40 }, (_, index) => ({ name: `cluster${index}`, hosts: 3, topology: 'external' }));
const hosts = Array.from({ length: 50 }, (_, index) => `host${index}`);

/** What is drawn, and the keys that lead to its tallest state. */
const SCREENS: Record<string, { tree: () => ReactNode; ready?: string; keys?: string[]; shows: string }> = {
  home: {
    tree: () => (
      <App
        services={fakeServices({ pace: 1, profiles: many })}
        signal={new AbortController().signal}
        onInterrupt={() => {}}
        onExit={() => {}}
      />
    ),
    shows: 'New cluster',
  },
  'home, last cluster': {
    ready: 'Saved clusters',
    tree: () => (
      <App
        services={fakeServices({ pace: 1, profiles: many })}
        signal={new AbortController().signal}
        onInterrupt={() => {}}
        onExit={() => {}}
      />
    ),
    keys: [KEY.up],
    shows: 'cluster39',
  },
  health: {
    tree: () => <HealthPane source={livingSource(50)} interval={1000} onQuit={() => {}} />,
    shows: '50 of 50 up',
  },
  'health, details': {
    ready: '50 of 50',
    tree: () => <HealthPane source={livingSource(50)} interval={1000} onQuit={() => {}} />,
    keys: [KEY.enter, KEY.pageDown],
    shows: 'more',
  },
  'health, help': {
    tree: () => <HealthPane source={livingSource(3)} interval={1000} onQuit={() => {}} />,
    keys: ['?'],
    shows: 'Keys that work here',
  },
  run: {
    tree: () => (
      <RunScreen
        title="homelab"
        questions={new Questions()}
        stop={new AbortController()}
        onDone={() => {}}
        start={async (emit) => {
          for (const host of hosts) emit({ type: 'host', host, state: 'connecting' });
          emit({ type: 'plan', plan: fakePlan(hosts) });
          return new Promise(() => {});
        }}
      />
    ),
    shows: 'homelab',
  },
  plan: {
    tree: () => <QuestionScreen question={{ kind: 'plan', plan: fakePlan(hosts), changed: false, answer: () => {} }} />,
    shows: 'Press y to do it',
  },
  'plan, a file': {
    tree: () => (
      <QuestionScreen question={{ kind: 'plan', plan: fakePlan(['pi1']), changed: false, answer: () => {} }} />
    ),
    keys: [KEY.down, KEY.down, KEY.down, 'd'],
    shows: '/etc/etcd/etcd.conf',
  },
  'host key': {
    tree: () => (
      <QuestionScreen
        question={{
          kind: 'host-key',
          key: { host: 'pi1', address: '10.0.11.1', type: 'ssh-ed25519', fingerprint: 'SHA256:abc' },
          answer: () => {},
        }}
      />
    ),
    shows: 'SHA256:abc',
  },
  secret: {
    tree: () => (
      <QuestionScreen
        question={{
          kind: 'secret',
          secret: { id: 'sudo:pi1', kind: 'sudo-password', prompt: '[sudo] password for pi', retry: true },
          answer: () => {},
        }}
      />
    ),
    keys: ['hunter2'],
    shows: 'not accepted',
  },
  'wizard, first question': {
    tree: () => (
      <Wizard services={fakeServices({ pace: 1 })} questions={new Questions()} onCancel={() => {}} onSaved={() => {}} />
    ),
    shows: 'What shall the cluster be called?',
  },
  'wizard, 50 hosts': {
    ready: 'What shall',
    tree: () => (
      <Wizard services={fakeServices({ pace: 1 })} questions={new Questions()} onCancel={() => {}} onSaved={() => {}} />
    ),
    keys: [KEY.enter, `\x1b[200~${hosts.map((_, index) => `10.0.12.${index + 1}`).join('\n')}\x1b[201~`],
    shows: 'hosts',
  },
  'wizard, review': {
    ready: 'What shall',
    tree: () => (
      <Wizard services={fakeServices({ pace: 1 })} questions={new Questions()} onCancel={() => {}} onSaved={() => {}} />
    ),
    keys: [KEY.enter, '10.0.11.1', KEY.enter, KEY.enter, KEY.enter, KEY.enter, KEY.enter],
    shows: 'Is this right?',
  },
};

describe.each(SIZES)('a window of $columns x $rows', (size) => {
  test.each(Object.entries(SCREENS))('%s', async (_name, { tree, ready = '', keys = [], shows }) => {
    const drawing = draw(tree(), size);
    open.push(drawing);
    if (size.rows >= 10) await drawing.shows(ready);
    await drawing.press(...keys);
    await drawing.shows(size.rows < 10 ? 'window too' : shows);
    expect(drawing.tallest()).toBeLessThanOrEqual(size.rows - 1);
    for (const line of drawing.lines()) expect(displayWidth(line)).toBeLessThanOrEqual(size.columns);
    if (size.rows < 10) expect(drawing.lines()).toEqual(['window too small', '40x10 is needed']);
  });
});

test.each(Object.entries(SCREENS))(
  '%s: without unicode nothing but ASCII is drawn',
  async (_name, { tree, ready = '', keys = [] }) => {
    const drawing = draw(tree(), { columns: 80, rows: 24 }, false);
    open.push(drawing);
    await drawing.shows(ready);
    await drawing.press(...keys);
    expect(drawing.text()).toMatch(/^[\x20-\x7e\n]+$/);
  },
);
