/** PEM in and out. Reading is one pass over the lines, forgiving about what surrounds the blocks and exact about the blocks. */
import { WizardError } from '../errors.ts';

export interface PemBlock {
  /** Such as `CERTIFICATE`, `PRIVATE KEY`. */
  label: string;
  der: Buffer;
}

/** More than any bundle of trusted certificates: a system's own holds about 150 in 250 kB. */
const MAX_BYTES = 1024 * 1024;
const MAX_BLOCKS = 1000;
const MARKER = /^-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----$/;

/**
 * Every block of a PEM text. CRLF, a byte-order mark, blanks at line ends and text around blocks are tolerated, as openssl does.
 * @throws WizardError `bad-input` saying what is there instead, or where the damage is
 */
export function readPem(text: string, what = 'certificate'): PemBlock[] {
  if (text.length > MAX_BYTES)
    throw bad(
      `This is too large for a ${what}: ${Math.ceil(text.length / 1024)} kB.`,
      `At most ${MAX_BYTES / 1024} kB are read.`,
    );
  if (text.trim() === '') throw bad(`The ${what} file is empty.`);
  const blocks: PemBlock[] = [];
  let open: { label: string; line: number; body: string[] } | undefined;
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.trim();
    const [, side, label = ''] = MARKER.exec(line) ?? [];
    if (side === undefined) {
      // Headers such as `Proc-Type: 4,ENCRYPTED` belong to old encrypted keys, which node:crypto reads itself.
      if (open && line !== '' && !/^[A-Za-z-]+: /.test(line)) open.body.push(line);
      continue;
    }
    if (side === 'BEGIN') {
      if (open)
        throw bad(
          `The ${open.label} that begins on line ${open.line} has no end.`,
          `Another block begins on line ${index + 1}: the file is cut off or was put together wrongly.`,
        );
      open = { label, line: index + 1, body: [] };
    } else {
      if (open?.label !== label)
        throw bad(
          `Line ${index + 1} ends a ${label} that was never begun.`,
          'The file is damaged or was put together wrongly.',
        );
      blocks.push({ label, der: decode(open.body.join(''), label, open.line) });
      open = undefined;
      if (blocks.length > MAX_BLOCKS) throw bad(`The file holds more than ${MAX_BLOCKS} PEM blocks.`);
    }
  }
  if (open) throw bad(`The ${open.label} that begins on line ${open.line} has no end.`, 'The file is cut off.');
  if (blocks.length === 0) throw noBlocks(text, what);
  return blocks;
}

/** The DER of every certificate in a text; other blocks beside them are passed over. @throws WizardError `bad-input` */
export function readCertificates(text: string): Buffer[] {
  const blocks = readPem(text);
  const certificates = blocks
    .filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE')
    .map(({ der }) => der);
  if (certificates.length > 0) return certificates;
  const label = blocks[0]?.label ?? '';
  if (label.endsWith('PRIVATE KEY'))
    throw bad('This is a private key, not a certificate.', 'The certificate and its key were probably swapped.');
  if (label.endsWith('CERTIFICATE REQUEST'))
    throw bad(
      'This is a certificate request, not a certificate.',
      'An authority must sign it first; use the certificate that the authority returned.',
    );
  if (label === 'TRUSTED CERTIFICATE') {
    throw bad('This is a certificate in openssl’s own «trusted» form, which etcd does not read.', undefined, [
      'Convert it:',
      'openssl x509 -in FILE -out FILE.pem',
    ]);
  }
  throw bad(`This holds no certificate but a ${label}.`);
}

/** @param label such as `CERTIFICATE` */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function decode(base64: string, label: string, line: number): Buffer {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) {
    throw bad(
      `The ${label} that begins on line ${line} is damaged.`,
      'What stands between its BEGIN and END is not base64: characters are missing or were changed.',
    );
  }
  return Buffer.from(base64, 'base64');
}

function noBlocks(text: string, what: string): WizardError {
  // The DER of a certificate or key begins 30 8x; read as text the second byte becomes U+FFFD, or U+0080 and up as latin1.
  if (/^0[\u0080-\u0084\ufffd]/.test(text)) {
    return bad(`This ${what} is in binary form (DER); etcd reads PEM.`, undefined, [
      'Convert it:',
      `openssl ${what === 'certificate' ? 'x509' : 'pkey'} -inform der -in FILE -out FILE.pem`,
    ]);
  }
  return bad(`This is not a ${what} in PEM form.`, 'There is no line «-----BEGIN …-----» in it.');
}

const bad = (what: string, why?: string, next?: string[]): WizardError =>
  new WizardError('bad-input', what, {
    ...(why === undefined ? {} : { why }),
    ...(next === undefined ? {} : { next }),
  });
