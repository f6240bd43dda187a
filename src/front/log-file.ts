/** The file that `--log-file` names: every event as one line of JSON. */
import { openSync, writeSync } from 'node:fs';
import type { RunEvent } from '../apply/events.ts';
import { cleanLine } from '../clean.ts';
import type { CommandIo } from '../commands/io.ts';
import { WizardError } from '../errors.ts';
import { eventJson, jsonLine } from './headless.ts';

export interface LogFile {
  event(event: RunEvent): void;
  /** What ended the run. */
  error(error: WizardError): void;
}

/**
 * Opened before anything is done, so that a run that was to be logged does not begin without its log; 0600, since what
 * hosts print may tell much. Written line by line at once: an end at any moment loses nothing.
 * @returns undefined without the flag. @throws WizardError `state` when it cannot be written
 */
export function openLogFile(io: Pick<CommandIo, 'flags' | 'err'>): LogFile | undefined {
  const { logFile } = io.flags;
  if (logFile === undefined) return undefined;
  const refuse = (cause: unknown) =>
    new WizardError('state', `The log file ${logFile} cannot be written.`, {
      why: (cause as Error).message,
      next: ['Name another file, or leave --log-file out.'],
      cause,
    });
  let file: number | undefined;
  try {
    file = openSync(logFile, 'a', 0o600);
  } catch (cause) {
    throw refuse(cause);
  }
  const write = (entry: Record<string, unknown>) => {
    if (file === undefined) return;
    try {
      writeSync(file, `${jsonLine({ at: new Date().toISOString(), ...entry })}\n`);
    } catch (cause) {
      // A disk that fills up is no reason to leave hosts half done: it is said once, and the run goes on.
      file = undefined;
      io.err(`${refuse(cause).message} ${cleanLine((cause as Error).message)}. The run goes on without it.`);
    }
  };
  return { event: (event) => write({ event: eventJson(event) }), error: (error) => write(error.toJSON()) };
}
