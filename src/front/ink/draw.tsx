/** The trees that commands draw. Brings Ink and the components along: load it after `prepareTerminal()`. */
import { App } from '../../../components/app.tsx';
import { Pane } from '../../../components/pane.tsx';
import { Questions } from '../../../components/questions.ts';
import type { AppServices, HealthSource, Left, RunResult, StartAt } from '../../../components/services.ts';
import { SingleRun } from '../../../components/single-run.tsx';
import type { ClusterHealth } from '../../health/types.ts';
import type { Capabilities } from '../../terminal/capabilities.ts';
import type { RunEnd, RunTitle, Start } from '../run.ts';
import type { InkIo } from './io.ts';
import { interrupt, untilLeft } from './mount.tsx';

export function drawApp(services: AppServices, io: InkIo, capabilities: Capabilities, start: StartAt): Promise<Left> {
  return untilLeft<Left>(io, capabilities, { keepLastFrame: false }, (leave) => (
    <App
      services={services}
      signal={io.signal}
      start={start}
      onInterrupt={() => interrupt(() => leave({ told: [] }))}
      onExit={leave}
      interval={capabilities.serial ? 5000 : 1000}
    />
  ));
}

export function drawHealthPane(
  io: InkIo,
  capabilities: Capabilities,
  source: HealthSource,
  interval: number,
): Promise<ClusterHealth | undefined> {
  return untilLeft<ClusterHealth | undefined>(io, capabilities, { keepLastFrame: true }, (leave) => {
    let last: ClusterHealth | undefined;
    const quit = () => leave(last);
    io.signal.addEventListener('abort', quit);
    return (
      <Pane
        source={source}
        interval={interval}
        onInterrupt={() => interrupt(quit)}
        onQuit={quit}
        onLook={(health) => (last = health)}
      />
    );
  });
}

export async function drawRun(io: InkIo, capabilities: Capabilities, title: RunTitle, start: Start): Promise<RunEnd> {
  const questions = new Questions();
  const stop = new AbortController();
  io.signal.addEventListener('abort', () => {
    stop.abort();
    questions.refuseAll();
  });
  if (io.signal.aborted) stop.abort();
  let end: RunEnd | undefined;
  let thrown: { error: unknown } | undefined;
  await untilLeft<undefined>(io, capabilities, { keepLastFrame: true }, (leave) => (
    <SingleRun
      title={title.title}
      questions={questions}
      stop={stop}
      onInterrupt={() => interrupt(() => stop.abort())}
      start={(emit, signal): Promise<RunResult> => {
        const began = performance.now();
        // What it came to in words is for the terminal afterwards.
        const over = (outcome: RunResult['outcome']): RunResult => {
          emit({ type: 'finished', outcome, elapsedMs: Math.round(performance.now() - began), summary: [] });
          return { outcome, summary: [] };
        };
        return start(questions.interaction, emit, signal).then(
          (result) => {
            end = result;
            return over(result.outcome);
          },
          (error: unknown) => {
            thrown = { error };
            return over(signal.aborted ? 'interrupted' : 'failed');
          },
        );
      }}
      onDone={() => leave(undefined)}
    />
  ));
  if (thrown !== undefined) throw thrown.error;
  if (end === undefined) throw new Error('the run ended without a result');
  return end;
}
