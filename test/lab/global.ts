/** Before the lab's first test: says what is missing, builds the command and the images, so that no test waits for them. */
import { labObstacle } from '../../scripts/prerequisites.mjs';
import { run } from '../setup/process.ts';
import { ETCD_VARIANTS, imageLayers } from './image.ts';
import { removeStale } from './stale.ts';

export async function setup(): Promise<void> {
  const obstacle = labObstacle();
  if (obstacle !== undefined) throw new Error(`the lab of real hosts cannot run here: ${obstacle}`);
  await removeStale();
  const built = await run(process.execPath, ['scripts/start.mjs', '--version']);
  // The harness's own test does without the command; the others will fail and say so.
  if (built.code !== 0) console.error(`lab: the command could not be built:\n${built.stderr}`);
  console.error('lab: preparing images (a minute the first time, from then on out of the cache)…');
  for (const etcd of ETCD_VARIANTS) await imageLayers('bookworm', etcd);
  await imageLayers('trixie', 'present');
}

export const teardown = removeStale;
