/** What to look at, from etcdctl's flags and environment: the same names and the same meaning as etcdctl gives them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { rootCertificates } from 'node:tls';
import { cleanLine } from '../clean.ts';
import { WizardError } from '../errors.ts';
import { quote } from '../quote.ts';
import { codeOf } from './failure.ts';
import type { Endpoint, TlsCredentials } from './types.ts';

/** Values of the flags; what is absent comes from the environment. */
export interface TargetFlags {
  endpoints?: string;
  cacert?: string;
  cert?: string;
  key?: string;
}

export interface Target {
  endpoints: Endpoint[];
  credentials: TlsCredentials;
}

/** Where Debian, Alpine and Fedora keep the system's trust anchors; Node's own list lacks what was added there. */
const SYSTEM_ANCHORS = ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/cert.pem', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * @param environment read for ETCDCTL_ENDPOINTS, _CACERT, _CERT and _KEY
 * @throws WizardError `usage` for endpoints, `bad-input` for files
 */
export async function readTarget(
  flags: TargetFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Target> {
  const given = {
    endpoints: flags.endpoints ?? environment.ETCDCTL_ENDPOINTS,
    cacert: flags.cacert ?? environment.ETCDCTL_CACERT,
    cert: flags.cert ?? environment.ETCDCTL_CERT,
    key: flags.key ?? environment.ETCDCTL_KEY,
  };
  const secure = [given.cacert, given.cert, given.key].some((path) => path !== undefined && path !== '');
  return {
    endpoints: parseEndpoints(given.endpoints || '127.0.0.1:2379', secure),
    credentials: await readCredentials(given),
  };
}

/**
 * Comma-separated, each with or without scheme. As with etcdctl one without a scheme is https when certificates are given.
 * @throws WizardError `usage`
 */
export function parseEndpoints(text: string, secure: boolean): Endpoint[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const endpoints = parts.map((part) => {
    const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(part) ? part : `${secure ? 'https' : 'http'}://${part}`;
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (
      parsed === undefined ||
      !/^https?:$/.test(parsed.protocol) ||
      parsed.hostname === '' ||
      !/^\/?$/.test(parsed.pathname) ||
      parsed.username ||
      parsed.search ||
      parsed.hash
    ) {
      throw new WizardError('usage', `«${cleanLine(part)}» is no endpoint.`, {
        why: 'An endpoint is a host and a port, or an http(s) URL of them.',
        next: ['etcd-wizard health --endpoints https://10.0.11.1:2379,https://10.0.21.1:2379'],
      });
    }
    // etcdctl takes the scheme's port as it stands; without one nobody means 443.
    const port = parsed.port || (/:(80|443)\/?$/.test(part) ? (/:(\d+)\/?$/.exec(part)?.[1] ?? '') : '2379');
    return { name: `${parsed.hostname}:${port}`, url: `${parsed.protocol}//${parsed.hostname}:${port}` };
  });
  if (endpoints.length === 0)
    throw new WizardError('usage', 'No endpoint was given.', {
      next: ['etcd-wizard health --endpoints https://10.0.11.1:2379'],
    });
  return endpoints.filter((endpoint, index) => endpoints.findIndex(({ url }) => url === endpoint.url) === index);
}

/**
 * Reads and checks the files of a client: what is wrong with them is said before anything is dialled.
 * @throws WizardError `bad-input`
 */
async function readCredentials({
  cacert,
  cert,
  key,
}: Pick<TargetFlags, 'cacert' | 'cert' | 'key'>): Promise<TlsCredentials> {
  if (Boolean(cert) !== Boolean(key)) {
    throw new WizardError(
      'usage',
      cert ? 'A client certificate was given without its key.' : 'A key was given without its client certificate.',
      { next: ['Give both --cert and --key, or neither.'] },
    );
  }
  const caPem = cacert ? await readPem(cacert, '--cacert', 'CERTIFICATE') : await systemAnchors();
  if (cacert) readCertificates(caPem, cacert);
  if (!cert || !key) return { caPem };
  const [certPem, keyPem] = await Promise.all([
    readPem(cert, '--cert', 'CERTIFICATE'),
    readPem(key, '--key', 'PRIVATE KEY'),
  ]);
  const leaf = readCertificates(certPem, cert)[0];
  if (leaf && !leaf.checkPrivateKey(readKey(keyPem, key))) {
    throw new WizardError(
      'bad-input',
      `The key ${cleanLine(key)} does not belong to the certificate ${cleanLine(cert)}.`,
      {
        why: 'They must have been made together; one of the two files is another one’s.',
        next: [
          'Their public keys differ; look for the pair that agrees:',
          `openssl x509 -in ${quote(cert)} -noout -pubkey`,
          `openssl pkey -in ${quote(key)} -pubout`,
        ],
      },
    );
  }
  return { caPem, certPem, keyPem };
}

async function readPem(path: string, flag: string, kind: 'CERTIFICATE' | 'PRIVATE KEY'): Promise<string> {
  const shown = cleanLine(path);
  let text: string;
  try {
    text = await readFile(path, 'latin1');
  } catch (error) {
    const code = codeOf(error);
    const why =
      code === 'ENOENT'
        ? 'There is no such file.'
        : code === 'EACCES'
          ? 'This user may not read it.'
          : code === 'EISDIR'
            ? 'It is a folder.'
            : `The system says ${code || String(error)}.`;
    throw new WizardError('bad-input', `${flag} ${shown} cannot be read.`, {
      why,
      next: [
        `Correct ${flag}; what is there:`,
        code === 'EACCES' ? `sudo ls -l ${quote(path)}` : `ls -l ${quote(dirname(path))}`,
      ],
      cause: error,
    });
  }
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map((match) => match[1] ?? '');
  if (
    !blocks.some((block) =>
      kind === 'CERTIFICATE' ? /^(X509 |TRUSTED )?CERTIFICATE$/.test(block) : block.endsWith(kind),
    )
  ) {
    const wanted = kind === 'CERTIFICATE' ? 'a certificate' : 'a private key';
    const why =
      blocks.length > 0
        ? `It holds ${blocks.join(', ')} instead of ${wanted}.`
        : text.charCodeAt(0) === 0x30
          ? `It is binary (DER or PKCS#12), but ${wanted} in PEM is needed: text that begins with -----BEGIN.`
          : `It is not PEM: no -----BEGIN line is in it.`;
    throw new WizardError(
      'bad-input',
      `${flag} ${shown} holds no ${kind === 'CERTIFICATE' ? 'certificate' : 'private key'}.`,
      { why, next: [`Give the file that holds ${wanted}; a bundle is written by:`, 'etcd-wizard certs export --help'] },
    );
  }
  return text;
}

function readCertificates(pem: string, path: string): X509Certificate[] {
  const blocks =
    pem.match(/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('no END line');
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new WizardError('bad-input', `${cleanLine(path)} is damaged.`, {
      why: 'It looks like a certificate in PEM, but cannot be read as one: cut off or changed while it was copied.',
      cause: error,
    });
  }
}

function readKey(pem: string, path: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) {
    throw new WizardError('bad-input', `The key ${cleanLine(path)} is encrypted.`, {
      why: 'etcd and its clients read keys without a passphrase only.',
      next: [
        'Take the passphrase off, then protect the file by its mode:',
        'openssl pkey -in KEY -out KEY.plain && chmod 600 KEY.plain',
      ],
    });
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new WizardError('bad-input', `The key ${cleanLine(path)} is damaged.`, {
      why: 'It looks like a key in PEM, but cannot be read as one: cut off or changed while it was copied.',
      cause: error,
    });
  }
}

async function systemAnchors(): Promise<string> {
  const path = SYSTEM_ANCHORS.find((each) => existsSync(each));
  return path === undefined ? rootCertificates.join('\n') : await readFile(path, 'latin1');
}
