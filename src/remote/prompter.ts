/** Puts the questions of many parallel connections to one person: one at a time, each secret once. */
import { WizardError } from '../errors.ts';
import type { ConnectQuestions } from './transport.ts';

type SecretQuestion = Omit<Parameters<ConnectQuestions['secret']>[0], 'retry'>;
type HostKeyQuestion = Parameters<ConnectQuestions['acceptHostKey']>[0];

export class Prompter {
  readonly #questions: ConnectQuestions;
  /** Secrets by question id, in memory only; null: nobody wanted to answer, so it is not asked again. */
  readonly #secrets = new Map<string, string | null>();
  #last: Promise<unknown> = Promise.resolve();

  readonly #signal: AbortSignal | undefined;

  /** @param signal once aborted, nobody is asked any more */
  constructor(questions: ConnectQuestions, signal?: AbortSignal) {
    this.#questions = questions;
    this.#signal = signal;
  }

  acceptHostKey(key: HostKeyQuestion): Promise<boolean> {
    return this.#inTurn(() => this.#questions.acceptHostKey(key));
  }

  /**
   * The secret of that id, asked for only when it is not known yet.
   * @param wrong the answer that was tried in vain: it is asked for again, unless another connection already did.
   * @returns undefined when nobody answers, or the same wrong thing again (a file, say): that is not worth a lock-out
   */
  secret(question: SecretQuestion, wrong?: string): Promise<string | undefined> {
    return this.#inTurn(async () => {
      const known = this.#secrets.get(question.id);
      if (known !== undefined && known !== wrong) return known ?? undefined;
      const given = await this.#questions.secret({ ...question, retry: wrong !== undefined });
      const answer = given === wrong ? undefined : given;
      this.#secrets.set(question.id, answer ?? null);
      return answer;
    });
  }

  /** A one-time code or the like: asked in turn, never kept. */
  oneTimeSecret(question: SecretQuestion, retry: boolean): Promise<string | undefined> {
    return this.#inTurn(() => this.#questions.secret({ ...question, retry }));
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const unlessOver = () => {
      if (this.#signal?.aborted) throw new WizardError('interrupted', 'Interrupted.');
      return ask();
    };
    const turn = this.#last.then(unlessOver, unlessOver);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
