/** {@link AppServices} by the same code that the commands run. Everything heavy is loaded when it is used. */
import type { AppServices, HostProbe, RunResult } from '../../components/services.ts';
import { asWizardError, type WizardError } from '../errors.ts';
import type { WizardDraft } from '../wizard/types.ts';
import type { CommandIo } from './io.ts';

export interface SettlingServices extends AppServices {
  /** Members of `try` are being stopped. */
  stopping(): boolean;
  /** Waits until they are gone, and what was answered is written. @throws what kept one from stopping */
  settled(): Promise<void>;
}

/** `settled` is for when the app has gone: what it started winds down first. */
export function appServices(io: CommandIo): SettlingServices {
  const windingDown: Promise<void>[] = [];
  let stopping = 0;
  const drafts = async () => new (await import('../profile/drafts.ts')).DraftStore(io.paths.state);
  const keepDraft = latestOnly(async (draft: WizardDraft | undefined) => (await drafts()).save(draft));
  let kept = Promise.resolve();
  const store = async () => new (await import('../profile/store.ts')).ProfileStore(io.paths.config);
  return {
    stopping: () => stopping > 0,
    settled: async () => void (await Promise.all([...windingDown, kept])),
    version: io.version,
    profiles: async () => (await store()).list(),
    load: async (name) => (await (await store()).load(name)).file,
    save: async (profile) => (await store()).save(profile),
    draft: async () => (await drafts()).load(),
    keepDraft: (draft) => {
      kept = keepDraft(draft);
      return kept;
    },
    health: async (name) => {
      const { profileHealth } = await import('./health-source.ts');
      return profileHealth(io, (await (await store()).load(name)).profile);
    },
    async probe(host, interaction, signal): Promise<HostProbe> {
      try {
        const { probeHost } = await import('./probe.ts');
        return await probeHost(io, host, interaction, signal);
      } catch (thrown) {
        return failedProbe(asWizardError(thrown));
      }
    },
    async run(name, interaction, emit, signal): Promise<RunResult> {
      const began = performance.now();
      const finish = (result: RunResult): RunResult => {
        emit({
          type: 'finished',
          outcome: result.outcome,
          elapsedMs: Math.round(performance.now() - began),
          summary: result.summary,
        });
        return result;
      };
      try {
        const { replayStored } = await import('./replay.ts');
        return finish(await replayStored(io, name, interaction, emit, signal));
      } catch (thrown) {
        const error = asWizardError(thrown);
        const { errorLines } = await import('../front/text.ts');
        return finish({ outcome: error.code === 'interrupted' ? 'interrupted' : 'failed', summary: errorLines(error) });
      }
    },
    async tryHere(members, emit, signal) {
      const { startTry } = await import('./try.ts');
      return startTry(io, members, emit, signal, (ended) => {
        stopping++;
        const over = ended.finally(() => stopping--);
        // Told by settled(), not as a rejection that nobody saw.
        over.catch(() => undefined);
        windingDown.push(over);
      });
    },
  };
}

/**
 * Writes one value after the other: of those that come while one is written only the last, since each replaces the one before.
 * @returns resolves when the value, or a later one, is written
 */
function latestOnly<T>(write: (value: T) => Promise<void>): (value: T) => Promise<void> {
  let next: { value: T } | undefined;
  let writing: Promise<void> | undefined;
  const run = async () => {
    try {
      while (next !== undefined) {
        const { value } = next;
        next = undefined;
        await write(value);
      }
    } finally {
      writing = undefined;
    }
  };
  return (value) => {
    next = { value };
    writing ??= run();
    return writing;
  };
}

const failedProbe = ({ message, why, next }: WizardError): HostProbe => ({
  state: 'failed',
  what: message,
  why,
  next: [...next],
});
