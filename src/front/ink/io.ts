/** What the Ink front-end needs of a command's surroundings. */
import type { CommandIo } from '../../commands/io.ts';
import type { Capabilities } from '../../terminal/capabilities.ts';
import { prepareTerminal } from '../../terminal/prepare.ts';

export type InkIo = Pick<CommandIo, 'stdin' | 'stdout' | 'environment' | 'signal'> & {
  flags: Pick<CommandIo['flags'], 'color'>;
};

/** Settles the terminal; Ink may be imported afterwards. */
export function prepare(io: InkIo): Capabilities {
  return prepareTerminal(io.flags.color ? {} : { color: false }, {
    env: process.env,
    stdin: io.stdin,
    stdout: io.stdout,
  });
}
