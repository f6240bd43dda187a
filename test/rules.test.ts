/** The house's rules, read from the import lines: who may know whom. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  /** A path from the project's root, `node:…`, or a package's name. */
  target: string;
  /** `import(…)`: loaded when it is needed. */
  lazy: boolean;
}
interface Source {
  path: string;
  text: string;
  lines: string[];
  /** What is loaded at run time; imports of types alone are not. */
  imports: Import[];
}

const sources: Source[] = ['src', 'components'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n'), imports: importsOf(path, text) };
    }),
);

function importsOf(path: string, text: string): Import[] {
  const resolve = (name: string): string =>
    name.startsWith('.') ? relative(root, join(root, dirname(path), name)) : name;
  const found: Import[] = [];
  for (const [, names = '', name = ''] of text.matchAll(/^(?:import|export)\s+([^'";]*?)\s*from\s+'([^']+)'/gm)) {
    const onlyTypes = names.startsWith('type ') || /^\{\s*(type\s+[^,}]+,?\s*)+\}$/.test(names);
    if (!onlyTypes) found.push({ target: resolve(name), lazy: false });
  }
  for (const [, name = ''] of text.matchAll(/^import\s+'([^']+)'/gm))
    found.push({ target: resolve(name), lazy: false });
  for (const [, name = ''] of text.matchAll(/(?<!typeof )\bimport\('([^']+)'\)/g))
    found.push({ target: resolve(name), lazy: true });
  return found;
}

/** `room/` stands for everything below it, anything else for exactly that file or package (and its parts). */
const matches = (path: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith('/') ? path.startsWith(pattern) : path === pattern || path.startsWith(`${pattern}/`),
  );

/** Packages and modules of Node that only the rooms named here may load. */
const ONLY: [target: string[], rooms: string[]][] = [
  [['ssh2', 'tar-stream'], ['src/remote/']],
  [['node-forge'], ['src/pki/']],
  [['conf'], ['src/profile/store.ts']],
  [['@inquirer/prompts'], ['src/front/']],
  [['ink'], ['src/terminal/ink.ts']],
  [['react'], ['src/terminal/', 'src/front/ink/', 'components/']],
  [['commander'], ['src/cli.ts', 'src/commands/']],
];

/** Rooms whose functions depend on their arguments alone: no hosts, no files, no clock, no screen. */
const PURE = [
  'src/wizard/',
  'src/plan/',
  'src/etcd/',
  'src/handoff/',
  'src/profile/schema.ts',
  'src/profile/from-answers.ts',
  'src/health/judge.ts',
  'src/health/types.ts',
  'src/doctor/',
  'src/clean.ts',
  'src/quote.ts',
  'src/facts.ts',
];
const IMPURE_TARGETS = [
  'src/remote/',
  'src/apply/',
  'src/front/',
  'src/terminal/',
  'src/profile/store.ts',
  'src/state/',
  'src/converge/',
  'components/',
  'ink',
  'react',
  'ssh2',
];
const IMPURE_MODULES = [
  'node:fs',
  'node:child_process',
  'node:tls',
  'node:http',
  'node:https',
  'node:os',
  'node:dgram',
  'node:dns',
  'node:process',
  'node:timers',
];

const of = (rooms: readonly string[]): Source[] => sources.filter(({ path }) => matches(path, rooms));
const complain = (files: readonly Source[], wrong: (source: Source) => string[]): string[] =>
  files.flatMap((source) => wrong(source).map((what) => `${source.path}: ${what}`));

describe('who may import whom', () => {
  it('sees the sources and their imports', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(
      importsOf(
        'src/a/b.ts',
        "import type { A } from '../x.ts';\nimport { type B, c } from './y.ts';\nimport { type D } from 'z';\nconst e = await import('ssh2');",
      ),
    ).toEqual([
      { target: 'src/a/y.ts', lazy: false },
      { target: 'ssh2', lazy: true },
    ]);
  });

  it.each(ONLY)('%j is loaded by %j alone', (targets, rooms) => {
    const others = sources.filter(({ path }) => !matches(path, rooms));
    expect(
      complain(others, ({ imports }) =>
        imports.map(({ target }) => target).filter((target) => matches(target, targets)),
      ),
    ).toEqual([]);
  });

  it('components know Ink’s adapter, React, each other and pure functions', () => {
    const allowed = [
      'react',
      'components/',
      'src/terminal/',
      ...PURE,
      'src/errors.ts',
      'src/front/interaction.ts',
      'src/apply/events.ts',
    ];
    expect(
      complain(of(['components/']), ({ imports }) =>
        imports
          .map(({ target }) => target)
          .filter((target) => !matches(target, allowed) && !/^node:(path|util|assert)/.test(target)),
      ),
    ).toEqual([]);
  });

  it.each(PURE)('%s reaches neither hosts nor files nor the screen', (room) => {
    expect(
      complain(of([room]), ({ imports }) =>
        imports.map(({ target }) => target).filter((target) => matches(target, [...IMPURE_TARGETS, ...IMPURE_MODULES])),
      ),
    ).toEqual([]);
  });

  it.each(PURE)('%s does not look at the clock or roll dice', (room) => {
    expect(
      complain(
        of([room]),
        ({ text }) =>
          text.match(
            /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(|\brandomUUID\(|\brandomBytes\(|\bset(Timeout|Interval)\(/g,
          ) ?? [],
      ),
    ).toEqual([]);
  });

  it('nothing heavy is loaded to parse the command line or to draw the first frame', () => {
    const heavy = ['ssh2', 'node-forge', 'zod', '@inquirer/prompts', 'conf', 'yaml', 'tar-stream', 'diff'];
    const reached = new Map<string, string>();
    const visit = (path: string, way: string): void => {
      if (reached.has(path)) return;
      reached.set(path, way);
      const source = sources.find((each) => each.path === path);
      for (const { target, lazy } of source?.imports ?? []) if (!lazy) visit(target, `${way} → ${target}`);
    };
    for (const entry of ['src/main.ts', 'src/front/ink/index.ts', 'components/app.tsx']) {
      if (existsSync(join(root, entry))) visit(entry, entry);
    }
    expect([...reached].filter(([path]) => matches(path, heavy)).map(([, way]) => way)).toEqual([]);
  });

  it('only cli.ts and main.ts know the arguments and end the process', () => {
    const others = sources.filter(({ path }) => !['src/cli.ts', 'src/main.ts'].includes(path));
    expect(complain(others, ({ text }) => text.match(/process\.(argv|exit\b|exitCode)/g) ?? [])).toEqual([]);
  });
});

describe('how files are written', () => {
  it('has files of at most 350 lines', () => {
    expect(complain(sources, ({ lines }) => (lines.length - 1 > 350 ? [`${lines.length - 1} lines`] : []))).toEqual([]);
  });

  it('says why wherever a TLS peer is not verified by the library', () => {
    // The comment stands above the line or above the call that the line is an option of.
    const explained = (lines: string[], index: number): boolean =>
      lines.slice(Math.max(0, index - 6), index).some((line) => /^\s*(\/\/|\*)/.test(line));
    const unexplained = ({ lines }: Source): string[] =>
      lines.flatMap((line, index) =>
        /rejectUnauthorized:\s*false/.test(line) && !explained(lines, index) ? [`line ${index + 1}`] : [],
      );
    expect(complain(sources, unexplained)).toEqual([]);
  });

  it('silences no checker and leaves nothing for later', () => {
    expect(
      complain(sources, ({ text }) => text.match(/@ts-(ignore|nocheck|expect-error)|\bTODO\b|\bFIXME\b/g) ?? []),
    ).toEqual([]);
  });
});

describe('the package', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');

  it('gives the command and says which Node it needs', () => {
    expect(manifest.bin).toEqual({ 'etcd-wizard': 'dist/cli.js' });
    expect(manifest.engines).toEqual({ node: '>=20.19' });
    expect(manifest.license).toBe('MIT');
    expect(manifest.type).toBe('module');
  });

  it('has the scripts that the documents name', () => {
    expect(manifest.scripts).toMatchObject({
      start: 'node scripts/start.mjs',
      test: 'node scripts/test.mjs',
      build: expect.any(String),
      bench: expect.any(String),
      lint: expect.any(String),
      types: expect.any(String),
      dead: expect.any(String),
    });
  });

  it('has a lock file of this version that names no registry', () => {
    const lock = JSON.parse(lockText);
    expect([lock.name, lock.version]).toEqual([manifest.name, manifest.version]);
    expect(lock.packages[''].dependencies).toEqual(manifest.dependencies);
    expect(lockText).not.toMatch(/"resolved":|https?:\/\/[^"]*\.tgz/);
  });

  it('has every optional part in its lock file, without which «npm ci» refuses', () => {
    const { packages } = JSON.parse(lockText) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const optional = Object.values(packages).flatMap((each) => Object.keys(each.optionalDependencies ?? {}));
    expect(optional.length).toBeGreaterThan(0);
    expect(
      optional.filter((name) => !(`node_modules/${name}` in packages) && !/^(cpu-features|nan)$/.test(name)),
    ).toEqual([]);
  });

  it('uses every package it depends on', () => {
    const used = new Set(
      sources.flatMap(({ imports }) =>
        imports.map(({ target }) =>
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
      ),
    );
    expect(Object.keys(manifest.dependencies).filter((name) => !used.has(name))).toEqual([]);
  });
});
