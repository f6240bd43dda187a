/** What the parts of a proof share: its results, and how they are told. */
import type { RunEvent } from '../apply/events.ts';
import { EndpointError } from './failure.ts';
import type { Link } from './link.ts';
import type { ProveOptions } from './prove.ts';

export type ProofResult = Omit<Extract<RunEvent, { type: 'proof' }>, 'type'>;

export interface Run extends ProveOptions {
  links: Link[];
  results: ProofResult[];
  problems: string[];
}

/** Keeps and emits one result; a failure is a problem too. */
export function report({ results, problems, emit }: Run, result: ProofResult): void {
  results.push(result);
  emit({ type: 'proof', ...result });
  if (result.outcome !== 'failed') return;
  const action = { handshake: 'dials', peer: 'dials the peer port of', read: 'reads through', write: 'writes through' }[
    result.what
  ];
  problems.push(`${result.from} ${action} ${result.to}: ${result.detail ?? 'failed'}.`);
}

/** @throws what is no EndpointError: a defect */
export function told(thrown: unknown): string {
  if (thrown instanceof EndpointError) return thrown.message;
  throw thrown;
}
