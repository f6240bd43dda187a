// Runs after `npm install` and for `npm i -g .`; the latter comes without the developer's packages, so they are fetched first.
import { spawnSync } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
try {
  await import('esbuild');
} catch {
  // Under `npm i -g .` the environment says «global»; what the build needs belongs here.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_config_(global|prefix|location|local_prefix)$/i.test(name)),
  );
  const { status } = spawnSync('npm', ['install', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
    env,
  });
  if (status !== 0) process.exit(status ?? 1);
}
const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
