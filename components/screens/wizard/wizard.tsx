/** The wizard: draws whatever question the reducer is at, by its kind. Knows no question by name. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { profileFromAnswers } from '../../../src/profile/from-answers.ts';
import type { ProfileFile } from '../../../src/profile/schema.ts';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import { messageOf, questionOf, reduce, startWizard, stepsOf, toDraft } from '../../../src/wizard/reducer.ts';
import type { Question, WizardAction, WizardState } from '../../../src/wizard/types.ts';
import { errorScreenLines } from '../../errors.ts';
import { Frame, useSymbols } from '../../frame.tsx';
import { useBindings } from '../../keys.tsx';
import { accent, bold, dim, type Line, line, ok, width } from '../../lines.tsx';
import { type Questions, useQuestion } from '../../questions.ts';
import type { AppServices } from '../../services.ts';
import type { Symbols } from '../../symbols.ts';
import { QuestionScreen } from '../question-screen.tsx';
import { ChoiceQuestion } from './choice.tsx';
import { HostsQuestion } from './hosts.tsx';
import { LineQuestion } from './line.tsx';
import { NamesQuestion } from './names.tsx';
import { useProbes } from './probes.ts';
import { ReviewQuestion } from './review.tsx';

export interface WizardProps {
  services: AppServices;
  questions: Questions;
  /** Left without finishing; what was answered is kept. */
  onCancel(message?: string): void;
  onSaved(profile: ProfileFile): void;
}

/** What every kind of question is given. */
export interface QuestionProps {
  state: WizardState;
  question: Question;
  dispatch(action: WizardAction): void;
  /** The row of steps. */
  title: Line;
  onBack(): void;
  /** What is wrong with what is typed, if anything. */
  message: string | undefined;
}

/** Loads what the wizard starts from, then is the wizard. */
export function Wizard(props: WizardProps): ReactNode {
  const { services } = props;
  const [start, setStart] = useState<WizardState>();
  const [resumed, setResumed] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    Promise.all([services.profiles(), services.draft()]).then(([saved, draft]) => {
      setResumed(draft !== undefined);
      setStart(startWizard({ takenNames: saved.map(({ name }) => name) }, draft));
    }, setError);
  }, [services]);
  if (error !== undefined) return <Failure error={error} onBack={() => props.onCancel()} />;
  return start === undefined ? (
    <Frame title={line(bold('New cluster'))} body={[]} />
  ) : (
    <Asking {...props} start={start} resumed={resumed} />
  );
}

function Asking({
  services,
  questions,
  onCancel,
  onSaved,
  start,
  resumed,
}: WizardProps & { start: WizardState; resumed: boolean }): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const [state, setState] = useState(start);
  const [fresh, setFresh] = useState(!resumed);
  const [problem, setProblem] = useState<unknown>();
  const [answering, setAnswering] = useState(false);
  const asked = useQuestion(questions);
  const probes = useProbes(services, questions, state.answers.hosts ?? []);
  const question = questionOf(state);

  useEffect(() => {
    if (state.status === 'asking') services.keepDraft(toDraft(state)).catch(setProblem);
  }, [services, state]);
  useEffect(() => {
    if (asked === undefined) setAnswering(false);
  }, [asked]);

  // Several fields may change before the next drawing: each change is to the latest state.
  const latest = useRef(state);
  latest.current = state;
  const dispatch = (action: WizardAction) => {
    const next = reduce(latest.current, action);
    if (next.status !== 'done') {
      latest.current = next;
      setState(next);
      return;
    }
    const profile = profileFromAnswers(next.answers);
    services
      .save(profile)
      .then(() => services.keepDraft(undefined))
      .then(() => onSaved(profile), setProblem);
  };
  const onBack = () => {
    const before = reduce(state, { type: 'back' });
    if (before.current !== state.current) return setState(before);
    onCancel(toDraft(state) === undefined ? undefined : 'Your answers are kept: New cluster goes on where you left.');
  };
  useBindings(
    [
      ...(asked === undefined
        ? []
        : [
            {
              keys: ['ctrl-o'],
              hint: 'answer the host',
              help: 'a host asks something (its key, a password)',
              run: () => setAnswering(true),
            },
          ]),
      ...(fresh
        ? []
        : [
            {
              keys: ['ctrl-r'],
              hint: 'start anew',
              help: 'forget the answers of last time',
              run: () => {
                setState(startWizard(state.context));
                setFresh(true);
              },
            },
          ]),
    ],
    { active: problem === undefined && !answering },
  );

  if (problem !== undefined) return <Failure error={problem} onBack={() => setProblem(undefined)} />;
  if (answering && asked !== undefined) return <QuestionScreen question={asked} />;
  const props: QuestionProps = {
    state,
    question,
    dispatch,
    onBack,
    title: stepsLine(state, columns, symbols),
    message: messageOf(state),
  };
  switch (question.kind) {
    case 'choice':
      return <ChoiceQuestion key={question.id} {...props} />;
    case 'hosts':
      return <HostsQuestion {...props} probes={probes} waiting={asked !== undefined} />;
    case 'names':
      return <NamesQuestion {...props} />;
    case 'review':
      return <ReviewQuestion {...props} probes={probes} />;
    default:
      return <LineQuestion key={question.id} {...props} />;
  }
}

/** «New cluster   1 Cluster ✓   2 Hosts ●   3 Names»; in a narrow window only where one is. */
function stepsLine(state: WizardState, columns: number, symbols: Symbols): Line {
  const steps = stepsOf(state);
  const rowOf = (gap: string) =>
    line(
      ...steps.flatMap(({ title, state: is }, index) => [
        index > 0 && gap,
        is === 'now' ? bold(`${index + 1} ${title}`, 'accent') : dim(`${index + 1} ${title}`),
        is === 'done' && ok(` ${symbols.ok}`),
        is === 'now' && accent(` ${symbols.on}`),
      ]),
    );
  const row = rowOf('   ');
  const named = line(bold('New cluster'), '   ', row);
  if (width(named) <= columns - 2) return named;
  const fitting = [row, rowOf('  ')].find((each) => width(each) <= columns - 2);
  if (fitting !== undefined) return fitting;
  const now = steps.findIndex(({ state: is }) => is === 'now');
  return line(
    bold('New cluster'),
    dim(`   step ${now + 1} of ${steps.length}: `),
    bold(steps[now]?.title ?? '', 'accent'),
  );
}

function Failure({ error, onBack }: { error: unknown; onBack(): void }): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  useBindings([{ keys: ['enter', 'escape'], hint: 'back to the questions', run: onBack }]);
  return <Frame title={line(bold('New cluster'))} body={errorScreenLines(error, columns, symbols)} />;
}
