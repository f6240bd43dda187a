/** The wizard as lines: the same table of questions and the same state machine as on screens, one question after another. */
import { cleanLine } from '../../clean.ts';
import { WizardError } from '../../errors.ts';
import { hostField, hostLine } from '../../wizard/hosts.ts';
import { fieldText, questionOf, reduce, reviewRows, startWizard, stepsOf, toDraft } from '../../wizard/reducer.ts';
import { remarksOn, sanRows } from '../../wizard/review.ts';
import type { Answers, HostAnswer, WizardContext, WizardDraft, WizardState } from '../../wizard/types.ts';
import { tableLines } from '../text.ts';
import type { Prompter } from './prompter.ts';

export interface PlainWizardOptions {
  context: WizardContext;
  /** A wizard that was left unfinished: offered first. */
  draft?: WizardDraft;
  /** Keeps what is answered so far after each question; undefined: nothing is worth keeping any more. */
  keep(draft: WizardDraft | undefined): Promise<void>;
  /** What a look at a host just typed found, as lines; absent: hosts are not looked at. */
  probe?(host: HostAnswer): Promise<string[]>;
}

const HELP =
  'Enter takes what stands in [ ]; ? says why a question is asked; < goes back; Ctrl-C leaves, your answers are kept.';

/**
 * Asks until every answer is there.
 * @returns the answers, or undefined when the person left; the draft is kept then
 * @throws WizardError `interrupted`, `no-terminal` when a pipe ends early; the draft is kept
 */
export async function plainWizard(prompter: Prompter, options: PlainWizardOptions): Promise<Answers | undefined> {
  let state = await begin(prompter, options);
  prompter.say('New cluster');
  prompter.prose(HELP);
  let shownStep = '';
  while (state.status === 'asking') {
    const steps = stepsOf(state);
    const now = steps.findIndex((step) => step.state === 'now');
    const step = steps[now];
    if (step !== undefined && step.id !== shownStep)
      prompter.say('', `Step ${now + 1} of ${steps.length}: ${step.title}`);
    shownStep = step?.id ?? '';
    state = await askOrTell(prompter, state, options);
    // Kept until whoever asked has saved the profile.
    if (state.status !== 'done') await options.keep(toDraft(state));
  }
  return state.status === 'done' ? state.answers : undefined;
}

async function begin(prompter: Prompter, { context, draft }: PlainWizardOptions): Promise<WizardState> {
  if (draft === undefined) return startWizard(context);
  prompter.say(
    `There is an unfinished wizard${draft.answers.name === undefined ? '' : ` for «${cleanLine(draft.answers.name)}»`}.`,
  );
  return (await prompter.confirm('Go on with it?', true)) ? startWizard(context, draft) : startWizard(context);
}

/** What is interrupted is not lost, and the person is told. */
async function askOrTell(prompter: Prompter, state: WizardState, options: PlainWizardOptions): Promise<WizardState> {
  try {
    return await askOne(prompter, state, options);
  } catch (error) {
    if (error instanceof WizardError && error.code === 'interrupted' && toDraft(state) !== undefined)
      prompter.say('Your answers are kept: etcd-wizard new goes on with them.');
    throw error;
  }
}

/** One question asked once; a wrong answer is told and leaves the state where it is. */
async function askOne(prompter: Prompter, state: WizardState, options: PlainWizardOptions): Promise<WizardState> {
  const question = questionOf(state);
  const hint = question.hint(state.answers);
  prompter.say('');
  prompter.prose(`${question.title}${hint === '' ? '' : `  (${hint})`}`);
  switch (question.kind) {
    case 'choice':
      return askChoice(prompter, state);
    case 'hosts':
      return askHosts(prompter, state, options);
    case 'names':
      return askNames(prompter, state);
    case 'review':
      return askReview(prompter, state);
    default: {
      const preset = fieldText(state);
      const typed = await prompter.text(
        `${preset === '' ? '' : `[${preset}]`}${question.kind === 'list' && preset !== '' ? ' (- for none)' : ''}> `,
      );
      const text = typed === '' ? preset : typed === '-' && question.kind === 'list' ? '' : typed;
      return meta(prompter, state, typed) ?? settle(prompter, reduce(state, { type: 'next', text }));
    }
  }
}

/** `?` and `<`, which every question understands. */
function meta(prompter: Prompter, state: WizardState, typed: string): WizardState | undefined {
  if (typed === '?') {
    prompter.prose(questionOf(state).why);
    return state;
  }
  return typed === '<' ? reduce(state, { type: 'back' }) : undefined;
}

/** Tells why an answer was refused. */
function settle(prompter: Prompter, after: WizardState): WizardState {
  if (after.error !== undefined) prompter.prose(`✗ ${after.error}`);
  return after;
}

