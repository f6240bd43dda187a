// `npm run bench [-- PART…]`: builds the command, then the benchmark, and runs it. Parts: certificates, frame, cluster, pane, hosts.
import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
// Builds the command only where it is older than its sources: others may be running it.
if (
  spawnSync(process.execPath, ['scripts/start.mjs', '--version'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    .status !== 0
)
  process.exit(1);
// Two folders deep like its sources, so that paths relative to a module stay right.
const outfile = `${root}.cache/bench/main.mjs`;
await build({
  entryPoints: [`${root}bench/main.ts`],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(status ?? 1);
