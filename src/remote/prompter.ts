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
  /** What worked for a person, and on which host. */
  readonly #worked = new Map<string, { secret: string; host: string }>();
  readonly #searches = new Map<string, Promise<unknown>>();

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
   * @param person whose secret it is: one that worked for them elsewhere is offered, and Enter takes it. It is never tried
   *   unasked: that would tell this host another one's password, and a wrong guess counts towards locking the account.
   * @returns undefined when nobody answers, or the same wrong thing again (a file, say): that is not worth a lock-out
   */
  secret(question: SecretQuestion, wrong?: string, person?: string): Promise<string | undefined> {
    return this.#inTurn(async () => {
      const known = this.#secrets.get(question.id);
      if (known !== undefined && known !== wrong) return known ?? undefined;
      const retry = wrong !== undefined;
      const offer = person === undefined || retry ? undefined : this.#worked.get(person);
      const offered = offer && { prompt: `${question.prompt} (Enter: the same as on ${offer.host})`, mayBeEmpty: true };
      const typed = await this.#questions.secret({ ...question, retry, ...offered });
      const given = typed === '' ? offer?.secret : typed;
      const answer = given === wrong ? undefined : given;
      this.#secrets.set(question.id, answer ?? null);
      return answer;
    });
  }

  /** Remembers what worked, to be offered for that person's other hosts. */
  worked(person: string, host: string, secret: string): void {
    this.#worked.set(person, { secret, host });
  }

  /** One search for a person's secret after the other, so that the second host can be offered what worked on the first. */
  oneByOne<T>(person: string, search: () => Promise<T>): Promise<T> {
    const turn = (this.#searches.get(person) ?? Promise.resolve()).then(search, search);
    this.#searches.set(
      person,
      turn.catch(() => undefined),
    );
    return turn;
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
