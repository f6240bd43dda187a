/** A secret in a file named by a flag: a password or a passphrase. */
import { open } from 'node:fs/promises';
import { WizardError } from '../errors.ts';

/**
 * @returns the first line, without its line break
 * @throws WizardError `bad-input` when it is not there, is empty, or others may read it
 */
export async function readSecretFile(path: string): Promise<string> {
  const bad = (
    why: string,
    next = ['Put the secret on the first line of a file that only you may read (chmod 600).'],
  ) => new WizardError('bad-input', `The secret file ${path} cannot be used.`, { why, next });
  let text: string;
  let mode: number;
  try {
    const handle = await open(path, 'r');
    try {
      mode = (await handle.stat()).mode;
      text = await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw bad((cause as Error).message);
  }
  // As ssh does with private keys: what others can read is no secret. Pipes (`<(pass …)`) have no such bits to care for.
  if ((mode & 0o170000) === 0o100000 && (mode & 0o077) !== 0)
    throw bad('Other users of this machine may read it.', [`chmod 600 ${path}`]);
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw bad('Its first line is empty.');
  return line;
}
