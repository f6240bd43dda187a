// `npm start`: installs and builds what is missing or older than its sources, then runs the command with the given arguments.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;

const newest = (path) => {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
};

const run = (command, args) => {
  // Talk goes to standard error: what the command prints must stay clean for pipes.
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
};

const installed = newest(join(root, 'node_modules/.package-lock.json'));
if (installed === 0 || installed < newest(join(root, 'package-lock.json'))) {
  console.error('etcd-wizard: installing what it needs (once)…');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}
const sources = Math.max(
  ...['src', 'components', 'scripts/build.mjs', 'package.json'].map((name) => newest(join(root, name))),
);
if (newest(join(root, 'dist/cli.js')) < sources) {
  console.error('etcd-wizard: building…');
  run(process.execPath, ['scripts/build.mjs']);
}
const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...process.argv.slice(2)], { stdio: 'inherit' });
// The terminal sends Ctrl-C to the whole group; the child decides what it means.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
