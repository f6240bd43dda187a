/** Distinguished names, read. */
import { elements, expectTag, readOid, readText, single, TAG } from './der.ts';
import { ATTRIBUTE_NAMES } from './oids.ts';

interface Attribute {
  id: string;
  text: string;
}

const attributes = (rawName: Buffer): Attribute[] =>
  elements(single(rawName, TAG.sequence).content).flatMap((set) =>
    elements(expectTag(set, TAG.set).content).map((pair) => {
      const [id, value] = elements(expectTag(pair, TAG.sequence).content);
      return { id: readOid(id), text: value ? readText(value) : '' };
    }),
  );

/** The last of several, as Go's pkix.Name has it. */
export const attributeOf = (rawName: Buffer, id: string): string | undefined =>
  attributes(rawName).findLast((attribute) => attribute.id === id)?.text;

/** `O=system:masters, CN=root`, in the order of the certificate; separators inside a value are escaped. Raw text: clean it before it is shown. */
export const nameText = (rawName: Buffer): string =>
  attributes(rawName)
    .map(({ id, text }) => `${ATTRIBUTE_NAMES[id] ?? id}=${text.replace(/[,+"\\<>;=]/g, '\\$&')}`)
    .join(', ');
