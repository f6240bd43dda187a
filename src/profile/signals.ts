/**
 * conf brings along `when-exit`, which answers every signal by sending it to this process a second time: for the command
 * that is «leave at once», in the midst of its clean end. This module is loaded before conf and remembers who listened.
 */
import { constants } from 'node:os';

const SIGNALS = Object.keys(constants.signals) as NodeJS.Signals[];
const before = new Map(SIGNALS.map((signal) => [signal, process.rawListeners(signal)]));

/** Takes away the listeners that came since this module was loaded. Only right directly behind the import of conf. */
export function dropNewListeners(): void {
  for (const signal of SIGNALS)
    for (const listener of process.rawListeners(signal))
      if (!before.get(signal)?.includes(listener)) process.removeListener(signal, listener as () => void);
}
