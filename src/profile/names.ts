/** What names look like, for the schema and for the wizard alike; apart from the schema so that screens need no zod. */
import { isIP } from 'node:net';

/** A profile's and cluster's name. */
export const PROFILE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** An etcd member's name. */
export const MEMBER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** A login on a host; what begins with a dash could be read as an option. */
export const LOGIN_NAME = /^[A-Za-z_][A-Za-z0-9_.@-]*\$?$/;
/** A client certificate's common name, which is also the user of etcd's own user management. */
export const CLIENT_NAME = /^[A-Za-z0-9]([A-Za-z0-9._:@-]{0,62}[A-Za-z0-9])?$/;

/** RFC 1123, with the underscore that some home networks use. */
const DNS_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

export const isDnsName = (text: string): boolean =>
  text.length <= 253 &&
  isIP(text) === 0 &&
  !/^[\d.]+$/.test(text) &&
  text.split('.').every((label) => DNS_LABEL.test(label));

/** What a certificate may be for: a DNS name, one wildcard label in front allowed, or an address. */
export const isCertificateName = (text: string): boolean => isIP(text) !== 0 || isDnsName(text.replace(/^\*\./, ''));

/** 0.0.0.0 and ::, in any spelling: every address, and so nobody's. */
export const isUnspecified = (address: string): boolean => /^(0+\.){3}0+$|^(0*:)+0*$/.test(address);
