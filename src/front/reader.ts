/** A run's events for readers of lines: JSON for scripts, sentences for people. */
import type { Emit } from '../apply/events.ts';
import type { CommandIo } from '../commands/io.ts';
import { planLines } from '../plan/render.ts';
import { eventJson } from './headless.ts';
import { eventLines } from './text.ts';

/** With --json every event is one line of standard output. Else the plan and the end go there, and talk to standard error. */
export function readerOf(io: Pick<CommandIo, 'out' | 'err' | 'flags'>): Emit {
  if (io.flags.json) return (event) => io.out(JSON.stringify(eventJson(event)));
  const titles = new Map<string, string>();
  let lastWait = '';
  return (event) => {
    if (event.type === 'plan') {
      for (const { id, title } of event.plan.actions) titles.set(id, title);
      for (const line of planLines(event.plan)) io.out(line);
      return;
    }
    const lines = eventLines(event, titles, io.flags.verbose);
    // The same reason for waiting, told again each second, is one line here.
    if (event.type === 'waiting') {
      if (lines.join() === lastWait) return;
      lastWait = lines.join();
    }
    for (const line of lines) (event.type === 'finished' ? io.out : io.err)(line);
  };
}