async function askChoice(prompter: Prompter, state: WizardState): Promise<WizardState> {
  const question = questionOf(state);
  const extras = [
    { value: '?', label: 'why do you ask?' },
    { value: '<', label: 'go back' },
  ];
  const picked = await prompter.choose(
    question.title,
    [...(question.choices?.(state.answers) ?? []), ...extras],
    fieldText(state),
  );
  return meta(prompter, state, picked) ?? settle(prompter, reduce(state, { type: 'next', text: picked }));
}

const HOST_HELP = '«x 2» removes the second, «u 2» moves it up, «e 2» edits it; an empty line when all are there.';

async function askHosts(prompter: Prompter, state: WizardState, options: PlainWizardOptions): Promise<WizardState> {
  const hosts = state.answers.hosts ?? [];
  hosts.forEach((host, index) => {
    prompter.say(`  ${index + 1}. ${cleanLine(hostLine(host))}`);
  });
  if (hosts.length > 0) prompter.prose(HOST_HELP);
  const typed = await prompter.text(`host ${hosts.length + 1}> `);
  const command = /^([xue])\s*(\d{1,2})$/.exec(typed);
  if (command) {
    const index = Number(command[2]) - 1;
    if (hosts[index] === undefined) return settle(prompter, { ...state, error: `There is no host ${command[2]}.` });
    if (command[1] === 'x') return reduce(state, { type: 'removeHost', index });
    if (command[1] === 'u') return reduce(state, { type: 'moveHost', index, by: -1 });
    return editHostFields(prompter, state, index);
  }
  const jump = meta(prompter, state, typed);
  if (jump !== undefined) return jump;
  if (typed === '') return settle(prompter, reduce(state, { type: 'next', text: '' }));
  const added = settle(prompter, reduce(state, { type: 'addHosts', text: typed }));
  if (options.probe)
    for (const host of (added.answers.hosts ?? []).slice(hosts.length)) prompter.say(...(await options.probe(host)));
  // A refused line is told once and typed again: on lines there is no field for it to stand in.
  return { ...added, typed: { ...added.typed, hosts: '' } };
}

async function editHostFields(prompter: Prompter, state: WizardState, index: number): Promise<WizardState> {
  let edited = state;
  for (const [field, label] of [
    ['name', 'name'],
    ['address', 'address'],
    ['ssh', 'log in as'],
    ['dnsNames', 'DNS names'],
    ['zone', 'zone'],
  ] as const) {
    const host = edited.answers.hosts?.[index];
    if (host === undefined) return edited;
    const present = hostField(host, field);
    const typed = await prompter.text(`  ${label} [${cleanLine(present)}]> `);
    const text = typed === '-' ? '' : typed;
    if (typed !== '' && text !== present)
      edited = settle(prompter, reduce(edited, { type: 'editHost', index, field, text }));
  }
  return edited;
}

async function askNames(prompter: Prompter, state: WizardState): Promise<WizardState> {
  let named = state;
  for (const [index, host] of (state.answers.hosts ?? []).entries()) {
    const present = host.dnsNames.join(' ');
    const typed = await prompter.text(`  ${cleanLine(host.name)}${present === '' ? '' : ` [${cleanLine(present)}]`}> `);
    const jump = meta(prompter, named, typed);
    if (jump !== undefined) return jump;
    if (typed !== '') named = reduce(named, { type: 'editHost', index, field: 'dnsNames', text: typed });
    if (named.error !== undefined) return settle(prompter, named);
  }
  return settle(prompter, reduce(named, { type: 'next', text: '' }));
}

async function askReview(prompter: Prompter, state: WizardState): Promise<WizardState> {
  const rows = reviewRows(state);
  const editable = rows.filter((row) => row.editable);
  for (const row of rows) {
    const { label, value } = row;
    const number = row.editable ? `${editable.indexOf(row) + 1}.` : '';
    const [first = '', ...more] = value.split('\n').map(cleanLine);
    prompter.say(
      `  ${number.padEnd(4)}${label.padEnd(14)} ${first}`,
      ...more.map((line) => `${' '.repeat(21)}${line}`),
    );
  }
  prompter.say('', 'What each certificate will be good for:');
  const names = sanRows(state.answers).map(({ host, server, peer }) =>
    [host, server.join(' '), peer.join(' ')].map(cleanLine),
  );
  prompter.say(...tableLines([['host', 'server', 'peer'], ...names]).map((line) => `  ${line}`));
  for (const { severity, text } of remarksOn(state.answers))
    prompter.prose(`${severity === 'warn' ? '▲' : '·'} ${cleanLine(text)}`);
  const typed = (await prompter.text('Enter when it is right, a number to change that, q to leave> ')).toLowerCase();
  if (typed === '' || typed === 'y' || typed === 'yes') return settle(prompter, reduce(state, { type: 'next' }));
  if (typed === 'q') return reduce(state, { type: 'cancel' });
  const row = /^\d+$/.test(typed) ? editable[Number(typed) - 1] : undefined;
  if (row !== undefined) return reduce(state, { type: 'edit', id: row.id });
  return (
    meta(prompter, state, typed) ?? settle(prompter, { ...state, error: 'Type a number from the list, Enter or q.' })
  );
}
