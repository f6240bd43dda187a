/** A profile's text, untrusted, read into a profile or into everything that is wrong with it, with line numbers. Pure. */
import { type Document, isAlias, isNode, LineCounter, type ParsedNode, parseDocument, visit } from 'yaml';
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { quote } from '../quote.ts';
import { migrate } from './migrate.ts';
import { type Profile, type ProfileFile, type ProfileProblem, parseProfile } from './schema.ts';

/** No profile needs more: 99 hosts with everything set are about 60 kB. */
export const MAX_PROFILE_BYTES = 1_000_000;
/** What aliases may expand to, so that a few lines cannot fill the memory («billion laughs»). */
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;
/** Fields that look like a secret's place: what stands there is never shown. */
const SECRET_FIELD = /pass(word|phrase|wd)?$|secret|credential|private|(^|[._-])(vault)?token$|secretId|apiKey/i;

export interface ReadProfile {
  profile: Profile;
  /** As written, migrated to today's version, without defaults. */
  file: ProfileFile;
  text: string;
}

export interface LocatedProblem extends ProfileProblem {
  /** Line in the file, from 1; the parent's for a field that is missing. */
  line?: number;
}

export type CheckedProfile = { ok: true; read: ReadProfile } | { ok: false; problems: LocatedProblem[] };

/**
 * @param source the file as people know it, for errors
 * @throws WizardError `bad-profile` for what is not YAML at all, or a newer version's profile
 */
export function checkProfile(text: string, source: string): CheckedProfile {
  const { document, lines } = parseYaml(text, source);
  const file = migrate(toValue(document, source));
  const result = parseProfile(file);
  if (result.ok) return { ok: true, read: { profile: result.profile, file: file as ProfileFile, text } };
  const problems = result.problems.map((problem) => ({ ...problem, ...lineOf(document, lines, problem.path) }));
  return { ok: false, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
}

/** Like {@link checkProfile}, with every problem in one error. @throws WizardError `bad-profile` */
export function readProfile(text: string, source: string): ReadProfile {
  const checked = checkProfile(text, source);
  if (checked.ok) return checked.read;
  throw problemsError(checked.problems, source);
}

function problemsError(problems: readonly LocatedProblem[], source: string): WizardError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new WizardError('bad-profile', `${cleanLine(source)} has ${count}.`, {
    why: problems.map(problemLine).join('\n'),
    next: ['Correct it, then check it again:', `etcd-wizard profile validate ${quote(cleanLine(source))}`],
  });
}

/** `hosts[1].address (line 7) is «10.0.11»: expected an IPv4 or IPv6 address such as 10.0.11.1` */
export function problemLine({ field, line, value, expected }: LocatedProblem): string {
  const where = `${shorten(cleanLine(field), 80)}${line === undefined ? '' : ` (line ${line})`}`;
  return `${where} ${value === undefined ? 'is missing' : `is ${shownValue(field, value)}`}: expected ${expected}`;
}

/** A value for an error: one line, at most 60 characters, never a secret. */
export function shownValue(field: string, value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  if (SECRET_FIELD.test(field) && field !== 'etcd.token') return '(not shown; a profile holds no secrets)';
  if (/-----BEGIN|\b(hvs|s|b)\.[A-Za-z0-9_-]{20,}/.test(text)) return '(not shown; it looks like a secret)';
  return typeof value === 'string' ? `«${shorten(cleanLine(text), 60)}»` : shorten(cleanLine(text), 60);
}

const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** YAML 1.2 core schema, nothing else: no custom tags, no duplicate keys, one document. @throws WizardError `bad-profile` */
function parseYaml(text: string, source: string): { document: Document.Parsed<ParsedNode>; lines: LineCounter } {
  const fail = (what: string, why: string): never => {
    throw new WizardError('bad-profile', `${cleanLine(source)} ${what}.`, {
      why,
      next: [`Look at the file: less ${quote(cleanLine(source))}`],
    });
  };
  if (Buffer.byteLength(text) > MAX_PROFILE_BYTES)
    fail('is too big for a profile', `It has more than ${MAX_PROFILE_BYTES / 1000} kB.`);
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const binary = text.search(/[\0\ufffd]/);
  if (binary >= 0) {
    const before = text.slice(0, binary).split('\n');
    fail(
      'is not a text file',
      `Line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1} holds bytes that are not UTF-8 text.`,
    );
  }
  const document = parsed(text, lines, (why) => fail('cannot be read', why));
  const [error] = [...document.errors, ...document.warnings];
  if (error) fail('is not valid YAML', `${at(error.pos[0])}: ${cleanLine(error.message.split(' at line ')[0] ?? '')}`);
  if (document.contents === null) fail('is empty', 'A profile needs at least schemaVersion, name and hosts.');
  visit(document, (_key, node, path) => {
    if (path.length <= MAX_DEPTH * 2) return undefined;
    return fail('is nested too deeply', isNode(node) && node.range ? at(node.range[0]) : 'It is not a profile.');
  });
  return { document, lines };
}

function parsed(text: string, lineCounter: LineCounter, fail: (why: string) => never): Document.Parsed<ParsedNode> {
  try {
    return parseDocument(text, {
      lineCounter,
      schema: 'core',
      merge: false,
      uniqueKeys: true,
      prettyErrors: true,
      // «silent» would also accept a second document.
      logLevel: 'error',
    });
  } catch (error) {
    // The parser recurses: thousands of brackets end in a stack overflow, which is caught here and nowhere else.
    if (error instanceof RangeError) return fail('It is nested too deeply.');
    throw error;
  }
}

function toValue(document: Document.Parsed<ParsedNode>, source: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // yaml throws a ReferenceError when aliases expand to more than was allowed.
    throw new WizardError('bad-profile', `${cleanLine(source)} cannot be read.`, {
      why: `Its aliases (*name) cannot be resolved: ${cleanLine(error instanceof Error ? error.message : String(error))}`,
      next: ['Write the repeated parts out.'],
      cause: error,
    });
  }
}

/** The line of a field, else of the nearest field above it that is there. */
function lineOf(
  document: Document.Parsed<ParsedNode>,
  lines: LineCounter,
  path: readonly (string | number)[],
): { line?: number } {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isAlias(node)) continue;
    if (isNode(node) && node.range) return { line: lines.linePos(node.range[0]).line };
  }
  return {};
}
