/** A run under way: starts it, shows it, stops it on request, and stays with its outcome until a key is pressed. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { RunEvent } from '../../src/apply/events.ts';
import { useTicker, useWindowSize } from '../../src/terminal/ink.ts';
import { Frame, useSpinner, useSymbols } from '../frame.tsx';
import { useBindings } from '../keys.tsx';
import { bold, dim, type Line, line, paragraph, width } from '../lines.tsx';
import { type Questions, useQuestion } from '../questions.ts';
import type { RunResult } from '../services.ts';
import { QuestionScreen } from './question-screen.tsx';
import { logLines, type RunView, runBody, runTail, runTitle } from './run-lines.ts';
import { afterEvents, EMPTY_RUN } from './run-state.ts';

export interface RunScreenProps {
  title: string;
  /** Begins the run; called once. */
  start(emit: (event: RunEvent) => void, signal: AbortSignal): Promise<RunResult>;
  questions: Questions;
  /** Aborted from outside as well: Ctrl-C, SIGTERM. */
  stop: AbortController;
  /** The run is over and the person has seen it (or nothing needs to be seen). */
  onDone(result: RunResult): void;
  /** Goes on by itself after this outcome; absent: only after a declined plan. */
  goOn?(result: RunResult): boolean;
}

/** Events are gathered for so long before they are drawn, milliseconds. */
const GATHER = 60;

export function RunScreen({ title, start, questions, stop, onDone, goOn }: RunScreenProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const question = useQuestion(questions);
  const { state, result, elapsedMs } = useRun(start, stop, question !== undefined);
  const [log, setLog] = useState(false);
  const [stopping, setStopping] = useState(stop.signal.aborted);
  const spinner = useSpinner(result === undefined && question === undefined);

  const done = useRef(onDone);
  done.current = onDone;
  useEffect(() => {
    const note = () => {
      setStopping(true);
      // Already over: there is nothing to wait for.
      if (result !== undefined) done.current(result);
    };
    stop.signal.addEventListener('abort', note);
    return () => stop.signal.removeEventListener('abort', note);
  }, [stop, result]);
  const leaves = (of: RunResult) => (goOn === undefined ? of.outcome === 'declined' : goOn(of));
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the result is there
  useEffect(() => {
    if (result !== undefined && leaves(result)) done.current(result);
  }, [result]);
  useBindings(
    [
      ...(result === undefined
        ? stopping
          ? []
          : [
              {
                keys: ['c'],
                hint: 'stop cleanly',
                help: 'what is done stays; a replay goes on from there',
                run: () => stop.abort(),
              },
            ]
        : [{ keys: ['enter', 'q', 'escape'], hint: 'go on', run: () => onDone(result) }]),
      {
        keys: ['l'],
        hint: log ? 'hosts' : 'log',
        help: 'the very commands that run, and what they print',
        run: () => setLog(!log),
      },
    ],
    { active: question === undefined },
  );

  if (question !== undefined) return <QuestionScreen question={question} />;
  const view: RunView = {
    title,
    state,
    elapsedMs,
    stopping,
    // Here or, once the screen has gone, in the terminal.
    told: result !== undefined && (result.summary.length > 0 || leaves(result)),
    spinner,
    cells: columns,
    symbols,
  };
  const summary = result === undefined ? [] : summaryLines(result.summary, columns);
  if (log) {
    const body = state.log.length === 0 ? [line('   ', dim('nothing has run yet'))] : logLines(state.log);
    return <Frame title={line(bold(title), dim('   log'))} body={body} scroll="tail" />;
  }
  return (
    <Frame
      title={runTitle(view)}
      body={result === undefined ? runBody(view) : [...runBody(view), ...runTail(view), ...summary]}
      tail={result === undefined ? runTail(view) : []}
      final={result !== undefined && leaves(result)}
      about="Each row is a host, each column a step. Beside a host stands what it does or waits for now. Nothing is lost when you stop: the next replay goes on from where this one was."
    />
  );
}

/** As they are where they fit, so that commands can be copied; longer ones are broken under their own indent. */
function summaryLines(summary: readonly string[], columns: number): Line[] {
  return summary.flatMap((text) => {
    const indent = 3 + (text.length - text.trimStart().length);
    return width(text) + 3 <= columns ? [line('   ', text)] : paragraph(text.trim(), columns - 1, { indent });
  });
}

/** @param waiting for an answer: that time is the person's, not the run's */
function useRun(start: RunScreenProps['start'], stop: AbortController, waiting: boolean) {
  const [state, setState] = useState(EMPTY_RUN);
  const [result, setResult] = useState<RunResult>();
  const began = useRef(performance.now());
  const ended = useRef<number>(undefined);
  const waited = useRef(0);
  useEffect(() => {
    if (!waiting) return;
    const since = performance.now();
    return () => {
      waited.current += performance.now() - since;
    };
  }, [waiting]);
  useTicker(1000, result === undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a run is started once
  useEffect(() => {
    let gathered: RunEvent[] = [];
    let timer: NodeJS.Timeout | undefined;
    const flush = () => {
      clearTimeout(timer);
      timer = undefined;
      const events = gathered;
      gathered = [];
      if (events.length > 0) setState((before) => afterEvents(before, events));
    };
    const emit = (event: RunEvent) => {
      gathered.push(event);
      timer ??= setTimeout(flush, GATHER);
    };
    void start(emit, stop.signal).then((outcome) => {
      flush();
      ended.current = performance.now();
      setResult(outcome);
    });
    return () => clearTimeout(timer);
  }, []);
  return { state, result, elapsedMs: (ended.current ?? performance.now()) - began.current - waited.current };
}
