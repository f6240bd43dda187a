import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  coversName,
  fingerprintOf,
  hostKeyAlgorithms,
  judgeHostKey,
  knownHostsName,
  parseKnownHosts,
} from '../../src/remote/known-hosts.ts';

const blob = (type: string, body: string) => {
  const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  return Buffer.concat([part(type), part(body)]);
};
const A = blob('ssh-ed25519', 'first');
const B = blob('ssh-ed25519', 'second');
const RSA = blob('ssh-rsa', 'rsa');
const DSS = blob('ssh-dss', 'dss');
const line = (names: string, key: Buffer, marker = '') =>
  `${marker}${names} ${key.toString('latin1', 4, 4 + (key[3] ?? 0))} ${key.toString('base64')} comment\n`;
const hashed = (name: string) => {
  const salt = Buffer.from('twenty bytes of salt');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
};

test.each<[what: string, file: string, host: string, port: number, key: Buffer, state: string]>([
  ['empty file', '', 'pi1', 22, A, 'unknown'],
  ['same key', line('pi1', A), 'pi1', 22, A, 'known'],
  ['upper case asked', line('pi1', A), 'PI1', 22, A, 'known'],
  ['list of names', line('other,pi1,10.0.0.1', A), '10.0.0.1', 22, A, 'known'],
  ['another key of the type', line('pi1', A), 'pi1', 22, B, 'changed'],
  ['another type only', line('pi1', RSA), 'pi1', 22, A, 'changed'],
  ['a type that nobody here speaks', line('pi1', DSS), 'pi1', 22, A, 'unknown'],
  ['one of two keys', line('pi1', RSA) + line('pi1', A), 'pi1', 22, A, 'known'],
  ['hashed name', line(hashed('pi1'), A), 'pi1', 22, A, 'known'],
  ['hashed name, changed', line(hashed('pi1'), A), 'pi1', 22, B, 'changed'],
  ['hashed name of another host', line(hashed('pi2'), A), 'pi1', 22, A, 'unknown'],
  ['hashed name with port', line(hashed('[pi1]:2222'), A), 'pi1', 2222, A, 'known'],
  ['name with port', line('[pi1]:2222', A), 'pi1', 2222, A, 'known'],
  ['name with another port', line('[pi1]:2222', A), 'pi1', 2223, A, 'unknown'],
  ['key on file without the port', line('pi1', A), 'pi1', 2222, A, 'known'],
  ['another key on file without the port', line('pi1', A), 'pi1', 2222, B, 'unknown'],
  ['key with a port does not count on 22', line('[pi1]:2222', A), 'pi1', 22, A, 'unknown'],
  ['IPv6 with port', line('[fd00::1]:2222', A), 'fd00::1', 2222, A, 'known'],
  ['wildcard', line('*.home', A), 'pi1.home', 22, A, 'known'],
  ['question mark', line('pi?', A), 'pi1', 22, A, 'known'],
  ['a dot is only a dot', line('pi1.home', A), 'pi1xhome', 22, A, 'unknown'],
  ['negation', line('*.home,!pi1.home', A), 'pi1.home', 22, A, 'unknown'],
  ['negation of another', line('*.home,!pi2.home', A), 'pi1.home', 22, A, 'known'],
  ['revoked', line('pi1', A) + line('*', A, '@revoked '), 'pi1', 22, A, 'revoked'],
  ['revoked, off port 22', line('pi1', A, '@revoked '), 'pi1', 2222, A, 'revoked'],
  ['another key revoked', line('*', B, '@revoked ') + line('pi1', A), 'pi1', 22, A, 'known'],
  ['certificate authority', line('pi1', A, '@cert-authority '), 'pi1', 22, A, 'unknown'],
  ['unknown marker', line('pi1', A, '@something '), 'pi1', 22, A, 'unknown'],
  [
    'comments, damage, SSH 1',
    `# pi1 x y\n\npi1\npi1 1024 35 123456\npi1 ssh-ed25519 !!!\n${line('pi1', A)}`,
    'pi1',
    22,
    A,
    'known',
  ],
  ['type that does not fit the key', `pi1 ssh-rsa ${A.toString('base64')}\n`, 'pi1', 22, A, 'unknown'],
  ['carriage returns', line('pi1', A).replace('\n', '\r\n'), 'pi1', 22, A, 'known'],
])('known_hosts: %s', (_what, file, host, port, key, state) => {
  expect(judgeHostKey(parseKnownHosts(file, 'file'), host, port, key).state).toBe(state);
});

test('a changed key names file and line', () => {
  const verdict = judgeHostKey(
    parseKnownHosts(`# comment\n${line('pi1', A)}`, '/home/pi/.ssh/known_hosts'),
    'pi1',
    22,
    B,
  );
  expect(verdict).toMatchObject({ state: 'changed', entry: { file: '/home/pi/.ssh/known_hosts', line: 2 } });
});

test.each<[what: string, file: string, port: number, first: string]>([
  ['nothing on file: ed25519', '', 22, 'ssh-ed25519'],
  ['known by RSA', line('pi1', RSA), 22, 'rsa-sha2-512'],
  ['known by RSA without the port', line('pi1', RSA), 2222, 'rsa-sha2-512'],
  ['an authority is no key on file', line('pi1', RSA, '@cert-authority '), 22, 'ssh-ed25519'],
])('the known type is asked for first: %s', (_what, file, port, first) => {
  const algorithms = hostKeyAlgorithms(parseKnownHosts(file, 'file'), 'pi1', port);
  expect(algorithms[0]).toBe(first);
  expect(algorithms).toHaveLength(6);
});

test('names and fingerprints are written as OpenSSH does', () => {
  expect(knownHostsName('Pi1', 22)).toBe('pi1');
  expect(knownHostsName('fd00::1', 2222)).toBe('[fd00::1]:2222');
  expect(fingerprintOf(A)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  expect(coversName('|1|broken', 'pi1')).toBe(false);
});
