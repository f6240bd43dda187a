import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localTransport } from '../../src/remote/local.ts';
import { takeLock } from '../../src/remote/lock.ts';
import { shells, temporary } from './shells.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporary();
  path = join(folder, 'etcd-wizard.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const take = (who: string, staleAfterMs = 120_000) =>
  takeLock(localTransport('pi1'), { cluster: 'homelab', who, staleAfterMs, path, privileged: false });
const seconds = () => Math.floor(Date.now() / 1000);

describe.each(shells())('under $name', ({ use }) => {
  let undo: () => void;
  beforeEach(() => {
    undo = use();
  });
  afterEach(() => undo());

  it('keeps others out until it is given back, and says who holds it', async () => {
    const lock = await take('ann@laptop');
    expect(lock.note).toBeUndefined();
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f-]{36}\t\d+\thomelab\tann@laptop\n$/);
    await expect(take('bob@pc')).rejects.toMatchObject({
      code: 'locked',
      host: 'pi1',
      why: expect.stringMatching(/held by ann@laptop, for the cluster homelab, and was last refreshed \d s ago/),
    });
    await lock.release();
    expect(readdirSync(folder), 'nothing is left').toEqual([]);
    await (await take('bob@pc')).release();
  });

  it('is had by one of many that ask at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 6 }, (_, index) => take(`run${index}`)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['etcd-wizard.lock']);
  });

  it.each([
    ['old', `other\t${1_000}\thomelab\tann@laptop\n`],
    ['from a clock that was ahead', `other\t${4_000_000_000}\thomelab\tann@laptop\n`],
    ['empty, of a full disk', ''],
    ['nonsense', '\x1b[31m\n\n\n'],
  ])('takes over a lock that is %s, with a note, and by one of many', async (_, content) => {
    writeFileSync(path, content);
    const alone = await take('first');
    expect(alone.note).toMatch(/^pi1: took over the lock of /);
    expect(alone.note).not.toContain('\x1b');
    writeFileSync(path, content);
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((who) => take(who)));
    const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(taken).toHaveLength(1);
    await taken[0]?.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a run that is known to have ended is taken over at once, one of any other run is not', async () => {
    const options = { cluster: 'homelab', staleAfterMs: 120_000, path, privileged: false };
    await takeLock(localTransport('pi1'), { ...options, who: 'ann@laptop', run: 'a1.77.x' });
    const asked: string[] = [];
    const knowing = (answer: boolean) => ({
      ...options,
      who: 'me@here',
      hasEnded: (run: string) => {
        asked.push(run);
        return answer;
      },
    });
    await expect(takeLock(localTransport('pi1'), knowing(false))).rejects.toMatchObject({ code: 'locked' });
    const lock = await takeLock(localTransport('pi1'), knowing(true));
    expect(asked).toEqual(['a1.77.x', 'a1.77.x']);
    expect(lock.note).toMatch(/took over the lock of ann@laptop, .*: that run has ended without giving it back/);
    await expect(takeLock(localTransport('pi1'), { ...options, who: 'c' })).rejects.toMatchObject({ code: 'locked' });
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lives as long as it is refreshed, and notices when it was taken over', async () => {
    const lock = await take('ann@laptop');
    const [run] = readFileSync(path, 'utf8').split('\t');
    writeFileSync(path, `${run}\t${seconds() - 600}\thomelab\tann@laptop\n`);
    await lock.refresh();
    await expect(take('bob@pc')).rejects.toMatchObject({ code: 'locked' });
    writeFileSync(path, `${run}\t${seconds() - 600}\thomelab\tann@laptop\n`);
    const other = await take('bob@pc');
    expect(other.note).toContain('not refreshed for 10 min');
    await expect(lock.refresh()).rejects.toMatchObject({ code: 'locked', why: expect.stringContaining('bob@pc') });
    await lock.release();
    expect(readFileSync(path, 'utf8'), 'the other’s lock is left alone').toContain('bob@pc');
    await other.release();
  });
});

it('says why it cannot be written', async () => {
  path = join(folder, 'missing/lock');
  await expect(take('ann')).rejects.toMatchObject({
    code: 'remote',
    host: 'pi1',
    step: 'take the lock',
    why: expect.stringContaining('missing'),
  });
});
