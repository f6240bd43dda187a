/** Kinds of fields that a profile is made of: each says what it expects. Pure. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isHostile } from '../clean.ts';
import { isCertificateName, isDnsName, isUnspecified, MEMBER_NAME } from './names.ts';

/** Folders whose whole content belongs to the system: never a place for keys or data. */
const SYSTEM_FOLDERS = new Set(
  '/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var /var/lib /var/log /var/run /etc/ssl /etc/ssh /etc/systemd /etc/init.d /usr/bin /usr/lib /usr/local /usr/local/bin /usr/share'.split(
    ' ',
  ),
);

export const line = (expected: string) =>
  z
    .string({ error: expected })
    .min(1, expected)
    .max(1024, expected)
    .refine((text) => !isHostile(text), `${expected}, without control or invisible characters`);

/** What could be read as an option by ssh must not begin with a dash. */
export const noDash = (expected: string) =>
  line(expected).refine((text) => !text.startsWith('-'), `${expected}, not beginning with «-»`);

export const dnsName = line('a DNS name such as pi1.home').refine(isDnsName, 'a DNS name such as pi1.home');
export const certificateName = line('a DNS name (a wildcard such as *.home is allowed) or an IP address').refine(
  isCertificateName,
  'a DNS name (a wildcard such as *.home is allowed) or an IP address',
);
export const ipAddress = line('an IPv4 or IPv6 address such as 10.0.11.1').refine(
  (text) => isIP(text) !== 0 && !text.includes('%') && !isUnspecified(text),
  'an IPv4 or IPv6 address such as 10.0.11.1',
);
export const hostOrIp = noDash('a host name or an address').refine(
  (text) => isIP(text) !== 0 || /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text),
  'a host name or an address',
);
export const port = z
  .int({ error: 'a port between 1 and 65535' })
  .min(1, 'a port between 1 and 65535')
  .max(65535, 'a port between 1 and 65535');
const folderExpected = 'an absolute folder without «..», «//» or a trailing slash, and not one of the system’s own';
export const folder = line(folderExpected).refine(
  (path) =>
    path.startsWith('/') &&
    /^[A-Za-z0-9/_.@+-]+$/.test(path) &&
    path
      .split('/')
      .slice(1)
      .every((part) => part !== '' && part !== '.' && part !== '..') &&
    !SYSTEM_FOLDERS.has(path),
  folderExpected,
);
export const memberName = z
  .string({ error: 'a member name: letters, digits, «-», «_» and «.»' })
  .regex(MEMBER_NAME, 'a member name of at most 63 letters, digits, «-», «_» and «.»');
export const httpUrl = (expected: string) =>
  line(expected).refine((text) => {
    try {
      const url = new URL(text);
      return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
    } catch {
      return false;
    }
  }, expected);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 sum: 64 hexadecimal digits');
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });
