/**
 * Values changed inside a YAML text, with every other byte left as it is: alignment, blank lines and comments stay.
 * Pure. Does the changes that a run makes (a value replaced, a field added); anything else is left to a rewrite.
 */

import { isDeepStrictEqual } from 'node:util';
import { Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type YAMLMap } from 'yaml';

interface Edit {
  from: number;
  to: number;
  text: string;
}

const ONE_LINE = { lineWidth: 0 } as const;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns the new text, or undefined when the change is of another kind */
export function spliceYaml(text: string, wanted: unknown): string | undefined {
  const document = parseDocument(text, { schema: 'core', logLevel: 'silent' });
  const edits: Edit[] = [];
  if (document.errors.length > 0 || !collect(text, document.contents, document.toJS(), wanted, edits)) return undefined;
  // From the end, so that positions hold; of two at one place the earlier one comes first in the text.
  const ordered = edits.map((edit, index) => ({ ...edit, index })).sort((a, b) => b.from - a.from || b.index - a.index);
  return ordered.reduce((all, { from, to, text: put }) => all.slice(0, from) + put + all.slice(to), text);
}

/** Notes what has to be edited below a node. @returns false when it cannot be done in place */
function collect(text: string, node: unknown, before: unknown, after: unknown, edits: Edit[]): boolean {
  if (isDeepStrictEqual(before, after)) return true;
  if (isAlias(node)) return false;
  if (isScalar(node) && node.range && !node.type?.startsWith('BLOCK') && !isObject(after) && !Array.isArray(after)) {
    edits.push({ from: node.range[0], to: node.range[1], text: inFlow(after) });
    return node.range[1] > node.range[0];
  }
  if (isSeq(node) && Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return node.items.every((item, index) => collect(text, item, before[index], after[index], edits));
  return isMap(node) && isObject(before) && isObject(after) && collectMap(text, node, before, after, edits);
}

function collectMap(
  text: string,
  map: YAMLMap,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  edits: Edit[],
): boolean {
  if (Object.keys(before).some((key) => !(key in after))) return false;
  const kept = Object.keys(before).every((key) => collect(text, map.get(key, true), before[key], after[key], edits));
  const added = Object.entries(after).filter(([key]) => !(key in before));
  if (!kept || added.length === 0) return kept;
  const last = map.items.at(-1);
  const first = map.items[0]?.key;
  const end = last === undefined ? undefined : endOf((last.value ?? last.key) as Node);
  if (end === undefined || !isScalar(first) || !first.range) return false;
  if (map.flow) {
    const fields = added.map(([key, value]) => `, ${inFlow(key)}: ${inFlow(value)}`);
    edits.push({ from: end, to: end, text: fields.join('') });
    return true;
  }
  const indent = ' '.repeat(first.range[0] - (text.lastIndexOf('\n', first.range[0] - 1) + 1));
  const block = new Document(Object.fromEntries(added)).toString(ONE_LINE).replace(/^(?=.)/gm, indent);
  const newline = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end);
  edits.push(
    newline < 0
      ? { from: text.length, to: text.length, text: `\n${block}` }
      : { from: newline + 1, to: newline + 1, text: block },
  );
  return true;
}

/** Where a value ends, without the comment behind it. */
function endOf(node: Node | null | undefined): number | undefined {
  const last =
    isMap(node) && !node.flow
      ? (node.items.at(-1)?.value ?? node.items.at(-1)?.key)
      : isSeq(node) && !node.flow
        ? node.items.at(-1)
        : undefined;
  return last === undefined ? (node?.range?.[1] ?? undefined) : endOf(last as Node);
}

/** A value on one line, quoted where a comma, a bracket or its own look asks for it. */
const inFlow = (value: unknown): string => {
  const document = new Document([value]);
  if (isSeq(document.contents)) document.contents.flow = true;
  return document
    .toString({ ...ONE_LINE, flowCollectionPadding: false })
    .trim()
    .slice(1, -1);
};
