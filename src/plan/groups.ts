/** Actions that do the same on several hosts, together. */
import type { Action } from './types.ts';

/** Alike are actions of the same kind and title. @returns one group each, never empty */
export function alikeActions(actions: readonly Action[]): Action[][] {
  const groups = new Map<string, Action[]>();
  for (const action of actions) {
    const key = `${action.kind} ${action.title}`;
    const same = groups.get(key) ?? [];
    // A group stands where its last member stood: what all hosts do together comes after what each does before it.
    groups.delete(key);
    groups.set(key, [...same, action]);
  }
  return [...groups.values()];
}
