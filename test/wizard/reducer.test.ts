import { describe, expect, it } from 'vitest';
import { leafSpecs } from '../../src/plan/leaves.ts';
import { profileFromAnswers } from '../../src/profile/from-answers.ts';
import { parseProfile } from '../../src/profile/schema.ts';
import { QUESTIONS, STEPS } from '../../src/wizard/questions.ts';
import {
  askedQuestions,
  fieldText,
  messageOf,
  questionOf,
  reduce,
  reviewRows,
  startWizard,
  stepsOf,
  toDraft,
} from '../../src/wizard/reducer.ts';
import { remarksOn, sanRows } from '../../src/wizard/review.ts';
import type { WizardAction, WizardState } from '../../src/wizard/types.ts';

const play = (actions: WizardAction[], from = startWizard()): WizardState => actions.reduce(reduce, from);
const next = (text?: string): WizardAction => ({ type: 'next', ...(text !== undefined && { text }) });
const THREE: WizardAction = { type: 'addHosts', text: 'pi@10.0.11.1\n10.0.21.1\n10.0.31.1' };
/** Name, hosts, by address, usual certificates, install: at the review. */
const USUAL = [next('lab'), THREE, next(), next('ip'), next(), next()];

describe('the table of questions', () => {
  it.each(QUESTIONS.map((question) => [question.id, question] as const))(
    '%s has a reason, a default that is accepted, and a step',
    (_id, question) => {
      expect(question.why.length).toBeGreaterThan(120);
      expect(STEPS.map(({ id }) => id)).toContain(question.step);
      if (!['hosts', 'names', 'review'].includes(question.kind))
        expect(question.validate(question.default({}, { takenNames: [] }), {}, { takenNames: [] })).toBeUndefined();
      for (const choice of question.choices?.({}) ?? [])
        expect(question.validate(choice.value, {}, { takenNames: [] })).toBeUndefined();
    },
  );

  it.each([
    [[], 'homelab'],
    [['homelab'], 'homelab-2'],
    [['homelab', 'homelab-2', 'garage'], 'homelab-3'],
  ])('with %j saved the name offered is %s', (takenNames, name) => {
    expect(fieldText(startWizard({ takenNames }))).toBe(name);
  });

  it.each([
    ['name', 'Homelab', /lower-case/],
    ['name', '', /lower-case/],
    ['name', 'taken', /already a saved cluster named taken/],
    ['validityDays', '0', /between 1 and 36500/],
    ['validityDays', '1e3', /between 1 and 36500/],
    ['clients', '', /at least one client/],
    ['clients', 'root root', /once/],
    ['clients', 'a/b', /«a\/b» is not a client name/],
    ['extraSans', '*.home 10.0.0.1 fd00::1', undefined],
    ['extraSans', 'a b_c https://x', /«https:\/\/x» is not/],
    ['extraSans', '\u202eevil', /«\\u\{202e\}evil» is not/],
    ['keyAlgorithm', 'md5', /Choose one of ecdsa-p256/],
    ['install', 'archive', /Choose one of auto, package, present/],
  ] as const)('%s «%s»', (id, text, message) => {
    const answer = QUESTIONS.find((question) => question.id === id)?.validate(text, {}, { takenNames: ['taken'] });
    if (message === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatch(message);
  });
});

describe('walking through', () => {
  it('asks a beginner six questions, and what leaves no choice is not asked', () => {
    const asked: string[] = [];
    let state = startWizard();
    for (const action of [...USUAL, next()]) {
      if (asked.at(-1) !== state.current) asked.push(state.current);
      state = reduce(state, action);
    }
    expect(asked).toEqual(['name', 'hosts', 'addressing', 'certificates', 'install', 'review']);
    expect(state.status).toBe('done');
    expect(state.answers).toMatchObject({ topology: 'external', caSource: 'self-signed' });
  });

  it('further questions come where an answer calls for them', () => {
    expect(askedQuestions({ addressing: 'dns', certificates: 'own' }).map(({ id }) => id)).toEqual([
      'name',
      'hosts',
      'addressing',
      'names',
      'certificates',
      'keyAlgorithm',
      'validityDays',
      'clients',
      'extraSans',
      'install',
      'review',
    ]);
  });

  it('a wrong answer stays in the field with a sentence beside it, and is gone once it is right', () => {
    const wrong = play([{ type: 'type', text: 'Home Lab' }]);
    expect(messageOf(wrong)).toMatch(/lower-case/);
    const refused = reduce(wrong, next());
    expect([refused.current, fieldText(refused)]).toEqual(['name', 'Home Lab']);
    const mended = play([{ type: 'type', text: 'home-lab' }], refused);
    expect(messageOf(mended)).toBeUndefined();
    expect(reduce(mended, next()).answers.name).toBe('home-lab');
  });

  it('back and forth keeps answers and what is being typed', () => {
    const back = play([...USUAL.slice(0, 3), { type: 'back' }, { type: 'type', text: '10.0.' }, { type: 'back' }]);
    expect([back.current, fieldText(back)]).toEqual(['name', 'lab']);
    const again = reduce(back, next('other'));
    expect([again.current, fieldText(again), again.answers.hosts?.length, again.answers.name]).toEqual([
      'hosts',
      '10.0.',
      3,
      'other',
    ]);
    expect(play([{ type: 'back' }]).current).toBe('name');
  });

  it('a pasted list: what is right is taken, what is not stays in the field', () => {
    const state = play([next('lab'), { type: 'addHosts', text: '10.0.0.1\nnonsense!\n10.0.0.2' }]);
    expect(state.answers.hosts?.map(({ name }) => name)).toEqual(['pi1', 'pi2']);
    expect(fieldText(state)).toBe('nonsense!');
    expect(state.error).toMatch(/«nonsense!» is not an address/);
  });

  it('an address typed without adding it is added by «next»; without any host there is no way on', () => {
    expect(play([next('lab'), next()]).error).toMatch(/Add at least one host/);
    const state = play([next('lab'), { type: 'type', text: 'pi@10.0.0.1' }, next()]);
    expect([state.current, state.answers.hosts?.length]).toEqual(['addressing', 1]);
  });

  it('hosts are edited, moved and removed', () => {
    const state = play([
      next('lab'),
      THREE,
      { type: 'editHost', index: 1, field: 'name', text: 'attic' },
      { type: 'moveHost', index: 1, by: -1 },
      { type: 'removeHost', index: 2 },
      { type: 'moveHost', index: 0, by: -1 },
    ]);
    expect(state.answers.hosts?.map(({ name }) => name)).toEqual(['attic', 'pi1']);
    expect(reduce(state, { type: 'editHost', index: 1, field: 'name', text: 'attic' }).error).toMatch(
      /already a host named attic/,
    );
  });

  it('editing from the review leads back to it', () => {
    const state = play([...USUAL, { type: 'edit', id: 'name' }, next('garage')]);
    expect([state.current, state.answers.name]).toEqual(['review', 'garage']);
    expect(play([...USUAL, { type: 'edit', id: 'install' }, { type: 'back' }]).current).toBe('review');
  });

  it('an edit that opens new questions asks them first', () => {
    const dns = play([...USUAL, { type: 'edit', id: 'addressing' }, next('dns')]);
    expect(dns.current).toBe('names');
    expect(reduce(dns, next()).error).toBe('A DNS name is missing for pi1, pi2, pi3.');
    const named = play(
      [0, 1, 2].map((index): WizardAction => ({ type: 'editHost', index, field: 'dnsNames', text: `pi${index}.home` })),
      dns,
    );
    expect(reduce(named, next()).current).toBe('review');
  });

  it('a later change that makes an earlier answer wrong leads there before the end', () => {
    const state = play([...USUAL, { type: 'edit', id: 'addressing' }, next('dns'), { type: 'back' }, next()]);
    expect([state.status, state.current, state.editing]).toEqual(['asking', 'names', true]);
  });

  it('after the end nothing changes any more', () => {
    const left = play([next('lab'), { type: 'cancel' }]);
    expect(left.status).toBe('cancelled');
    expect(reduce(left, next('x'))).toBe(left);
  });

  it('steps say what is done, now and to come', () => {
    expect(stepsOf(play(USUAL.slice(0, 3))).map(({ id, state }) => `${id} ${state}`)).toEqual([
      'cluster done',
      'hosts done',
      'names now',
      'certificates later',
      'install later',
      'review later',
    ]);
  });
});

describe('a draft', () => {
  it('goes on where it was left, with what was half typed', () => {
    const left = play([next('lab'), THREE, { type: 'type', text: '10.0.' }]);
    const again = startWizard({ takenNames: [] }, toDraft(left));
    expect([again.current, fieldText(again), again.answers.hosts?.length]).toEqual(['hosts', '10.0.', 3]);
  });

  it('is not worth keeping before anything was said, nor after the end', () => {
    expect(toDraft(startWizard())).toBeUndefined();
    expect(toDraft(play([...USUAL, next()]))).toBeUndefined();
  });
});

describe('the review', () => {
  it('shows every answer, and what decided itself without an edit', () => {
    expect(
      reviewRows(play(USUAL)).map(({ label, value, editable }) => `${label}: ${value}${editable ? '' : ' (fixed)'}`),
    ).toEqual([
      'Name: lab',
      'Topology: external (fixed)',
      'Hosts: pi1=pi@10.0.11.1\npi2=pi@10.0.21.1\npi3=pi@10.0.31.1',
      'Members dial: by IP address',
      'CA: self-signed (fixed)',
      'Certificates: yes, the usual',
      'etcd program: what fits',
    ]);
  });

  it.each([
    [2, undefined, [], 'warn', /2 members survive less than 1/],
    [4, undefined, [], 'note', /4 members survive no more failures than 3/],
    [9, undefined, [], 'note', /every write waits for 5/],
    [3, 'dns', [], 'warn', /pi1\.local.*mDNS/],
    [3, undefined, ['a', 'a', 'b'], 'note', /zone a is lost/],
  ] as const)('%d hosts, %s, zones %j deserve a remark', (count, addressing, zones, severity, text) => {
    const hosts = Array.from({ length: count }, (_, index) => ({
      name: `pi${index}`,
      address: `10.0.0.${index}`,
      dnsNames: [`pi${index}.local`],
      ssh: {},
      ...(zones[index] && { zone: zones[index] }),
    }));
    expect(remarksOn({ hosts, addressing })).toContainEqual({ severity, text: expect.stringMatching(text) });
  });

  it('three hosts in three zones deserve none', () => {
    const hosts = ['a', 'b', 'c'].map((zone, index) => ({
      name: zone,
      address: `10.0.0.${index}`,
      dnsNames: [],
      ssh: {},
      zone,
    }));
    expect(remarksOn({ hosts, addressing: 'ip' })).toEqual([]);
  });

  it('the names shown are those that will be issued', () => {
    const state = play([
      next('lab'),
      THREE,
      next(),
      next('dns'),
      ...[0, 1, 2].map(
        (index): WizardAction => ({ type: 'editHost', index, field: 'dnsNames', text: `pi${index}.home` }),
      ),
      next(),
      next('own'),
      next('rsa-2048'),
      next('90'),
      next('root grafana'),
      next('etcd.home 10.0.0.99'),
      next('package'),
      next(),
    ]);
    expect(state.status).toBe('done');
    const file = profileFromAnswers(state.answers);
    const parsed = parseProfile(file);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.profile).toMatchObject({
      addressing: 'dns',
      etcd: { install: 'package' },
      certificates: {
        keyAlgorithm: 'rsa-2048',
        validityDays: 90,
        extraSans: ['etcd.home', '10.0.0.99'],
        clients: [{ commonName: 'root' }, { commonName: 'grafana' }],
      },
    });
    const issued = leafSpecs(parsed.profile);
    for (const { host, server, peer } of sanRows(state.answers)) {
      const names = (role: string) =>
        issued
          .filter((leaf) => leaf.host === host && leaf.role === role)
          .flatMap((leaf) => [...leaf.dnsNames, ...leaf.ipAddresses])
          .sort();
      expect([...server].sort()).toEqual(names('server'));
      expect([...peer].sort()).toEqual(names('peer'));
    }
  });

  it('a profile holds what was decided and no default that nobody touched', () => {
    expect(profileFromAnswers(play([...USUAL, next()]).answers)).toEqual({
      schemaVersion: 1,
      name: 'lab',
      topology: 'external',
      addressing: 'ip',
      hosts: ['10.0.11.1', '10.0.21.1', '10.0.31.1'].map((address, index) => ({
        name: `pi${index + 1}`,
        address,
        ssh: { user: 'pi' },
      })),
      ca: { source: 'self-signed' },
    });
  });

  it('answers that «the usual» hides do not reach the profile', () => {
    const state = play([
      next('lab'),
      THREE,
      next(),
      next('ip'),
      next('own'),
      next('rsa-4096'),
      { type: 'back' },
      { type: 'back' },
      next('usual'),
      next(),
      next(),
    ]);
    expect(state.status).toBe('done');
    expect(profileFromAnswers(state.answers).certificates).toBeUndefined();
  });

  it('an unfinished wizard makes no profile', () => {
    expect(() => profileFromAnswers({ name: 'lab' })).toThrow(/not finished/);
    expect(questionOf(startWizard()).id).toBe('name');
  });
});
