/** What stands between the command and its first frame: Ink, React and light modules, nothing that could wait. */
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('the screens bring none of the heavy packages along', async () => {
  const { metafile } = await build({
    entryPoints: ['src/front/ink/draw.tsx'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
    external: ['react-devtools-core'],
    logLevel: 'silent',
  });
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []),
  );
  expect([...packages]).toContain('ink');
  for (const heavy of ['ssh2', 'node-forge', 'zod', '@inquirer/prompts', 'conf', 'commander', 'yaml'])
    expect(packages).not.toContain(heavy);
});

test('Ink is not imported before the terminal has been prepared', async () => {
  const { metafile } = await build({
    entryPoints: ['src/front/ink/index.ts'],
    bundle: true,
    splitting: true,
    outdir: 'out',
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
    external: ['react-devtools-core'],
    logLevel: 'silent',
  });
  const first = Object.values(metafile.outputs).find((output) => output.entryPoint === 'src/front/ink/index.ts');
  expect(Object.keys(first?.inputs ?? {}).filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(first?.imports.filter((each) => each.kind === 'dynamic-import').length).toBeGreaterThan(0);
});
