/**
 * Every failure a person can meet: what happened, why, and what to do next.
 * The exit code follows from the kind, in one table, so that scripts can rely on it.
 */

/** Exit codes of the command; documented in the README. */
export const EXIT = {
  ok: 0,
  failed: 1,
  changes: 2,
  degraded: 3,
  partly: 4,
  findings: 5,
  unknown: 6,
  usage: 64,
  badInput: 65,
  interrupted: 130,
} as const;

export type ErrorCode = keyof typeof CODES;

/** One row a kind of failure: the exit code that it ends the command with. */
const CODES = {
  usage: EXIT.usage,
  'no-terminal': EXIT.usage,
  'bad-profile': EXIT.badInput,
  'bad-input': EXIT.badInput,
  'no-such-profile': EXIT.badInput,
  interrupted: EXIT.interrupted,
  'partly-applied': EXIT.partly,
  'not-looked': EXIT.unknown,
  preflight: EXIT.failed,
  connect: EXIT.failed,
  'host-key-unknown': EXIT.failed,
  'host-key-changed': EXIT.failed,
  'host-key-revoked': EXIT.failed,
  authentication: EXIT.failed,
  privilege: EXIT.failed,
  timeout: EXIT.failed,
  remote: EXIT.failed,
  locked: EXIT.failed,
  state: EXIT.failed,
  pki: EXIT.failed,
  install: EXIT.failed,
  start: EXIT.failed,
  quorum: EXIT.failed,
  proof: EXIT.failed,
  unsupported: EXIT.failed,
  bug: EXIT.failed,
} as const;

export interface ErrorDetails {
  /** Member name of the host concerned. */
  host?: string;
  /** What was being done, in words («installing files»). */
  step?: string;
  /** The cause, in one or a few sentences. */
  why?: string;
  /** What to do next, a line each; commands stand on a line of their own. */
  next?: string[];
  /** Lines of evidence (log tails); raw, cleaned when shown. */
  evidence?: string[];
  /** Something had been changed before it ended; `partly-applied` says so by itself. */
  partial?: boolean;
  cause?: unknown;
}

/** The one error class: a kind (`code`), what, why, next. Never holds a secret. */
export class WizardError extends Error {
  readonly code: ErrorCode;
  readonly host: string | undefined;
  readonly step: string | undefined;
  readonly why: string | undefined;
  readonly next: readonly string[];
  readonly evidence: readonly string[];
  readonly partial: boolean;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'WizardError';
    this.code = code;
    this.host = details.host;
    this.step = details.step;
    this.why = details.why;
    this.next = details.next ?? [];
    this.evidence = details.evidence ?? [];
    this.partial = details.partial ?? code === 'partly-applied';
  }

  get exitCode(): number {
    return CODES[this.code];
  }

  /** The shape that `--json` prints. */
  toJSON(): Record<string, unknown> {
    const { code, host, step, why, next, evidence } = this;
    return {
      error: {
        code,
        what: this.message,
        why,
        host,
        step,
        next,
        evidence,
        partial: this.partial || undefined,
      },
    };
  }
}

/** Anything thrown, as a WizardError; what is not one already is a bug of ours and says so. */
export function asWizardError(thrown: unknown): WizardError {
  if (thrown instanceof WizardError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new WizardError('bug', `Something unexpected went wrong: ${error.message}`, {
    why: 'This is a defect of etcd-wizard, not of your hosts.',
    next: ['Run it again with --verbose and report what it prints.'],
    cause: error,
  });
}
