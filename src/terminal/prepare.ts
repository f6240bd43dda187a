/**
 * Settles what Ink and chalk read from the environment when they are imported; so it must run before them.
 * Ink 6 draws nothing until the end when CI is set (is-in-ci), and chalk does not know NO_COLOR.
 */
import { type Capabilities, type ColourChoice, capabilities, type StreamFacts } from './capabilities.ts';

interface Process {
  env: Record<string, string | undefined>;
  stdin: StreamFacts;
  stdout: StreamFacts;
}

/**
 * Finds out what the terminal can do and prepares the environment for Ink.
 * @param choice what `--no-color` or its absence means
 */
export function prepareTerminal(choice: ColourChoice = {}, on: Process = process): Capabilities {
  const can = capabilities(on.env, on.stdin, on.stdout, choice);
  on.env.FORCE_COLOR = can.colour ? '1' : '0';
  if (can.ink) {
    delete on.env.CI;
    delete on.env.CONTINUOUS_INTEGRATION;
  }
  return can;
}
