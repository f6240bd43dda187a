/** etcdctl's flags and environment: endpoints as etcdctl takes them, files checked before anything is dialled. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseEndpoints, readTarget } from '../../src/health/target.ts';
import { must } from '../setup/process.ts';
import { makeAuthority } from './cluster.ts';

describe('endpoints', () => {
  it.each<[string, boolean, string[]]>([
    ['https://10.0.11.1:2379,https://10.0.21.1:2379', true, ['https://10.0.11.1:2379', 'https://10.0.21.1:2379']],
    ['10.0.11.1:2379, pi2.home:2379', true, ['https://10.0.11.1:2379', 'https://pi2.home:2379']],
    ['127.0.0.1:2379', false, ['http://127.0.0.1:2379']],
    ['localhost', false, ['http://localhost:2379']],
    ['https://pi1.home', true, ['https://pi1.home:2379']],
    ['https://pi1.home:443/', true, ['https://pi1.home:443']],
    ['[fd00::1]:2379', true, ['https://[fd00::1]:2379']],
    ['http://a:1,http://a:1', true, ['http://a:1']],
  ])('%s', (text, secure, urls) => {
    expect(parseEndpoints(text, secure).map(({ url }) => url)).toEqual(urls);
  });
  it.each(['', ',', 'unix:///run/etcd.sock', 'https://a:2379/path', 'https://user@a:2379', 'a:99999', 'https://'])(
    'refuses «%s»',
    (text) => {
      expect(() => parseEndpoints(text, true)).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );
});

describe('files', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'etcd-wizard-target-'));
    const authority = await makeAuthority();
    const [leaf, other] = await Promise.all([authority.issue({ role: 'client' }), authority.issue({ role: 'client' })]);
    const files: Record<string, string | Buffer> = {
      'ca.pem': authority.caPem,
      'client.pem': leaf.certificatePem,
      'client-key.pem': leaf.keyPem,
      'other-key.pem': other.keyPem,
      'both.pem': leaf.certificatePem + leaf.keyPem,
      'text.pem': 'hello',
      'cut.pem': leaf.certificatePem.slice(0, 200),
      'cut-key.pem': '-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\n',
    };
    for (const [name, content] of Object.entries(files)) await writeFile(path(name), content);
    await must('openssl', ['x509', '-in', path('client.pem'), '-outform', 'DER', '-out', path('client.der')]);
    await must('openssl', [
      'pkey',
      '-in',
      path('client-key.pem'),
      '-aes256',
      '-passout',
      'pass:secret',
      '-out',
      path('encrypted.pem'),
    ]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('come from flags, else from the environment, and make endpoints without scheme https', async () => {
    const environment = {
      ETCDCTL_ENDPOINTS: 'a:1,b:2',
      ETCDCTL_CACERT: path('ca.pem'),
      ETCDCTL_CERT: path('client.pem'),
      ETCDCTL_KEY: path('client-key.pem'),
    };
    const target = await readTarget({ endpoints: 'c:3' }, environment);
    expect(target.endpoints).toEqual([{ name: 'c:3', url: 'https://c:3' }]);
    expect((await readTarget({}, environment)).endpoints).toHaveLength(2);
    expect(target.credentials.certPem).toContain('BEGIN CERTIFICATE');
    expect(target.credentials.keyPem).toContain('PRIVATE KEY');
  });
  it('are not needed: then the system’s anchors and etcd’s default endpoint', async () => {
    const target = await readTarget({}, {});
    expect(target.endpoints).toEqual([{ name: '127.0.0.1:2379', url: 'http://127.0.0.1:2379' }]);
    expect(target.credentials.caPem).toContain('BEGIN CERTIFICATE');
    expect(target.credentials.certPem).toBeUndefined();
  });

  it.each<[string, Record<string, string>, string, RegExp]>([
    ['missing', { cacert: 'gone.pem' }, 'bad-input', /cannot be read.*no such file/is],
    ['a folder', { cacert: '.' }, 'bad-input', /It is a folder/],
    ['text', { cacert: 'text.pem' }, 'bad-input', /not PEM/],
    [
      'a key in place of the CA',
      { cacert: 'client-key.pem' },
      'bad-input',
      /holds PRIVATE KEY instead of a certificate/,
    ],
    ['DER', { cacert: 'client.der' }, 'bad-input', /binary/],
    ['cut off', { cacert: 'cut.pem' }, 'bad-input', /damaged/],
    [
      'a certificate in place of the key',
      { cert: 'client.pem', key: 'client.pem' },
      'bad-input',
      /holds CERTIFICATE instead of a private key/,
    ],
    ['a damaged key', { cert: 'client.pem', key: 'cut-key.pem' }, 'bad-input', /damaged/],
    ['another one’s key', { cert: 'client.pem', key: 'other-key.pem' }, 'bad-input', /does not belong/],
    ['an encrypted key', { cert: 'client.pem', key: 'encrypted.pem' }, 'bad-input', /is encrypted/],
    ['a certificate alone', { cert: 'client.pem' }, 'usage', /without its key/],
    ['a key alone', { key: 'client-key.pem' }, 'usage', /without its client certificate/],
  ])('%s', async (_, flags, code, words) => {
    const absolute = Object.fromEntries(Object.entries(flags).map(([name, file]) => [name, path(file)]));
    const error = await readTarget(absolute, {}).then(
      () => undefined,
      (thrown: { code: string; message: string; why?: string }) => thrown,
    );
    expect(error?.code).toBe(code);
    expect(`${error?.message} ${error?.why}`).toMatch(words);
    expect(JSON.stringify(error)).not.toMatch(/BEGIN [A-Z]/);
  });
  it('holding certificate and key together serve for both', async () => {
    expect((await readTarget({ cert: path('both.pem'), key: path('both.pem') }, {})).credentials.certPem).toContain(
      'BEGIN CERTIFICATE',
    );
  });
  it.skipIf(process.getuid?.() === 0)('that may not be read say so', async () => {
    await chmod(path('text.pem'), 0);
    await expect(readTarget({ cacert: path('text.pem') }, {})).rejects.toMatchObject({
      why: 'This user may not read it.',
    });
  });
});
