/** The trees that commands draw. Brings Ink and the components along: load it after `prepareTerminal()`. */
import { App } from '../../../components/app.tsx';
import { Pane } from '../../../components/pane.tsx';
import { Questions } from '../../../components/questions.ts';
import type { AppServices, HealthSource, RunResult, StartAt } from '../../../components/services.ts';
import { SingleRun } from '../../../components/single-run.tsx';
import type { ClusterHealth } from '../../health/types.ts';
import type { Capabilities } from '../../terminal/capabilities.ts';
import type { RunEnd, RunTitle, Start } from '../run.ts';
import type { InkIo } from './io.ts';
import { interrupt, untilLeft } from './mount.tsx';

export function drawApp(
  services: AppServices,
  io: InkIo,
  capabilities: Capabilities,
  start: StartAt,
): Promise<string[]> {
  return untilLeft<string[]>(io, capabilities, { keepLastFrame: false }, (leave) => (
    <App
      services={services}
      signal={io.signal}
      start={start}
      onInterrupt={() => interrupt(() => leave([]))}
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
      start={(emit, signal): Promise<RunResult> =>
        start(questions.interaction, emit, signal).then(
          (result) => {
            end = result;
            return { outcome: result.outcome, summary: [] };
          },
          (error: unknown) => {
            thrown = { error };
            return { outcome: signal.aborted ? 'interrupted' : 'failed', summary: [] };
          },
        )
      }
      onDone={() => leave(undefined)}
    />
  ));
  if (thrown !== undefined) throw thrown.error;
  if (end === undefined) throw new Error('the run ended without a result');
  return end;
}
