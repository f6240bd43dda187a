/** The real thing in a real terminal (tmux): what is drawn, what a person's keys do, and that the terminal comes back. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'etcd-wizard-pty-'));
/** A server of its own for every test: one that is just going away would take the next one's session with it. */
let socket = '';
let sockets = 0;
const tmux = (...args: string[]) => execFileSync('tmux', ['-S', socket, ...args], { encoding: 'utf8' });
const screen = () => tmux('capture-pane', '-p').trimEnd();
const history = () => tmux('capture-pane', '-p', '-S', '-').trimEnd();
const type = (...keys: string[]) => tmux('send-keys', ...keys);

beforeAll(async () => {
  await build({
    entryPoints: { pane: 'test/terminal/fixtures/pane.ts', app: 'test/terminal/fixtures/app.ts' },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    jsx: 'automatic',
    chunkNames: 'chunk-[hash]',
    define: { 'process.env.NODE_ENV': '"production"', ETCD_WIZARD_VERSION: '"0.0.0"' },
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    plugins: [
      {
        name: 'stubs',
        setup(builder) {
          builder.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'stub' }));
          builder.onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents: 'export default {}', loader: 'js' }));
        },
      },
    ],
    logLevel: 'silent',
  });
});

afterEach(() => {
  tmux('kill-server');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function shows(wanted: string | RegExp): Promise<void> {
  const has = () => (typeof wanted === 'string' ? screen().includes(wanted) : wanted.test(screen()));
  for (let tries = 0; tries < 200; tries++) {
    if (has()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never shown: ${wanted}\n${screen()}`);
}

/** The process that tmux's shell has started. */
function programPid(): number {
  const shell = tmux('display-message', '-p', '#{pane_pid}').trim();
  return Number(execFileSync('ps', ['-o', 'pid=', '--ppid', shell], { encoding: 'utf8' }).trim().split(/\s+/)[0]);
}

/** A shell with something in its history, then the program. */
async function start(
  columns: number,
  rows: number,
  program: string,
  environment: Record<string, string> = {},
  before = '',
): Promise<void> {
  socket = join(folder, `tmux${sockets++}`);
  const words = Object.entries({ LANG: 'C.UTF-8', PS1: '$ ', ...environment }).map(
    ([name, value]) => `${name}='${value}'`,
  );
  tmux(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-x',
    String(columns),
    '-y',
    String(rows),
    `env -u CI -u NO_COLOR ${words.join(' ')} sh`,
  );
  await shows('$');
  type('echo what was there before', 'Enter');
  await shows(/^what was there before/m);
  type(`${before}node ${folder}/${program}; echo status $?; stty -a | grep -o '.icanon'`, 'Enter');
}

test.each([
  [80, 24],
  [60, 20],
  [120, 40],
])('the health pane at %i x %i: refreshes in place, and q gives the terminal back', async (columns, rows) => {
  await start(columns, rows, 'pane.mjs');
  await shows('3 of 3 up, 1 may fail');
  await shows(/13 29[7-9]|13 30\d/);
  expect(screen()).toMatch(/pi1 +follower/);
  expect(screen()).toContain('what was there before');
  await shows(/13 30\d/);
  expect(screen().match(/3 of 3 up/g)).toHaveLength(1);
  type('q');
  await shows('left: healthy');
  await shows('status 0');
  await shows(' icanon');
  expect(screen()).toContain('what was there before');
  // The last picture stays, without keys.
  expect(screen()).toMatch(/pi2 +leader/);
  expect(screen()).not.toContain('q quit');
});

test('50 members in 24 rows: nothing of what was there before is lost from the history', async () => {
  await start(80, 24, 'pane.mjs', { MEMBERS: '50' });
  await shows('50 of 50 up');
  await shows(/13 30\d/);
  type('q');
  await shows('left: healthy');
  expect(history()).toContain('what was there before');
  expect(history().match(/50 of 50 up/g)).toHaveLength(1);
});

test('the window gets narrower, tiny and wide again', async () => {
  await start(120, 40, 'pane.mjs');
  await shows('3 of 3 up');
  tmux('resize-window', '-x', '60', '-y', '20');
  await shows('leader pi2');
  tmux('resize-window', '-x', '20', '-y', '5');
  await shows('window too');
  tmux('resize-window', '-x', '100', '-y', '30');
  await shows(/pi3 +follower/);
  expect(screen().match(/3 of 3 up/g)).toHaveLength(1);
  type('q');
  await shows('left: healthy');
});

test('at the top of the window: neither another width nor leaving puts copies of the frame into the history', async () => {
  await start(100, 30, 'app.mjs', {}, 'clear; ');
  await shows('New cluster');
  for (const columns of [60, 100]) {
    tmux('resize-window', '-x', String(columns), '-y', '30');
    // Long enough for the new size to be drawn.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  type('q');
  await shows('status 0');
  expect(history()).not.toContain('Try it here');
});

test.each([
  ['Ctrl-C', () => type('C-c'), '--signals', 'left: healthy'],
  ['SIGTERM, which the program handles', () => process.kill(programPid(), 'SIGTERM'), '--signals', 'left: healthy'],
  ['SIGTERM, which nobody handles', () => process.kill(programPid(), 'SIGTERM'), '', 'status 143'],
])('%s gives the terminal back', async (_name, stop, flags, wanted) => {
  await start(80, 24, `pane.mjs ${flags}`);
  await shows('3 of 3 up');
  stop();
  await shows(wanted);
  await shows(' icanon');
  expect(tmux('display-message', '-p', '#{cursor_flag}').trim()).toBe('1');
});

test('the app with NO_COLOR and LANG=C: no colour, only ASCII, and everything works', async () => {
  await start(80, 24, 'app.mjs', { NO_COLOR: '1', LANG: 'C', LC_ALL: 'C' });
  await shows('New cluster');
  expect(tmux('capture-pane', '-p', '-e')).not.toMatch(/\x1b\[[0-9;]*3[0-9]m/);
  expect(screen()).toMatch(/^[\x20-\x7e\n]+$/);
  type('n');
  await shows('What shall');
  type('Escape');
  await shows('Try it here');
  type('q');
  await shows('status 0');
});

test('a bracketed paste of three hosts from the terminal becomes three hosts', async () => {
  await start(100, 30, 'app.mjs');
  await shows('New cluster');
  type('n');
  await shows('What shall');
  type('Enter');
  await shows('Which hosts');
  tmux('set-buffer', 'pi@10.0.11.1\n10.0.11.2\n10.0.11.3\n');
  tmux('paste-buffer', '-p');
  await shows('10.0.11.3');
  await shows('3 members');
  type('C-c');
  await shows('status 130');
});
