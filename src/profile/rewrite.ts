/** A profile's text with other values and the same comments. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { Document, isAlias, isCollection, isScalar, parseDocument } from 'yaml';
import { MAX_PROFILE_BYTES } from './read.ts';
import type { ProfileFile } from './schema.ts';
import { spliceYaml } from './splice.ts';

const STYLE = { lineWidth: 0, indentSeq: true } as const;
const HEADER = ` A profile of etcd-wizard: which hosts run etcd, and how. No secret belongs in here.
 See what would change: etcd-wizard plan NAME     Make it so: etcd-wizard replay NAME`;

/** A new profile's text. */
export function writeProfile(file: ProfileFile): string {
  const document = new Document(plain(file));
  document.commentBefore = HEADER.replace(/NAME/g, file.name);
  return document.toString(STYLE);
}

/**
 * @param text what stands there now
 * @param file what shall stand there
 * @returns the text with the new values. Where a value changed or a field came, every other byte stays; where something
 * went, comments and order stay and the spacing is made regular.
 */
export function rewriteProfile(text: string, file: ProfileFile): string {
  const document = parseDocument(text, { schema: 'core', logLevel: 'silent' });
  const wanted = plain(file);
  const spliced = spliceYaml(text, wanted);
  if (spliced !== undefined && reads(spliced, wanted)) return spliced;
  merge(document, [], document.toJS(), wanted);
  const rewritten = document.toString(STYLE);
  // Where aliases or an odd layout defeat the merge, the values count for more than the comments.
  return reads(rewritten, wanted) ? rewritten : writeProfile(file);
}

function reads(text: string, wanted: unknown): boolean {
  const document = parseDocument(text, { schema: 'core', logLevel: 'silent' });
  return document.errors.length === 0 && text.length < MAX_PROFILE_BYTES && isDeepStrictEqual(document.toJS(), wanted);
}

type Path = readonly (string | number)[];
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Without undefined fields and without anything shared, which would be written as aliases. */
const plain = (file: ProfileFile): unknown => JSON.parse(JSON.stringify(file));

function merge(document: Document, path: Path, before: unknown, after: unknown): void {
  if (isDeepStrictEqual(before, after)) return;
  const node = document.getIn(path, true);
  if (isCollection(node) && !isAlias(node) && isObject(before) && isObject(after)) {
    for (const key of Object.keys(before)) if (!(key in after)) document.deleteIn([...path, key]);
    for (const [key, value] of Object.entries(after)) merge(document, [...path, key], before[key], value);
  } else if (isCollection(node) && !isAlias(node) && Array.isArray(before) && Array.isArray(after)) {
    mergeList(document, path, before, after);
  } else if (isScalar(node) && !isObject(after) && !Array.isArray(after)) {
    // The scalar stays, and with it the comment at the end of its line; the value decides how it is quoted.
    node.value = after;
    node.source = undefined;
  } else {
    document.setIn(path, document.createNode(after));
  }
}

/** Members keep their comments when another one goes: items are known by their name as far as they have one. */
function mergeList(document: Document, path: Path, before: unknown[], after: unknown[]): void {
  const nameOf = (item: unknown) => (isObject(item) ? (item.name ?? item.commonName) : undefined);
  const kept = [...before];
  const names = new Set(after.map(nameOf));
  for (let index = kept.length - 1; index >= 0; index -= 1) {
    const name = nameOf(kept[index]);
    if (name !== undefined && !names.has(name)) {
      document.deleteIn([...path, index]);
      kept.splice(index, 1);
    }
  }
  for (let index = kept.length - 1; index >= after.length; index -= 1) document.deleteIn([...path, index]);
  after.forEach((item, index) => {
    if (index < kept.length) merge(document, [...path, index], kept[index], item);
    else document.addIn(path, document.createNode(item));
  });
}
