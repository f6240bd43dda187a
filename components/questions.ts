/**
 * Questions that a run asks while it runs, one at a time: the `Interaction` on one side, the screens on the other.
 * Answers (secrets among them) go straight to who asked and are kept nowhere.
 */
import { useSyncExternalStore } from 'react';
import type { Interaction } from '../src/front/interaction.ts';
import type { Plan } from '../src/plan/types.ts';

type HostKey = Parameters<Interaction['acceptHostKey']>[0];
type Secret = Parameters<Interaction['secret']>[0];

export type OpenQuestion =
  | { kind: 'plan'; plan: Plan; changed: boolean; answer(accepted: boolean): void }
  | { kind: 'host-key'; key: HostKey; answer(accepted: boolean): void }
  | { kind: 'secret'; secret: Secret; answer(text: string | undefined): void };

export class Questions {
  #open: OpenQuestion[] = [];
  readonly #listeners = new Set<() => void>();

  readonly interaction: Interaction = {
    acceptPlan: (plan, changed) =>
      new Promise((resolve) => this.#ask({ kind: 'plan', plan, changed, answer: resolve })),
    acceptHostKey: (key) => new Promise((resolve) => this.#ask({ kind: 'host-key', key, answer: resolve })),
    secret: (secret) => new Promise((resolve) => this.#ask({ kind: 'secret', secret, answer: resolve })),
  };

  /** The question to show now. */
  current = (): OpenQuestion | undefined => this.#open[0];

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Everything that is open is answered with no: the person is leaving. */
  refuseAll(): void {
    for (const question of [...this.#open]) {
      if (question.kind === 'secret') question.answer(undefined);
      else question.answer(false);
    }
  }

  #ask(question: OpenQuestion): void {
    const answered =
      <T>(answer: (value: T) => void) =>
      (value: T) => {
        if (!this.#open.includes(asked)) return;
        this.#open = this.#open.filter((each) => each !== asked);
        answer(value);
        this.#changed();
      };
    const asked: OpenQuestion =
      question.kind === 'secret'
        ? { ...question, answer: answered(question.answer) }
        : { ...question, answer: answered(question.answer) };
    this.#open = [...this.#open, asked];
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export const useQuestion = (questions: Questions): OpenQuestion | undefined =>
  useSyncExternalStore(questions.subscribe, questions.current);
