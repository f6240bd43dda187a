/** `health`: the live pane, or one look with an exit code for scripts. */
import type { HealthSource } from '../../components/services.ts';
import { clean } from '../clean.ts';
import { EXIT, WizardError } from '../errors.ts';
import { wantsInk } from '../front/run.ts';
import { healthLines } from '../front/text.ts';
import type { ClusterHealth } from '../health/types.ts';
import { openProfile } from '../profile/store.ts';
import { quote } from '../quote.ts';
import { profileHealth } from './health-source.ts';
import type { CommandIo } from './io.ts';
import type { HealthOptions } from './program.ts';

const EXIT_OF: Record<ClusterHealth['state'], number> = {
  healthy: EXIT.ok,
  degraded: EXIT.degraded,
  'no-quorum': EXIT.failed,
  unknown: EXIT.unknown,
};

/** @returns 0 healthy, 3 degraded, 1 no quorum, 6 could not look; 0 when a pane was left */
export async function health(io: CommandIo, name: string | undefined, options: HealthOptions): Promise<number> {
  const source = await sourceOf(io, name, options);
  try {
    if (!options.once && (await wantsInk(io))) {
      const { openHealthPane } = await import('../front/ink/index.ts');
      await openHealthPane(io, source, { intervalMs: options.interval * 1000 });
      return EXIT.ok;
    }
    if (options.watch) return await watchLines(io, source, options.interval);
    const look = await source.look();
    show(io, look);
    return EXIT_OF[look.state];
  } finally {
    source.close();
  }
}

/** Without a terminal for the pane: one table (or one JSON document a line) every interval, until interrupted. */
async function watchLines(io: CommandIo, source: HealthSource, interval: number): Promise<number> {
  let code: number = EXIT.unknown;
  while (!io.signal.aborted) {
    const look = await source.look();
    code = EXIT_OF[look.state];
    show(io, look);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, interval * 1000);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      io.signal.addEventListener('abort', end, { once: true });
    });
  }
  return code;
}

function show(io: CommandIo, look: ClusterHealth): void {
  if (io.flags.json)
    io.out(JSON.stringify(look, (_, value: unknown) => (typeof value === 'string' ? clean(value) : value)));
  else for (const line of healthLines(look)) io.out(line);
}

async function sourceOf(io: CommandIo, name: string | undefined, options: HealthOptions): Promise<HealthSource> {
  if (name !== undefined) {
    if (options.endpoints !== undefined)
      throw new WizardError('usage', 'Either a profile or --endpoints, not both.', {
        why: 'A profile says by itself where its members are.',
        next: [`etcd-wizard health ${name}`],
      });
    return profileHealth(io, (await openProfile(io, name)).profile, quote(name));
  }
  const { readTarget } = await import('../health/target.ts');
  const { endpoints, credentials } = await readTarget(options, io.environment);
  const { createHealthSource } = await import('../health/watch.ts');
  return createHealthSource({ title: endpoints[0]?.name ?? 'etcd', endpoints, credentials });
}
