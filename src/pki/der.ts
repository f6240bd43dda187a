/**
 * Reads DER strictly and without copying: what node:crypto does not tell of a certificate (path length, key identifiers,
 * name constraints). Made for hostile input: definite lengths only, every length checked against what is there, and no recursion.
 */

export interface Der {
  /** First byte: class, constructed bit and number. */
  tag: number;
  content: Buffer;
  /** Tag, length and content. */
  raw: Buffer;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmp: 0x1e,
  universalString: 0x1c,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Bytes that are not the DER that was expected. */
class DerError extends Error {}

/** The elements that lie one after the other in `bytes`. @throws DerError */
export function elements(bytes: Buffer): Der[] {
  const found: Der[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = elementAt(bytes, offset);
    found.push(element);
    offset += element.raw.length;
  }
  return found;
}

/** The one element that `bytes` consists of. @throws DerError when it is cut off, followed by more, or of another kind */
export function single(bytes: Buffer, tag?: number): Der {
  const element = elementAt(bytes, 0);
  if (element.raw.length !== bytes.length) throw new DerError('more bytes after the end');
  if (tag !== undefined) expectTag(element, tag);
  return element;
}

/** @throws DerError when it is missing or of another kind */
export function expectTag(element: Der | undefined, tag: number): Der {
  if (element?.tag !== tag)
    throw new DerError(`tag ${element?.tag.toString(16) ?? 'none'} where ${tag.toString(16)} belongs`);
  return element;
}

function elementAt(bytes: Buffer, offset: number): Der {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new DerError('cut off');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // 0x80 is BER's indefinite length; four bytes say more than any file that is read here can hold.
  if (first === 0x80 || lengthBytes > 4 || offset + 2 + lengthBytes > bytes.length) throw new DerError('a bad length');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(offset + 2, lengthBytes);
  if (length < (lengthBytes <= 1 ? (lengthBytes === 0 ? 0 : 0x80) : 2 ** (8 * (lengthBytes - 1))))
    throw new DerError('a length that is not minimal');
  const start = offset + 2 + lengthBytes;
  if (start + length > bytes.length) throw new DerError('cut off');
  return { tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(offset, start + length) };
}

/** Dotted form of an object identifier. @throws DerError */
export function readOid(element: Der | undefined): string {
  const { content } = expectTag(element, TAG.oid);
  const last = content.at(-1);
  if (last === undefined || last >= 0x80 || content.length > 64) throw new DerError('a bad object identifier');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [head = 0n, ...rest] = arcs;
  const top = head < 80n ? head / 40n : 2n;
  return [top, head - top * 40n, ...rest].join('.');
}

/** A small non-negative number. @throws DerError */
export function readSmallInteger(element: Der | undefined): number {
  const { content } = expectTag(element, TAG.integer);
  if (content.length === 0 || content.length > 5 || (content[0] ?? 0) >= 0x80) throw new DerError('a bad number');
  return content.readUIntBE(0, content.length);
}

/** Text of any of the string kinds in a name; unknown kinds as hex. */
export function readText({ tag, content }: Der): string {
  if (tag === TAG.bmp && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le');
  if (tag === TAG.universalString && content.length % 4 === 0) {
    return Array.from({ length: content.length / 4 }, (_, index) => content.readUInt32BE(index * 4))
      .map((code) => (code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'))
      .join('');
  }
  if (tag === TAG.utf8) return content.toString('utf8');
  // Numeric, Printable, Teletex, IA5, Visible, General: a byte a character.
  if ([0x12, 0x13, 0x14, 0x16, 0x1a, 0x1b].includes(tag)) return content.toString('latin1');
  return `#${content.toString('hex')}`;
}

/** Epoch milliseconds of a UTCTime or GeneralizedTime as RFC 5280 has them (seconds given, zone Z). @throws DerError */
export function readTime(element: Der | undefined): number {
  if (element?.tag !== TAG.utcTime && element?.tag !== TAG.generalizedTime)
    throw new DerError('no time where one belongs');
  const text = element.content.toString('latin1');
  const full = element.tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(full);
  if (parts === null) throw new DerError('a bad time');
  const [, year, month, day, hour, minute, second] = parts;
  const moment = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(moment)) throw new DerError('a bad time');
  return moment;
}
