// Runs after `npm install` and for `npm i -g .`; the latter comes without the developer's packages, so they are fetched first.
import { spawnSync } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
try {
  await import('esbuild');
} catch {
  const { status } = spawnSync('npm', ['install', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
