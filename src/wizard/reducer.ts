/** The wizard as a state machine: pure, so that every front-end walks the same way and every step can be tested by table. */
import { editHost, parseHosts } from './hosts.ts';
import { QUESTIONS, STEPS } from './questions.ts';
import type {
  Answers,
  Question,
  QuestionId,
  ReviewRow,
  Step,
  WizardAction,
  WizardContext,
  WizardDraft,
  WizardState,
} from './types.ts';

/** A fresh wizard, or one that goes on where a draft was left. */
export function startWizard(context: WizardContext = { takenNames: [] }, draft?: WizardDraft): WizardState {
  const first = QUESTIONS[0]?.id ?? 'review';
  if (draft === undefined)
    return { context, answers: {}, current: first, answered: [], typed: {}, editing: false, status: 'asking' };
  const { answers, answered, typed, current } = draft;
  const known = isAsked(questionById(current), answers) ? current : first;
  return { context, answers, answered, typed, current: known, editing: false, status: 'asking' };
}

export function reduce(state: WizardState, action: WizardAction): WizardState {
  if (state.status !== 'asking') return state;
  switch (action.type) {
    case 'type':
      return { ...without(state), typed: { ...state.typed, [action.id ?? state.current]: action.text } };
    case 'next':
      return accept(state, action.text ?? fieldText(state));
    case 'back':
      return back(state);
    case 'edit':
      return isAsked(questionById(action.id), state.answers)
        ? { ...without(state), current: action.id, editing: true }
        : state;
    case 'cancel':
      return { ...without(state), status: 'cancelled' };
    default:
      return changeHosts(state, action);
  }
}

function accept(state: WizardState, text: string): WizardState {
  const question = questionOf(state);
  const error = question.validate(text, state.answers, state.context);
  if (error !== undefined) return { ...state, typed: { ...state.typed, [question.id]: text }, error };
  const { [question.id]: _accepted, ...typed } = state.typed;
  const answers = { ...state.answers, ...question.parse(text, state.answers) };
  const answered = QUESTIONS.map((each) => each.id).filter((id) => id === question.id || state.answered.includes(id));
  const next: WizardState = { ...without(state), answers: decided(answers), answered, typed };
  return question.kind === 'review' ? finish(next) : forward(next);
}

/** After an answer: the next question, or back to the review when one answer was edited and nothing else is open. */
function forward(state: WizardState): WizardState {
  const asked = askedQuestions(state.answers);
  if (state.editing) {
    const open = firstOpen(state);
    return open === undefined ? { ...state, current: 'review', editing: false } : { ...state, current: open.id };
  }
  const next = asked[asked.findIndex((each) => each.id === state.current) + 1];
  return next === undefined ? finish(state) : { ...state, current: next.id };
}

function back(state: WizardState): WizardState {
  const plain = without(state);
  if (state.editing) return { ...plain, current: 'review', editing: false };
  const asked = askedQuestions(state.answers);
  const before = asked[asked.findIndex((each) => each.id === state.current) - 1];
  return before === undefined ? plain : { ...plain, current: before.id };
}

/** The review accepted: done only when every question that is asked holds an answer that is still right. */
function finish(state: WizardState): WizardState {
  const open = firstOpen(state);
  if (open === undefined) return { ...state, status: 'done' };
  return {
    ...state,
    current: open.id,
    editing: true,
    error: standing(open, state) ?? 'This has not been answered yet.',
  };
}

function firstOpen(state: WizardState): Question | undefined {
  return askedQuestions(state.answers).find(
    (each) => each.kind !== 'review' && (!state.answered.includes(each.id) || standing(each, state) !== undefined),
  );
}

/** What is wrong with an answer as it stands; the host list's own text would clash with itself, so it is asked without. */
const standing = (question: Question, { answers, context }: WizardState): string | undefined =>
  question.validate(question.kind === 'hosts' ? '' : question.show(answers), answers, context);

