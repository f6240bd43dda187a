import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('with the store loaded, %s arrives once', async (signal) => {
  const folder = mkdtempSync(join(tmpdir(), 'signals-'));
  try {
    const script = join(folder, 'wait.mjs');
    await build({
      stdin: {
        contents: `import { ProfileStore } from './src/profile/store.ts';
          let count = 0;
          process.on('${signal}', () => { count += 1; setTimeout(() => { console.log(count); process.exit(0); }, 300); });
          await new ProfileStore(${JSON.stringify(folder)}).save({ schemaVersion: 1, name: 'lab', hosts: [{ name: 'a', address: '10.0.0.1' }] });
          console.log('ready');
          setInterval(() => {}, 1000);`,
        resolveDir: join(import.meta.dirname, '../..'),
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output === 'ready\n') child.kill(signal);
    });
    const code = await new Promise((resolve) => child.on('exit', (status, by) => resolve(status ?? by)));
    expect([code, output]).toEqual([0, 'ready\n1\n']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
