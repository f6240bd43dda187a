/** Whose run a lock belongs to: only this machine's own runs may be called ended, and only when their process is gone. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runId } from '../../src/state/run-id.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-id-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const alive = () => true;
const gone = () => false;

it('knows a run of this machine that has ended', async () => {
  const before = await runId(folder, 'laptop', 77, gone);
  expect(before.id).toMatch(/^[0-9a-f]{16}\.77\.[0-9a-f]{12}$/);
  expect(statSync(join(folder, 'machine-number')).mode & 0o777).toBe(0o600);
  expect((await runId(folder, 'laptop', 78, gone)).hasEnded(before.id)).toBe(true);
  expect((await runId(folder, 'laptop', 78, alive)).hasEnded(before.id), 'it runs').toBe(false);
});

it('never says it of others: another machine of the same name, a folder that machines share, nonsense', async () => {
  const other = await runId(join(folder, 'other'), 'raspberrypi', 77, gone);
  const shared = await runId(folder, 'desktop', 77, gone);
  const { hasEnded } = await runId(folder, 'raspberrypi', 78, gone);
  for (const id of [other.id, shared.id, '', 'x', `${other.id.slice(0, 16)}.-1.x`])
    expect(hasEnded(id), id).toBe(false);
});

it('asks the system: this process runs, one that has been waited for does not', async () => {
  const { spawnSync } = await import('node:child_process');
  const { pid } = spawnSync('true');
  const { hasEnded } = await runId(folder, 'laptop', process.pid);
  expect(hasEnded((await runId(folder, 'laptop', process.pid)).id)).toBe(false);
  expect(hasEnded((await runId(folder, 'laptop', pid)).id)).toBe(true);
});
