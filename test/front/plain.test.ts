import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'plain-'));
const driver = join(folder, 'driver.mjs');
beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, '../terminal/fixtures/plain-lines.ts')],
    outfile: driver,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
const resultFile = (): string => {
  runs += 1;
  return join(folder, `result-${runs}.json`);
};
const read = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
const HOSTS = [
  { name: 'pi1', address: '10.0.11.1', dnsNames: [], ssh: { user: 'pi' } },
  { name: 'pi2', address: '10.0.21.1', dnsNames: [], ssh: { user: 'pi' } },
];

describe('the wizard through a pipe', () => {
  const run = (input: string) => {
    const file = resultFile();
    const { stderr, stdout } = spawnSync(process.execPath, [driver, file], {
      input,
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { result: read(file), stderr, stdout };
  };

  it('takes one answer a line, and not one escape is written', () => {
    const { result, stderr, stdout } = run('lab\npi@10.0.11.1\n10.0.21.1\n\n1\n\n\n\ny\nsecret words\n');
    expect(result).toMatchObject({
      answers: { name: 'lab', hosts: HOSTS, addressing: 'ip', certificates: 'usual', install: 'auto' },
      key: true,
      secret: 'secret words',
    });
    // Kept until whoever asked has saved the profile.
    expect(result.kept).toBe('review');
    expect(stderr).not.toContain('\x1b');
    expect(stderr).toContain('SHA256:abc\n');
    expect(stdout).toBe('');
  });

  it('says why, goes back, corrects, edits from the review', () => {
    const { result, stderr } = run(
      `${[
        'lab',
        '?',
        '<',
        'garage',
        'pi@10.0.11.999',
        'pi@10.0.11.1,10.0.21.1,10.0.31.1',
        'x 3',
        'x 9',
        'e 2',
        '',
        '',
        '',
        'pi2.home',
        '',
        '',
        '2',
        'pi1.home',
        '',
        '',
        '',
        '1',
        'attic',
        '',
        'n',
        '',
      ].join('\n')}\n`,
    );
    expect(result).toMatchObject({
      answers: { name: 'attic', addressing: 'dns', hosts: [{ dnsNames: ['pi1.home'] }, { dnsNames: ['pi2.home'] }] },
      key: false,
    });
    expect(result).not.toHaveProperty('secret');
    expect(stderr).toContain('every member keeps a copy of all data');
    expect(stderr).toContain('✗ «10.0.11.999» is not an IPv4 address');
    expect(stderr).toContain('✗ There is no host 9.');
    expect(stderr).toMatch(/pi1 +10\.0\.11\.1 pi1\.home localhost 127\.0\.0\.1 ::1 +10\.0\.11\.1 pi1\.home/);
  });

  it('an input that ends early is told, and what was answered is kept as a draft', () => {
    expect(run('lab\npi@10.0.11.1\n').result).toEqual({ error: 'no-terminal', kept: 'hosts' });
  });
});

/** A real terminal: tmux on a socket of its own. */
class Pty {
  readonly socket = join(folder, `tmux-${runs}`);
  readonly log = join(folder, `log-${runs}`);
  constructor(
    readonly file: string,
    term: string,
  ) {
    this.tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      '100',
      '-y',
      '40',
      `sleep 0.3; TERM=${term} ${process.execPath} ${driver} ${file}`,
    );
    this.tmux('pipe-pane', `cat > ${this.log}`);
  }
  tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.socket, ...args], { encoding: 'utf8' });
  }
  /** Waits for the text on the screen, then types. */
  async answer(prompt: RegExp, ...keys: string[]): Promise<void> {
    await until(
      () => prompt.test(this.tmux('capture-pane', '-p').trimEnd().split('\n').slice(-12).join('\n')),
      () => `${prompt} in\n${this.tmux('capture-pane', '-p')}`,
    );
    this.tmux('send-keys', ...keys);
  }
  async result(): Promise<Record<string, unknown>> {
    await until(
      () => existsSync(this.file) && readFileSync(this.file, 'utf8') !== '',
      () => 'a result',
    );
    return read(this.file);
  }
  end(): void {
    spawnSync('tmux', ['-S', this.socket, 'kill-server']);
  }
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for ${what()}`);
}

describe.skipIf(spawnSync('tmux', ['-V']).status !== 0)('the wizard in a terminal', () => {
  const inTerminal = async (
    term: string,
    play: (pty: Pty) => Promise<void>,
  ): Promise<{ result: Record<string, unknown>; log: string }> => {
    const pty = new Pty(resultFile(), term);
    try {
      await play(pty);
      return { result: await pty.result(), log: readFileSync(pty.log, 'utf8') };
    } finally {
      pty.end();
    }
  };

  it('TERM=dumb: numbered lines, a secret without echo, and not one escape', async () => {
    const { result, log } = await inTerminal('dumb', async (pty) => {
      await pty.answer(/\[homelab\]> ?$/m, 'lab', 'Enter');
      await pty.answer(/host 1> ?$/m, 'pi@10.0.11.1', 'Enter');
      await pty.answer(/host 2> ?$/m, '10.0.21.1', 'Enter');
      await pty.answer(/host 3> ?$/m, 'Enter');
      await pty.answer(/by DNS name[\s\S]*Number \[1\]: ?$/m, 'Enter');
      await pty.answer(/yes, the usual[\s\S]*Number \[1\]: ?$/m, 'Enter');
      await pty.answer(/what fits[\s\S]*Number \[1\]: ?$/m, 'Enter');
      await pty.answer(/q to leave> ?$/m, 'Enter');
      await pty.answer(/right one\? \[y\/N\] ?$/m, 'y', 'Enter');
      await pty.answer(/sudo password for pi@pi1: ?$/m, 'hunterx', 'BSpace', '2', 'Enter');
    });
    expect(result).toMatchObject({ answers: { name: 'lab', hosts: HOSTS }, key: true, secret: 'hunter2' });
    expect(log).not.toContain('hunter');
    expect(log).not.toContain('\x1b');
  });

  it('a capable terminal: menus to choose from, a list pasted in one piece, Ctrl-C keeps the draft', async () => {
    const { result, log } = await inTerminal('xterm-256color', async (pty) => {
      await pty.answer(/\[homelab\]>/, 'lab', 'Enter');
      pty.tmux('set-buffer', 'pi@10.0.11.1\n10.0.21.1\n');
      await pty.answer(/host 1>/, '');
      pty.tmux('paste-buffer', '-r');
      await pty.answer(/host 3>/, 'Enter');
      await pty.answer(/by IP address[\s\S]*by DNS name/, 'Down', 'Enter');
      await pty.answer(/pi1>/, 'pi1.home', 'Enter');
      await pty.answer(/pi2>/, 'pi2.home', 'Enter');
      await pty.answer(/yes, the usual/, 'C-c');
    });
    expect(result).toEqual({ error: 'interrupted', kept: 'certificates' });
    expect(log).toContain('pi2=pi@10.0.21.1');
    expect(log).toContain('Your answers are kept');
  });

  it('a capable terminal: yes or no and a secret, which is not shown', async () => {
    const { result, log } = await inTerminal('xterm-256color', async (pty) => {
      await pty.answer(/\[homelab\]>/, 'Enter');
      await pty.answer(/host 1>/, 'pi@10.0.11.1', 'Enter');
      await pty.answer(/host 2>/, 'Enter');
      await pty.answer(/by IP address[\s\S]*by DNS name/, 'Enter');
      await pty.answer(/❯ yes, the usual/, 'Enter');
      await pty.answer(/❯ what fits/, 'Enter');
      await pty.answer(/q to leave>/, 'Enter');
      await pty.answer(/right one\?/, 'y', 'Enter');
      await pty.answer(/sudo password for pi@pi1:/, 'hunter2', 'Enter');
    });
    expect(result).toMatchObject({ answers: { name: 'homelab' }, key: true, secret: 'hunter2' });
    expect(log).not.toContain('hunter');
  });
});
