/** The app: which screen is shown, and what leads from one to the next. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useWindowSize } from '../src/terminal/ink.ts';
import { errorScreenLines } from './errors.ts';
import { Frame, useSpinner, useSymbols } from './frame.tsx';
import { Keys, LEVEL, useBindings } from './keys.tsx';
import { bold, dim, line } from './lines.tsx';
import { Questions } from './questions.ts';
import { HealthPane } from './screens/health-pane.tsx';
import { Home, type HomeChoice } from './screens/home.tsx';
import { RunScreen } from './screens/run-screen.tsx';
import { TryScreen } from './screens/try-screen.tsx';
import { Wizard } from './screens/wizard/wizard.tsx';
import type { AppServices, HealthSource, Left, RunResult, StartAt } from './services.ts';

type Route =
  | { at: 'home'; message?: string }
  | { at: 'wizard' }
  | { at: 'run'; name: string; stop: AbortController; leaveAfter: boolean }
  | { at: 'try'; members: number; stop: AbortController; leaveAfter: boolean }
  | { at: 'opening'; name: string }
  | { at: 'health'; source: HealthSource; leaveAfter: boolean }
  | { at: 'error'; error: unknown };

export interface AppProps {
  services: AppServices;
  /** Ctrl-C, SIGTERM, SIGHUP. What runs winds down; everything else leaves. */
  signal: AbortSignal;
  onInterrupt(): void;
  onExit(left: Left): void;
  /** Where it opens. */
  start?: StartAt;
  /** Milliseconds between two looks of the health pane. */
  interval?: number;
}

function firstRoute(at: StartAt): Route {
  if (at.start === 'new') return { at: 'wizard' };
  if (at.start === 'try') return { at: 'try', members: at.members, stop: new AbortController(), leaveAfter: true };
  return { at: 'home' };
}

export function App(props: AppProps): ReactNode {
  return (
    <Keys>
      <Screens {...props} />
    </Keys>
  );
}

function Screens({
  services,
  signal,
  onInterrupt,
  onExit,
  start = { start: 'home' },
  interval = 1000,
}: AppProps): ReactNode {
  const [route, setRoute] = useState<Route>(() => firstRoute(start));
  const [questions] = useState(() => new Questions());
  const told = useRef<Left['told']>([]);
  const exit = (failed?: Left['failed']) => onExit({ told: told.current, failed });
  const fail = (error: unknown) => {
    told.current.push({ error });
    go({ at: 'error', error });
  };
  useBindings([{ keys: ['ctrl-c'], run: onInterrupt }], { level: LEVEL.app });
  // Set at once: an answer may come before the next drawing.
  const now = useRef(route);
  const go = (next: Route) => {
    now.current = next;
    setRoute(next);
  };
  useInterruption(signal, now, questions, exit);

  const home = (message?: string) => go({ at: 'home', message });
  const run = (name: string, leaveAfter: boolean) => go({ at: 'run', name, stop: new AbortController(), leaveAfter });
  const openHealth = (name: string, leaveAfter: boolean) => {
    go({ at: 'opening', name });
    services.health(name).then((source) => {
      // The person may have gone back meanwhile.
      if (now.current.at === 'opening') go({ at: 'health', source, leaveAfter });
      else source.close();
    }, fail);
  };
  const choose = (choice: HomeChoice) => {
    if (choice.kind === 'new') go({ at: 'wizard' });
    else if (choice.kind === 'try') go({ at: 'try', members: 3, stop: new AbortController(), leaveAfter: false });
    else if (choice.kind === 'replay') run(choice.name, false);
    else openHealth(choice.name, false);
  };
  const afterRun = (of: Extract<Route, { at: 'run' }>, result: RunResult) => {
    told.current.push(...result.summary);
    if (signal.aborted) exit();
    else if (result.outcome === 'healthy' || (result.outcome === 'nothing-to-do' && of.leaveAfter))
      openHealth(of.name, of.leaveAfter);
    else if (result.outcome === 'declined' && of.leaveAfter)
      home(`Nothing was changed. ${of.name} is saved; r replays it whenever you like.`);
    else home(result.outcome === 'declined' ? 'Nothing was changed.' : undefined);
  };

  switch (route.at) {
    case 'home':
      return (
        <Home
          version={services.version}
          profiles={services.profiles}
          onChoose={choose}
          onQuit={() => exit()}
          message={route.message}
        />
      );
    case 'wizard':
      return (
        <Wizard
          services={services}
          questions={questions}
          onCancel={home}
          onSaved={(profile) => run(profile.name, true)}
        />
      );
    case 'run':
      return (
        <RunScreen
          key={route.name}
          title={route.name}
          questions={questions}
          stop={route.stop}
          start={(emit, stopped) => services.run(route.name, questions.interaction, emit, stopped)}
          // Interrupted: nobody may be there any more to press a key, and the summary stays in the terminal.
          goOn={(result) => result.outcome === 'declined' || signal.aborted}
          onDone={(result) => afterRun(route, result)}
        />
      );
    case 'try':
      return (
        <TryScreen
          start={(emit, stopped) => services.tryHere(route.members, emit, stopped)}
          stop={route.stop}
          onReady={(source) => {
            if (!route.stop.signal.aborted) return go({ at: 'health', source, leaveAfter: route.leaveAfter });
            // Came up in the very moment in which it was to stop.
            source.close();
            if (signal.aborted) exit();
            else home();
          }}
          onStopped={() => {
            if (!signal.aborted && !route.leaveAfter) return home('Stopped; nothing is left running.');
            told.current.push('Stopped; nothing is left running.');
            exit();
          }}
          onFailed={(error) => (route.leaveAfter ? exit({ error }) : fail(error))}
        />
      );
    case 'opening':
      return <Opening name={route.name} onBack={() => home()} />;
    case 'health': {
      const { source, leaveAfter } = route;
      const leave = () => {
        source.close();
        if (leaveAfter) exit();
        else home();
      };
      return <HealthPane source={source} interval={interval} quitHint={leaveAfter ? 'quit' : 'back'} onQuit={leave} />;
    }
    case 'error':
      return <ErrorScreen error={route.error} onBack={() => home()} />;
  }
}

/** What an interruption does depends on where one is: a run winds down first, a pane closes its source, the rest just leaves. */
function useInterruption(
  signal: AbortSignal,
  now: { readonly current: Route },
  questions: Questions,
  exit: () => void,
): void {
  const leave = useRef(exit);
  leave.current = exit;
  useEffect(() => {
    const onAbort = () => {
      const { current } = now;
      if (current.at === 'run' || current.at === 'try') {
        current.stop.abort();
        questions.refuseAll();
        return;
      }
      if (current.at === 'health') current.source.close();
      leave.current();
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    return () => signal.removeEventListener('abort', onAbort);
  }, [signal, now, questions]);
}

function Opening({ name, onBack }: { name: string; onBack(): void }): ReactNode {
  const spinner = useSpinner(true);
  useBindings([{ keys: ['escape', 'q'], hint: 'back', run: onBack }]);
  return <Frame title={line(bold(name))} body={[line(' ', dim(`${spinner} connecting to the endpoints…`))]} />;
}

function ErrorScreen({ error, onBack }: { error: unknown; onBack(): void }): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  useBindings([{ keys: ['enter', 'escape', 'q'], hint: 'back', run: onBack }]);
  return <Frame title={line(bold('That did not work'))} body={errorScreenLines(error, columns, symbols)} />;
}
