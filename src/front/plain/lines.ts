/**
 * Lines typed, pasted or piped, one at a time. What came early (a paste of several lines, a pipe) waits for the next
 * question; between two questions the terminal is left as it was.
 */
import { createInterface, type Interface } from 'node:readline';
import { WizardError } from '../../errors.ts';

export interface LineStreams {
  input: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(on: boolean): unknown };
  output: NodeJS.WritableStream & { columns?: number };
  /** Aborted: the question is given up. */
  signal: AbortSignal;
  /** The terminal can move its cursor: the line can be edited. False: its own line editing, not one escape is written. */
  fancy: boolean;
}

/** One per input, since a second reader would lose what the first has read ahead. */
const sources = new WeakMap<object, LineSource>();

export function lineSource(streams: LineStreams): LineSource {
  const known = sources.get(streams.input);
  if (known !== undefined) return known.with(streams);
  const made = new LineSource(streams);
  sources.set(streams.input, made);
  return made;
}

export class LineSource {
  #streams: LineStreams;
  #early: string[] = [];
  #unfinished = '';
  #pipe: Interface | undefined;
  #ended = false;

  constructor(streams: LineStreams) {
    this.#streams = streams;
  }

  with(streams: LineStreams): this {
    this.#streams = streams;
    return this;
  }

  /** Lines are waiting: the next question need not be drawn as a menu. */
  get hasEarly(): boolean {
    return this.#early.length > 0;
  }

  /**
   * Writes the prompt and waits for a line.
   * @throws WizardError `interrupted` (Ctrl-C, signal), `no-terminal` when the input has ended
   */
  async ask(prompt: string): Promise<string> {
    const { output, input } = this.#streams;
    const early = this.#early.shift();
    if (early !== undefined) {
      output.write(`${prompt}${early}\n`);
      return early;
    }
    if (input.isTTY !== true) output.write(prompt);
    return input.isTTY === true ? this.#askTerminal(prompt) : this.#askPipe();
  }

  /** A line that is not shown while it is typed. */
  async secret(prompt: string): Promise<string> {
    const { input, output } = this.#streams;
    if (input.isTTY !== true || input.setRawMode === undefined) return this.ask(prompt);
    output.write(prompt);
    input.setRawMode(true);
    try {
      return await readSecret(input, this.#streams.signal);
    } finally {
      input.setRawMode(false);
      input.pause();
      output.write('\n');
    }
  }

  /** Lets go of a pipe, so that the process can end; a terminal is let go after every question. */
  close(): void {
    this.#pipe?.pause();
  }

  #askTerminal(prompt: string): Promise<string> {
    const { input, output, signal, fancy } = this.#streams;
    const reader = createInterface({ input, output, terminal: fancy, historySize: 0 });
    return new Promise<string>((resolve, reject) => {
      const lines: string[] = [];
      const settle = (finish: () => void) => {
        signal.removeEventListener('abort', onAbort);
        // A paste comes in one piece: everything of it has been read when this runs.
        this.#unfinished = reader.line ?? '';
        reader.close();
        this.#early.push(...lines);
        finish();
      };
      let done = false;
      const onAbort = () => {
        done = true;
        output.write('\n');
        settle(() => reject(interrupted()));
      };
      const once = (finish: () => void) => {
        if (done) return;
        done = true;
        setImmediate(() => settle(finish));
      };
      reader.on('line', (line) => {
        lines.push(withoutPasteMarks(line));
        once(() => resolve(this.#early.shift() ?? ''));
      });
      reader.on('SIGINT', onAbort);
      reader.on('close', () => once(() => reject(ended())));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) return onAbort();
      reader.setPrompt(prompt);
      reader.prompt();
      if (this.#unfinished !== '') reader.write(this.#unfinished);
      this.#unfinished = '';
    });
  }

  #askPipe(): Promise<string> {
    const { input, output, signal } = this.#streams;
    if (this.#pipe === undefined) {
      this.#pipe = createInterface({ input, terminal: false });
      this.#pipe.on('line', (line) => this.#early.push(line));
      this.#pipe.on('close', () => {
        this.#ended = true;
      });
    }
    const pipe = this.#pipe;
    return new Promise<string>((resolve, reject) => {
      const stop = () => {
        for (const event of ['line', 'close'] as const) pipe.off(event, look);
        signal.removeEventListener('abort', look);
        if (!this.#ended) pipe.pause();
      };
      const look = () => {
        const line = this.#early.shift();
        if (line === undefined && !this.#ended && !signal.aborted) return;
        stop();
        output.write('\n');
        if (signal.aborted) reject(interrupted());
        else if (line === undefined) reject(ended());
        else resolve(line);
      };
      for (const event of ['line', 'close'] as const) pipe.on(event, look);
      signal.addEventListener('abort', look, { once: true });
      if (!this.#ended) pipe.resume();
      look();
    });
  }
}

/** Reads bytes up to Enter; Ctrl-C interrupts, Backspace takes one character back, Ctrl-U all. */
function readSecret(input: LineStreams['input'], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const stop = (finish: () => void) => {
      input.off('data', onData);
      input.off('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = () => stop(() => reject(interrupted()));
    const onEnd = () => stop(() => reject(ended()));
    const onData = (chunk: Buffer | string) => {
      for (const character of chunk.toString('utf8').replace(/\x1b\[20[01]~/g, '')) {
        if (character === '\r' || character === '\n') return stop(() => resolve(typed));
        if (character === '\x03') return stop(() => reject(interrupted()));
        if (character === '\x04' && typed === '') return stop(() => reject(ended()));
        if (character === '\x7f' || character === '\b') typed = [...typed].slice(0, -1).join('');
        else if (character === '\x15') typed = '';
        else if (character >= ' ') typed += character;
      }
    };
    input.on('data', onData);
    input.on('end', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) return onAbort();
    input.resume();
  });
}

/** Some terminals mark what is pasted although nobody asked them to. */
const withoutPasteMarks = (line: string): string => line.replace(/\x1b?\[20[01]~/g, '');

export const interrupted = (): WizardError => new WizardError('interrupted', 'Interrupted.');
const ended = (): WizardError =>
  new WizardError('no-terminal', 'The input ended before every question was answered.', {
    next: ['Answer the questions in a terminal, or give every answer on standard input, one a line.'],
  });
