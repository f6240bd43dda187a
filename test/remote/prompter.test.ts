/** What a person is asked while many hosts wait: once, in turn, and never is one host's password tried on another unasked. */
import { describe, expect, it } from 'vitest';
import { Prompter } from '../../src/remote/prompter.ts';

interface Asked {
  prompt: string;
  retry: boolean;
  mayBeEmpty?: boolean;
}

function prompterWith(answers: (string | undefined)[]): { prompter: Prompter; asked: Asked[] } {
  const asked: Asked[] = [];
  const prompter = new Prompter({
    acceptHostKey: () => Promise.resolve(false),
    secret: ({ prompt, retry, mayBeEmpty }) => {
      asked.push({ prompt, retry, ...(mayBeEmpty !== undefined && { mayBeEmpty }) });
      return Promise.resolve(answers.shift());
    },
  });
  return { prompter, asked };
}

const of = (host: string) => ({
  id: `sudo-password:pat@${host}`,
  kind: 'sudo-password' as const,
  prompt: `sudo password of pat on ${host}`,
});

describe('a sudo password that worked', () => {
  it('is offered for the same person’s next host, and Enter takes it', async () => {
    const { prompter, asked } = prompterWith(['right', '']);
    expect(await prompter.secret(of('pi1'), undefined, 'pat')).toBe('right');
    prompter.worked('pat', 'pi1', 'right');
    expect(await prompter.secret(of('pi2'), undefined, 'pat')).toBe('right');
    expect(asked).toEqual([
      { prompt: 'sudo password of pat on pi1', retry: false },
      { prompt: 'sudo password of pat on pi2 (Enter: the same as on pi1)', retry: false, mayBeEmpty: true },
    ]);
  });

  it('is not offered before it has worked, to another person, or once it was refused there', async () => {
    const { prompter, asked } = prompterWith(['right', 'other', 'third', '', 'fourth']);
    await prompter.secret(of('pi1'), undefined, 'pat');
    await prompter.secret(of('pi2'), undefined, 'pat');
    prompter.worked('pat', 'pi1', 'right');
    await prompter.secret({ ...of('pi3'), id: 'sudo-password:ann@pi3' }, undefined, 'ann');
    expect(await prompter.secret(of('pi4'), undefined, 'pat')).toBe('right');
    expect(await prompter.secret(of('pi4'), 'right', 'pat')).toBe('fourth');
    expect(asked.map(({ mayBeEmpty }) => mayBeEmpty ?? false)).toEqual([false, false, false, true, false]);
  });

  it('an empty answer without an offer is none', async () => {
    const { prompter } = prompterWith(['']);
    expect(await prompter.secret(of('pi1'), undefined, 'pat')).toBeUndefined();
  });
});

it('searches for one person’s secret run one after the other, also after one that failed; others do not wait', async () => {
  const { prompter } = prompterWith([]);
  const order: string[] = [];
  let open: () => void = () => undefined;
  const first = prompter.oneByOne('pat', async () => {
    await new Promise<void>((resolve) => {
      open = resolve;
    });
    order.push('first');
    throw new Error('refused');
  });
  const second = prompter.oneByOne('pat', async () => void order.push('second'));
  await prompter.oneByOne('ann', async () => void order.push('ann'));
  open();
  await expect(first).rejects.toThrow('refused');
  await second;
  expect(order).toEqual(['ann', 'first', 'second']);
});
