/** {@link AppServices} by the same code that the commands run. Everything heavy is loaded when it is used. */
import type { AppServices, HostProbe, RunResult } from '../../components/services.ts';
import { asWizardError, type WizardError } from '../errors.ts';
import type { CommandIo } from './io.ts';

/** `settled` waits for what still winds down when the app has gone: members of `try` being stopped. */
export function appServices(io: CommandIo): AppServices & { settled(): Promise<void> } {
  const windingDown: Promise<void>[] = [];
  const drafts = async () => new (await import('../profile/drafts.ts')).DraftStore(io.paths.state);
  const store = async () => new (await import('../profile/store.ts')).ProfileStore(io.paths.config);
  return {
    settled: async () => void (await Promise.all(windingDown)),
    version: io.version,
    profiles: async () => (await store()).list(),
    load: async (name) => (await (await store()).load(name)).file,
    save: async (profile) => (await store()).save(profile),
    draft: async () => (await drafts()).load(),
    keepDraft: async (draft) => (await drafts()).save(draft),
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
      return startTry(io, members, emit, signal, (stopping) => windingDown.push(stopping));
    },
  };
}

const failedProbe = ({ message, why, next }: WizardError): HostProbe => ({
  state: 'failed',
  what: message,
  why,
  next: [...next],
});
