/** What a run tells its front-end; `--json` prints these, one a line. */
import type { Plan } from '../plan/types.ts';

export type RunEvent =
  | { type: 'host'; host: string; state: 'connecting' | 'connected' | 'facts' | 'failed'; detail?: string }
  | { type: 'plan'; plan: Plan }
  | {
      type: 'action';
      id: string;
      host: string;
      kind: string;
      state: 'started' | 'done' | 'failed' | 'skipped';
      detail?: string;
      elapsedMs?: number;
    }
  /** The reason for a wait, in words; the latest replaces the one before. */
  | { type: 'waiting'; host: string; reason: string }
  /** Commands as they run and the lines they print, for the log pane; raw. */
  | { type: 'log'; host: string; stream: 'command' | 'stdout' | 'stderr'; line: string }
  /** One handshake or one write/read/delete of the proof. `from` is a member name or `controller`. */
  | {
      type: 'proof';
      from: string;
      to: string;
      what: 'handshake' | 'read' | 'write' | 'peer';
      outcome: 'ok' | 'failed' | 'unchecked';
      detail?: string;
    }
  | { type: 'note'; text: string }
  | {
      type: 'finished';
      outcome: 'healthy' | 'nothing-to-do' | 'declined' | 'failed' | 'interrupted';
      elapsedMs: number;
      summary: string[];
    };

export type Emit = (event: RunEvent) => void;
