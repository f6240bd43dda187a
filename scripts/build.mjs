// Bundles the command into dist/: one start-up file and chunks that are loaded when they are needed
// (ssh2, forge, prompts after the first frame).
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));

/** Packages that the bundle must not carry: native parts that ssh2 does without, and Ink's developer tools. */
const stubs = {
  name: 'stubs',
  setup(builder) {
    builder.onResolve({ filter: /^react-devtools-core$|^cpu-features$|\.node$/ }, ({ path }) => ({
      path,
      namespace: 'stub',
    }));
    // ssh2 and Ink look for these in try/catch or never call them here.
    builder.onLoad({ filter: /cpu-features|\.node$/, namespace: 'stub' }, () => ({
      contents: 'throw new Error("not bundled")',
      loader: 'js',
    }));
    builder.onLoad({ filter: /react-devtools-core/, namespace: 'stub' }, () => ({
      contents: 'export default {}',
      loader: 'js',
    }));
  },
};

export async function bundle() {
  const outdir = new URL('dist/', root).pathname;
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: { cli: new URL('src/main.ts', root).pathname },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    jsx: 'automatic',
    minify: true,
    legalComments: 'none',
    chunkNames: 'chunks/[name]-[hash]',
    define: { 'process.env.NODE_ENV': '"production"', ETCD_WIZARD_VERSION: JSON.stringify(version) },
    banner: {
      // CommonJS packages inside an ES module bundle still ask for these.
      js: "import{createRequire as __cr}from'node:module';import{fileURLToPath as __fu}from'node:url';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url),__filename=__fu(import.meta.url),__dirname=__dn(__filename);",
    },
    plugins: [stubs],
    logLevel: 'warning',
  });
  const entry = new URL('dist/cli.js', root);
  const text = await readFile(entry, 'utf8');
  if (!text.startsWith('#!')) await writeFile(entry, `#!/usr/bin/env node\n${text}`);
  await chmod(entry, 0o755);
}

if (process.argv[1] === new URL(import.meta.url).pathname) await bundle();
