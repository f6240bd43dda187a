/** The table of chains, good and bad, and what its rows are made of. */
import { OID } from '../../src/pki/oids.ts';
import type { VerifyCode } from '../../src/pki/problems.ts';
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
} from '../../src/pki/structure.ts';
import type { VerifyInput } from '../../src/pki/verify.ts';
import { authority, type Made, make, NOW, type Shape } from './support.ts';

export interface Case {
  title: string;
  input: VerifyInput;
  /** Codes of the problems, in order; none for a chain that is right. */
  codes: VerifyCode[];
}

export const both = extendedKeyUsage(OID.serverAuth, OID.clientAuth);
export const san = subjectAltName(['pi1.home', '*.az1.home', 'Upper.Home'], ['10.0.11.1', '2001:db8::1']);
export const leafParts = [basicConstraints(false), keyUsage('digitalSignature'), both, san];

export const root = await make({ name: 'root', extensions: authority() });
export const stranger = await make({ name: 'stranger', extensions: authority() });

export const signed = (changes: Partial<Shape> = {}) =>
  make({ name: 'pi1', issuer: root, extensions: leafParts, ...changes });
export const leaf = await signed();

export const cases: Case[] = [];
export const add = (title: string, certificate: Made | string, codes: VerifyCode[], more: Partial<VerifyInput> = {}) =>
  cases.push({
    title,
    codes,
    input: {
      leaf: typeof certificate === 'string' ? certificate : certificate.pem,
      roots: root.pem,
      purpose: 'server',
      now: NOW,
      ...more,
    },
  });

/** The root's own name and key with other extensions. */
export const asCa = (extensions: Extension[]) => make({ name: 'root', sameKeyAs: root, extensions });
