/** `npm run bench [-- PART…]`: measures, prints, and writes bench/RESULTS.md when everything was measured. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { labObstacle } from '../scripts/prerequisites.mjs';
import { certificates } from './certificates.ts';
import { manyHosts } from './many-hosts.ts';
import { newCluster } from './new-cluster.ts';
import { type Row, table } from './report.ts';
import { firstFrame, healthPane } from './terminal.ts';

interface Part {
  needsLab: boolean;
  measure(): Promise<Row[]>;
}

async function frameInEmptyHome(): Promise<Row[]> {
  const home = await mkdtemp(join(tmpdir(), 'etcd-wizard-bench-'));
  try {
    return await firstFrame(15, home);
  } finally {
    await rm(home, { recursive: true });
  }
}

const PARTS: Record<string, Part> = {
  certificates: { needsLab: false, measure: () => certificates(15) },
  frame: { needsLab: false, measure: frameInEmptyHome },
  cluster: { needsLab: true, measure: () => newCluster(5) },
  pane: { needsLab: true, measure: () => healthPane(20) },
  hosts: { needsLab: true, measure: () => manyHosts([3, 10, 25, 50]) },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  process.exit(64);
}
const rows: Row[] = [];
const failed: string[] = [];
for (const [name, { needsLab, measure }] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const obstacle = needsLab ? labObstacle() : undefined;
  if (obstacle !== undefined) {
    failed.push(`${name}: not measured, ${obstacle}`);
    continue;
  }
  console.error(`measuring ${name}…`);
  try {
    rows.push(...(await measure()));
  } catch (error) {
    failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
const kernel = (await readFile('/proc/version', 'utf8').catch(() => '')).split(' ')[2] ?? '';
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${kernel}, Node ${process.versions.node}`;
const text = `# Benchmark

Written by \`npm run bench\`: everything in one run, on one machine, against the same hosts (containers with systemd and sshd,
see test/lab). Absolute times depend on the machine; the ratios are what counts.

${new Date().toISOString().slice(0, 10)}, ${machine}

${table(rows)}
`;
console.log(`\n${text}`);
for (const failure of failed) console.log(`not measured: ${failure}`);
if (asked.length === 0 && failed.length === 0)
  await writeFile(fileURLToPath(new URL('../../bench/RESULTS.md', import.meta.url)), text);
const missed = rows.filter((row) => row.met === false).length;
console.log(missed === 0 ? 'every bar that was measured is met' : `${missed} bars are not met`);
process.exit(failed.length > 0 ? 1 : 0);
