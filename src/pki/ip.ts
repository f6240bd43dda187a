/** IP addresses as certificates carry them: 4 or 16 bytes. */
import { isIP, SocketAddress } from 'node:net';

/**
 * The bytes of an address; IPv4 written as IPv6 (`::ffff:10.0.0.1`) becomes its four bytes, as in Go's `net.IP.To4`.
 * @returns undefined for what is not an address (a zone as in `fe80::1%eth0` is no part of one)
 */
export function ipBytes(text: string): Buffer | undefined {
  const family = text.includes('%') ? 0 : isIP(text);
  if (family === 0) return undefined;
  if (family === 4) return Buffer.from(text.split('.').map(Number));
  // The last 32 bits may be written as IPv4.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  const bytes = Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
  return bytes.subarray(0, 12).equals(MAPPED) ? bytes.subarray(12) : bytes;
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** Text of 4 or 16 bytes, IPv6 in its shortest form; undefined for any other length. */
export function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  const hex = Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? [];
  return new SocketAddress({ address: hex.join(':'), family: 'ipv6' }).address;
}

/** One spelling for every way to write the same address, so that strings can be compared; other text comes back as it is. */
export function canonicalIp(text: string): string {
  const bytes = ipBytes(text);
  return (bytes && ipText(bytes)) ?? text;
}
