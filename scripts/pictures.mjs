// `npm run pictures`: the README's pictures, from real frames of a real run (`try`) in a real terminal (tmux).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = new URL('..', import.meta.url).pathname;
const out = join(root, 'docs/pictures');
const COLUMNS = 80;
const ROWS = 24;
const SOCKET = `etcd-wizard-pictures-${process.pid}`;

const tmux = (...args) => {
  const { status, stdout, stderr } = spawnSync('tmux', ['-L', SOCKET, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
  return stdout;
};
const screen = () => tmux('capture-pane', '-p', '-t', 'p');

/** Waits until the screen shows the words. */
async function until(words, seconds = 60) {
  for (let tries = 0; tries < seconds * 5; tries += 1) {
    if (screen().includes(words)) return;
    await sleep(200);
  }
  throw new Error(`«${words}» did not come; the screen shows:\n${screen()}`);
}

/** The 16 colours on a dark background; only these are ever used. */
const COLOURS = [
  '#1d1f21',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#d7dae0',
  '#7f848e',
  '#ef7b85',
  '#a9d489',
  '#f0d08b',
  '#78beff',
  '#d78cec',
  '#6fc7d3',
  '#ffffff',
];
const FOREGROUND = COLOURS[7];
const BACKGROUND = '#16181c';
const CELL = 8.4;
const LINE = 19;

const escapeXml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** One line of `capture-pane -e` as runs of equal style. */
function runsOf(line) {
  const runs = [];
  let style = {};
  let column = 0;
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    const codes = /^\x1b\[([\d;]*)m$/.exec(part);
    if (codes) {
      for (const code of (codes[1] || '0').split(';').map(Number)) {
        if (code === 0) style = {};
        else if (code === 1) style = { ...style, bold: true };
        else if (code === 2) style = { ...style, dim: true };
        else if (code === 7) style = { ...style, inverse: true };
        else if (code === 22) style = { ...style, bold: false, dim: false };
        else if (code === 27) style = { ...style, inverse: false };
        else if (code >= 30 && code <= 37) style = { ...style, colour: COLOURS[code - 30] };
        else if (code >= 90 && code <= 97) style = { ...style, colour: COLOURS[code - 90 + 8] };
        else if (code === 39) style = { ...style, colour: undefined };
      }
    } else if (part !== '') {
      runs.push({ ...style, text: part, column });
      column += [...part].length;
    }
  }
  return runs;
}

function svg(frame, title) {
  const lines = frame.replace(/\n+$/, '').split('\n');
  const width = Math.ceil(COLUMNS * CELL + 32);
  const height = lines.length * LINE + 58;
  const body = lines.flatMap((line, row) =>
    runsOf(line)
      .filter(({ text, inverse }) => text.trim() !== '' || inverse)
      .map(({ text, column, bold, dim, inverse, colour = FOREGROUND }) => {
        const x = 16 + column * CELL;
        const y = 50 + row * LINE;
        const cells = [...text].length * CELL;
        const back = inverse ? `<rect x="${x}" y="${y - 14}" width="${cells}" height="${LINE}" fill="${colour}"/>` : '';
        return `${back}<text x="${x}" y="${y}" fill="${inverse ? BACKGROUND : colour}" textLength="${cells}" lengthAdjust="spacingAndGlyphs"${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.62"' : ''} xml:space="preserve">${escapeXml(text)}</text>`;
      }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">
<title>${escapeXml(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>
<circle cx="20" cy="17" r="5" fill="#e06c75"/><circle cx="38" cy="17" r="5" fill="#e5c07b"/><circle cx="56" cy="17" r="5" fill="#98c379"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
${body.join('\n')}
</g>
</svg>
`;
}

const take = (name, title) =>
  writeFileSync(join(out, `${name}.svg`), svg(tmux('capture-pane', '-e', '-p', '-t', 'p'), title));

const home = mkdtempSync(join(tmpdir(), 'etcd-wizard-pictures-'));
mkdirSync(out, { recursive: true });
const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(1);
try {
  // The person's own folders stay out of it; the cache of etcd is used where it is.
  const environment = [
    `HOME=${home}`,
    'LANG=C.UTF-8',
    'TERM=xterm-256color',
    'FORCE_COLOR=1',
    ...(process.env.HOME ? [`XDG_CACHE_HOME=${process.env.XDG_CACHE_HOME ?? join(process.env.HOME, '.cache')}`] : []),
  ];
  tmux(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-s',
    'p',
    '-x',
    String(COLUMNS),
    '-y',
    String(ROWS),
    ['env', ...environment, process.execPath, join(root, 'dist/cli.js')].map((word) => `'${word}'`).join(' '),
  );
  await until('New cluster');
  take('home', 'The home screen: new cluster, try it here, saved clusters');
  tmux('send-keys', '-t', 'p', 'n');
  await until('What shall the cluster be called?');
  tmux('send-keys', '-t', 'p', 'Enter');
  await until('Which hosts');
  await sleep(500);
  take('wizard', 'A question of the wizard, with the reason why it is asked');
  tmux('send-keys', '-t', 'p', 'Escape');
  await until('What shall the cluster be called?');
  tmux('send-keys', '-t', 'p', 'Escape');
  await until('Try it here');
  tmux('send-keys', '-t', 'p', 't');
  await until('3 of 3 up', 120);
  await sleep(6000);
  take('health', 'The live health pane: three members, roles, latency, certificates');
  tmux('send-keys', '-t', 'p', 'Enter');
  await sleep(1500);
  take('member', 'Everything known of each member');
  tmux('send-keys', '-t', 'p', 'Escape');
  tmux('send-keys', '-t', 'p', 'q');
  await sleep(3000);
} finally {
  spawnSync('tmux', ['-L', SOCKET, 'kill-server']);
  rmSync(home, { recursive: true, force: true });
}
console.log(`pictures in ${out}`);
