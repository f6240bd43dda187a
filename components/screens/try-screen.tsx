/** The embedded cluster coming up on this machine. */
import type { ReactNode } from 'react';
import type { RunEvent } from '../../src/apply/events.ts';
import { Questions } from '../questions.ts';
import type { HealthSource } from '../services.ts';
import { RunScreen } from './run-screen.tsx';

export interface TryScreenProps {
  start(emit: (event: RunEvent) => void, signal: AbortSignal): Promise<HealthSource>;
  stop: AbortController;
  onReady(source: HealthSource): void;
  /** Stopped by the person before it was up. */
  onStopped(): void;
  onFailed(error: unknown): void;
}

/** Nothing is asked here: everything happens below a folder of the person's own. */
const NO_QUESTIONS = new Questions();

export function TryScreen({ start, stop, onReady, onStopped, onFailed }: TryScreenProps): ReactNode {
  return (
    <RunScreen
      title="Three members on this machine"
      questions={NO_QUESTIONS}
      stop={stop}
      start={(emit, signal) =>
        start(emit, signal).then(
          (source) => {
            onReady(source);
            return { outcome: 'healthy', summary: [] };
          },
          (error: unknown) => {
            if (signal.aborted) onStopped();
            else onFailed(error);
            return { outcome: signal.aborted ? 'interrupted' : 'failed', summary: [] };
          },
        )
      }
      onDone={() => {}}
      goOn={() => true}
    />
  );
}
