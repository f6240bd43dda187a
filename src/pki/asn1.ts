/**
 * Writes ASN.1 as DER: short names over node-forge's writer. Nothing secret passes here in the clear, since forge keeps
 * bytes in immutable strings that cannot be wiped; keys are made, used and encrypted by node:crypto alone.
 */
import type { asn1 } from 'node-forge';
import forge from 'node-forge/lib/asn1.js';

export type Asn1 = asn1.Asn1;

const { UNIVERSAL, CONTEXT_SPECIFIC } = forge.Class;
const { Type } = forge;

/** forge's byte strings: one character a byte. */
const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const universal = (type: asn1.Type, value: string): Asn1 => forge.create(UNIVERSAL, type, false, value);

export const sequence = (...items: Asn1[]): Asn1 => forge.create(UNIVERSAL, Type.SEQUENCE, true, items);
export const setOf = (...items: Asn1[]): Asn1 => forge.create(UNIVERSAL, Type.SET, true, items);
export const oid = (dotted: string): Asn1 => universal(Type.OID, forge.oidToDer(dotted).getBytes());
export const nothing = (): Asn1 => universal(Type.NULL, '');
export const boolean = (value: boolean): Asn1 => universal(Type.BOOLEAN, value ? '\xff' : '\0');
export const integer = (value: number): Asn1 => universal(Type.INTEGER, forge.integerToDer(value).getBytes());
/** @param bytes two's complement, big-endian */
export const bigInteger = (bytes: Uint8Array): Asn1 => universal(Type.INTEGER, binary(bytes));
export const octets = (bytes: Uint8Array): Asn1 => universal(Type.OCTETSTRING, binary(bytes));
export const utf8 = (text: string): Asn1 => universal(Type.UTF8, binary(Buffer.from(text, 'utf8')));
/** UTF-16 code units; forge itself widens them to two bytes each. */
export const bmp = (text: string): Asn1 => universal(Type.BMPSTRING, text);

/** @param unusedBits how many of the last byte's low bits do not count */
export const bits = (bytes: Uint8Array, unusedBits = 0): Asn1 =>
  universal(Type.BITSTRING, binary(Uint8Array.of(unusedBits, ...bytes)));

/** `[number]` with bytes inside (implicit tagging of a primitive). */
export const tagged = (number: number, bytes: Uint8Array): Asn1 =>
  forge.create(CONTEXT_SPECIFIC, number, false, binary(bytes));
/** `[number]` around other elements. */
export const wrapped = (number: number, ...items: Asn1[]): Asn1 => forge.create(CONTEXT_SPECIFIC, number, true, items);

/** An element that is already DER, copied byte for byte: its tag goes where the type belongs. */
export function element(tag: number, content: Uint8Array): Asn1 {
  return forge.create(UNIVERSAL, tag as asn1.Type, false, binary(content));
}

/**
 * Time in whole seconds: UTCTime through 2049, GeneralizedTime from 2050 on.
 * @param moment epoch milliseconds
 * @see RFC 5280, 4.1.2.5
 */
export function time(moment: number): Asn1 {
  const digits = new Date(moment).toISOString().replace(/\.\d+Z$|[-:T]/g, '');
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? universal(Type.UTCTIME, `${digits.slice(2)}Z`)
    : universal(Type.GENERALIZEDTIME, `${digits}Z`);
}

export const toDer = (node: Asn1): Buffer => Buffer.from(forge.toDer(node).getBytes(), 'latin1');
