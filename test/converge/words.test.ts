/** How a run tells of hosts without an answer, and of what the proof could not check. */
import { describe, expect, it } from 'vitest';
import { proofSummary } from '../../src/converge/summary.ts';
import { isUnanswered, unanswered, unreachableHost } from '../../src/converge/unanswered.ts';
import { WizardError } from '../../src/errors.ts';
import type { Proof } from '../../src/health/prove.ts';
import type { Profile } from '../../src/profile/schema.ts';

const question = (host: string) =>
  new WizardError('no-terminal', `The host key of ${host} is unknown.`, {
    why: `SHA256:${host}`,
    next: ['Give the answer:', '--accept-new-host-keys'],
  });

describe('questions nobody answered', () => {
  it('one is told as it is', () => {
    const one = question('pi1');
    expect(unanswered([one])).toBe(one);
  });

  it('several are one error, each with its fingerprint and the flag once', () => {
    const all = unanswered([question('pi1'), question('pi2')]);
    expect(isUnanswered(all)).toBe(true);
    expect(all.exitCode).toBe(64);
    expect(all.why).toBe('The host key of pi1 is unknown. SHA256:pi1\nThe host key of pi2 is unknown. SHA256:pi2');
    expect(all.next).toEqual(['Give the answer:', '--accept-new-host-keys']);
  });
});

describe('a host that answers is not called unreachable', () => {
  const details = { why: 'The reason.', next: ['do this'] };
  it.each(['privilege', 'authentication', 'host-key-changed', 'host-key-revoked'] as const)('%s', (code) => {
    expect(unreachableHost('pi1', new WizardError(code, 'What happened.', details))).toEqual({
      host: 'pi1',
      what: 'What happened.',
      reason: 'The reason.',
      next: ['do this'],
    });
  });
  it.each(['connect', 'timeout', 'remote'] as const)('%s: it is', (code) => {
    expect(unreachableHost('pi1', new WizardError(code, 'What happened.', details))).toEqual({
      host: 'pi1',
      reason: 'What happened. The reason.',
      next: ['do this'],
    });
  });
});

describe('the proof’s summary', () => {
  const NAMES = ['pi1', 'pi2', 'pi3'];
  const results = (outcome: (from: string) => Proof['results'][number]['outcome']): Proof['results'] =>
    ['controller', ...NAMES].flatMap((from) =>
      NAMES.filter((to) => to !== from).map((to, index) => ({
        from,
        to,
        what: 'handshake' as const,
        outcome: outcome(from),
        ...(outcome(from) === 'unchecked' && {
          detail: `forbidden to 10.0.0.${index} port 2379, so nothing was learnt`,
        }),
      })),
    );
  const summary = (outcome: Parameters<typeof results>[0]) =>
    proofSummary(
      { name: 'lab', hosts: NAMES.map((name) => ({ name })) } as Profile,
      {
        ok: true,
        problems: [],
        routes: {},
        results: results(outcome),
        health: { state: 'healthy', quorum: '3 of 3 up', up: 3, total: 3, mayFail: 1, members: [], remarks: [] },
      },
      true,
    ).join('\n');

  it('all was checked', () => {
    expect(summary(() => 'ok')).toContain('9 TLS handshakes with the client certificate, from here and from the hosts');
    expect(summary(() => 'ok')).not.toContain('Not checked');
  });

  it('no host forwards: said in one line, and nothing is claimed of the hosts', () => {
    const text = summary((from) => (from === 'controller' ? 'ok' : 'unchecked'));
    expect(text).toContain('3 TLS handshakes with the client certificate, from here;');
    expect(text).toContain('Not checked: from pi1, pi2, pi3 to the other members (forbidden, so nothing was learnt).');
    expect(text.match(/Not checked/g)).toHaveLength(1);
  });

  it('one host does not', () => {
    const text = summary((from) => (from === 'pi2' ? 'unchecked' : 'ok'));
    expect(text).toContain('from here and from the hosts');
    expect(text).toContain('Not checked: from pi2 to the other members');
  });
});
