/**
 * The contract between the table of questions and its readers (Ink, plain lines): text goes in, a message or a patch of
 * the answers comes out. Pure data and pure functions; no Ink, no file, no clock.
 *
 * `questions.ts` holds the table, `reducer.ts` the state machine, `hosts.ts` the host lines, `review.ts` what the review
 * shows. A front-end draws `questionOf(state)` by its `kind` and dispatches {@link WizardAction}s; it knows no question by name.
 */
import type { ProfileFile } from '../profile/schema.ts';

export type StepId = 'cluster' | 'hosts' | 'names' | 'certificates' | 'install' | 'review';

export interface Step {
  id: StepId;
  /** A word or two, for the row of steps. */
  title: string;
}

/** A host as the person gave it. */
export interface HostAnswer {
  name: string;
  /** IP that etcd listens on. */
  address: string;
  dnsNames: string[];
  zone?: string;
  ssh: { host?: string; user?: string; port?: number; identityFile?: string; jump?: string };
}

/** Everything the wizard can ask for; a key is there once it is answered. */
export interface Answers {
  name?: string;
  topology?: 'external' | 'stacked';
  hosts?: HostAnswer[];
  addressing?: 'ip' | 'dns';
  caSource?: 'self-signed' | 'existing' | 'vault';
  /** usual: the defaults of the certificate questions; own: ask them one by one. */
  certificates?: 'usual' | 'own';
  keyAlgorithm?: NonNullable<NonNullable<ProfileFile['certificates']>['keyAlgorithm']>;
  validityDays?: number;
  /** Common names of client certificates. */
  clients?: string[];
  extraSans?: string[];
  install?: 'auto' | 'present' | 'package' | 'archive';
}

export type QuestionId = keyof Answers | 'names' | 'review';

/**
 * text, number, list: one line (list: separated by spaces or commas). choice: one of `choices`.
 * hosts: the host list, edited with addHosts/editHost/removeHost/moveHost. names: DNS names, one field a host (editHost).
 * review: all answers, each with an edit; accepting it ends the wizard.
 */
export type QuestionKind = 'text' | 'number' | 'list' | 'choice' | 'hosts' | 'names' | 'review';

export interface Choice {
  value: string;
  label: string;
  /** What it means, a sentence or two. */
  detail: string;
}

export interface Question {
  id: QuestionId;
  step: StepId;
  kind: QuestionKind;
  /** The question as it is asked. */
  title: string;
  /** Two or three words for the review («Key algorithm»). */
  label: string;
  /** A paragraph that a beginner understands: why this is asked and what depends on it. */
  why: string;
  /** The default and its reason, or how to type the answer; one line. */
  hint(answers: Answers): string;
  /** For `choice`: what can be chosen now; the first is not necessarily the default. */
  choices?(answers: Answers): Choice[];
  /** False: not asked with these answers. A choice with a single possibility is never asked. */
  when(answers: Answers): boolean;
  /** The text that stands in the field at first; one that can be accepted where that is possible. */
  default(answers: Answers, context: WizardContext): string;
  /** A sentence that says what is wrong with the text, while typing; undefined when it can be accepted. */
  validate(text: string, answers: Answers, context: WizardContext): string | undefined;
  /** The answers that an accepted text means. Only called when `validate` has nothing to say. */
  parse(text: string, answers: Answers): Partial<Answers>;
  /** The present answer as text; '' while unanswered. For the field when coming back, and for the review. */
  show(answers: Answers): string;
}

/** What the wizard is told of the world outside once, at its start. */
export interface WizardContext {
  /** Names of saved profiles: a new cluster may not take one. */
  takenNames: readonly string[];
}

export interface WizardState {
  context: WizardContext;
  answers: Answers;
  current: QuestionId;
  /** Questions that were accepted once, in the table's order. */
  answered: QuestionId[];
  /** Text being typed, by question: survives back and forth, and errors. */
  typed: Partial<Record<QuestionId, string>>;
  /** Shown beside the field: why `next` or a host action was refused. Cleared by the next change. */
  error?: string;
  /** Set while one answer is edited from the review: `next` and `back` return there. */
  editing: boolean;
  status: 'asking' | 'done' | 'cancelled';
}

export type WizardAction =
  /** The text in the field of the present question (or of `id`). */
  | { type: 'type'; text: string; id?: QuestionId }
  /** Accept the present question: `text`, else what is typed, else the default. On an error the state only gains `error`. */
  | { type: 'next'; text?: string }
  | { type: 'back' }
  /** Jump to a question from the review. */
  | { type: 'edit'; id: QuestionId }
  /** Host lines, one or a pasted list; the typed text is cleared when all were taken, else what failed stays typed. */
  | { type: 'addHosts'; text: string }
  | { type: 'editHost'; index: number; field: HostField; text: string }
  | { type: 'removeHost'; index: number }
  /** by: -1 up, 1 down. */
  | { type: 'moveHost'; index: number; by: -1 | 1 }
  | { type: 'cancel' };

/** What can be edited in a host's row; `dnsNames` separated by spaces or commas, `ssh` as `user@host:port`. */
export type HostField = 'name' | 'address' | 'dnsNames' | 'zone' | 'ssh';

/** One line of the review. */
export interface ReviewRow {
  id: QuestionId;
  label: string;
  value: string;
  /** False for what is decided by itself (one possibility): shown, not editable. */
  editable: boolean;
}

/** One host's certificate names, for the table before anything is issued. */
export interface SanRow {
  host: string;
  server: string[];
  peer: string[];
}

/** A remark on the answers as a whole, for the review (even member count, one zone holds the quorum). */
export interface Remark {
  severity: 'warn' | 'note';
  text: string;
}

/** An unfinished wizard, as the store keeps it. */
export interface WizardDraft {
  /** Of the draft's shape; a draft of another version is not offered. */
  version: 1;
  answers: Answers;
  answered: QuestionId[];
  typed: Partial<Record<QuestionId, string>>;
  current: QuestionId;
}