function changeHosts(
  state: WizardState,
  action: Extract<WizardAction, { type: 'addHosts' | 'editHost' | 'removeHost' | 'moveHost' }>,
): WizardState {
  const hosts = state.answers.hosts ?? [];
  const set = (changed: typeof hosts, more: Partial<WizardState> = {}): WizardState => ({
    ...without(state),
    ...more,
    answers: { ...state.answers, hosts: changed },
  });
  switch (action.type) {
    case 'addHosts': {
      const { hosts: all, failed } = parseHosts(action.text, hosts);
      const typed = { ...state.typed, hosts: failed.map((each) => each.line).join('\n') };
      const error = failed[0] === undefined ? undefined : failed[0].message;
      return { ...set(all, { typed }), ...(error === undefined ? {} : { error }) };
    }
    case 'editHost': {
      const outcome = editHost(hosts, action.index, action.field, action.text);
      return outcome.ok ? set(outcome.value) : { ...state, error: outcome.message };
    }
    case 'removeHost':
      return set(hosts.filter((_, index) => index !== action.index));
    case 'moveHost': {
      const [from, to] = [hosts[action.index], hosts[action.index + action.by]];
      if (from === undefined || to === undefined) return state;
      return set(hosts.with(action.index, to).with(action.index + action.by, from));
    }
  }
}

const without = ({ error: _error, ...state }: WizardState): WizardState => state;

/** Answers to choices that leave no choice: taken without asking. */
function decided(answers: Answers): Answers {
  let all = answers;
  for (const question of QUESTIONS) {
    const [only, another] = question.choices?.(all) ?? [];
    if (only !== undefined && another === undefined && question.when(all))
      all = { ...all, ...question.parse(only.value, all) };
  }
  return all;
}

const isAsked = (question: Question | undefined, answers: Answers): boolean =>
  question?.when(answers) === true && (question.choices === undefined || question.choices(answers).length > 1);

const questionById = (id: QuestionId): Question | undefined => QUESTIONS.find((each) => each.id === id);

/** The questions that these answers lead to, in order; the review last. */
export const askedQuestions = (answers: Answers): Question[] => QUESTIONS.filter((each) => isAsked(each, answers));

/** The question that is asked now. */
export function questionOf(state: WizardState): Question {
  const question = questionById(state.current);
  if (question === undefined) throw new RangeError(`there is no question «${state.current}»`);
  return question;
}

/** What stands in the field: what was typed, else the answer, else the default. The host list's field is a line to add. */
export function fieldText(state: WizardState): string {
  const question = questionOf(state);
  if (question.kind === 'hosts') return state.typed.hosts ?? '';
  const typed = state.typed[question.id];
  if (typed !== undefined) return typed;
  return state.answered.includes(question.id)
    ? question.show(state.answers)
    : question.default(state.answers, state.context);
}

/** The sentence beside the field: why `next` was refused, else what is wrong with what is being typed. */
export function messageOf(state: WizardState): string | undefined {
  if (state.error !== undefined) return state.error;
  // Names are typed in a field a host, each with its own sentence.
  if (questionOf(state).kind === 'names') return undefined;
  const typed = state.typed[state.current];
  return typed === undefined || typed === ''
    ? undefined
    : questionOf(state).validate(typed, state.answers, state.context);
}

/** The row of steps: those that these answers lead to. */
export function stepsOf(state: WizardState): (Step & { state: 'done' | 'now' | 'later' })[] {
  const asked = askedQuestions(state.answers);
  const now = questionOf(state).step;
  return STEPS.filter((step) => asked.some((each) => each.step === step.id)).map((step) => {
    const done = asked.filter((each) => each.step === step.id).every((each) => state.answered.includes(each.id));
    return { ...step, state: step.id === now ? 'now' : done ? 'done' : 'later' };
  });
}

/** All answers as lines; what leaves no choice is shown and not editable. */
export function reviewRows({ answers }: WizardState): ReviewRow[] {
  const shown = decided(answers);
  return QUESTIONS.filter((each) => each.kind !== 'review' && each.when(shown)).map((each) => {
    const text = each.show(shown);
    const value = each.choices?.(shown).find((option) => option.value === text)?.label ?? text;
    return { id: each.id, label: each.label, value: value === '' ? 'none' : value, editable: isAsked(each, shown) };
  });
}

/** What is worth keeping of an unfinished wizard; undefined when nothing was answered or typed. */
export function toDraft({ answers, answered, typed, current, status }: WizardState): WizardDraft | undefined {
  if (status === 'done' || (answered.length === 0 && Object.keys(typed).length === 0)) return undefined;
  return { version: 1, answers, answered, typed, current };
}
