/** What a run that does not end well tells: what has been done, and the command that goes on from there. */
import { describe, expect, it } from 'vitest';
import { afterChanges } from '../../src/converge/failures.ts';
import { WizardError } from '../../src/errors.ts';

const told = (code: 'interrupted' | 'start', touched: string[], agreed: object = {}) => {
  const error = new WizardError(code, 'It ended.', { next: ['Look at it.', 'etcd-wizard replay homelab'] });
  const { exitCode, why, next, partial } = afterChanges(error, new Set(touched), {
    profileName: 'homelab',
    takeOver: [],
    ...agreed,
  });
  return { exitCode, why, next, partial };
};
const CA = 'What was made on this machine (CA, client certificates) is kept and used.';

describe('after a failure', () => {
  it.each([
    ['an interruption before anything', 'interrupted', [], 130, 'Nothing has been changed on any host.', false],
    ['a failure before anything', 'start', [], 1, 'Nothing has been changed on any host.', false],
    ['a CA made, no host touched', 'start', ['controller'], 1, `Nothing has been changed on any host. ${CA}`, true],
    ['an interruption at work', 'interrupted', ['controller', 'pi1'], 130, `Changed so far: pi1. ${CA}`, true],
    ['a failure at work', 'start', ['pi2', 'pi1'], 4, 'Changed so far: pi2, pi1.', true],
  ] as const)('%s', (_, code, touched, exitCode, why, partial) => {
    expect(told(code, [...touched])).toMatchObject({ exitCode, why, partial });
  });

  it('the command that goes on stands last, once', () => {
    const go = 'What was done stays done; this goes on from there:';
    expect(told('start', ['pi1']).next).toEqual(['Look at it.', go, 'etcd-wizard replay homelab']);
    expect(told('interrupted', []).next).toEqual(['Look at it.', 'etcd-wizard replay homelab']);
  });

  it('with what was agreed to for this run', () => {
    const last = (touched: string[], agreed: object) => told('interrupted', touched, agreed).next.at(-1);
    expect(last([], { profileName: 'my file.yaml' })).toBe("etcd-wizard replay 'my file.yaml'");
    expect(last(['pi1'], { takeOver: ['pi1'] })).toBe('etcd-wizard replay homelab --take-over pi1');
    expect(last([], { newCaPassphrase: 'secret' })).toBe('etcd-wizard replay homelab --encrypt-ca');
    expect(last(['controller'], { newCaPassphrase: 'secret' }), 'the CA is made').toBe('etcd-wizard replay homelab');
  });
});
