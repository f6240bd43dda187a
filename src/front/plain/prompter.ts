/**
 * Questions as lines. A terminal that can move its cursor gets @inquirer/prompts for choices, yes or no, and secrets; every
 * other one, a pipe, and whoever asked for no redraw gets numbered lines and readline.
 */
import { cleanLine } from '../../clean.ts';
import type { CommandIo } from '../../commands/io.ts';
import { wrap } from '../../terminal/width.ts';
import { interrupted, type LineStreams, lineSource } from './lines.ts';

export interface PromptChoice {
  value: string;
  label: string;
  detail?: string;
}

export interface Prompter {
  say(...lines: string[]): void;
  /** Sentences, broken between words where the terminal ends. */
  prose(text: string): void;
  /** The text as typed, trimmed. @throws WizardError `interrupted`, `no-terminal` */
  text(prompt: string): Promise<string>;
  /** Not shown while typed. */
  secret(prompt: string): Promise<string>;
  confirm(question: string, byDefault: boolean): Promise<boolean>;
  /** One of the values; or what was typed instead of a number, as it is. */
  choose(prompt: string, choices: readonly PromptChoice[], byDefault: string): Promise<string>;
  close(): void;
}

/** The prompter of a command: talk goes to standard error. */
export function prompterOf(
  io: Pick<CommandIo, 'stdin' | 'stderr' | 'signal' | 'environment' | 'interactive'>,
): Prompter {
  const term = io.environment.TERM ?? '';
  const reader = io.environment.INK_SCREEN_READER === 'true' || io.environment.ETCD_WIZARD_SCREEN_READER === '1';
  const canRaw = typeof io.stdin.setRawMode === 'function';
  return openPrompter({
    input: io.stdin,
    output: io.stderr,
    signal: io.signal,
    fancy: io.interactive && canRaw && term !== '' && term !== 'dumb' && !reader,
  });
}

function openPrompter(streams: LineStreams): Prompter {
  const lines = lineSource(streams);
  const { output, fancy } = streams;
  const say = (...texts: string[]) => void output.write(texts.map((text) => `${text}\n`).join(''));
  const text = async (prompt: string): Promise<string> => (await lines.ask(prompt)).trim();
  // What was pasted ahead answers the next question, whatever its kind; a menu would lose it.
  const menus = () => fancy && !lines.hasEarly;
  const prose = (sentences: string) => say(...wrap(sentences, Math.min(output.columns ?? 80, 100) - 1));
  return {
    say,
    prose,
    text,
    secret: async (prompt) =>
      menus()
        ? asked(async (prompts) => prompts.password({ message: cleanLine(prompt), mask: false }, contextOf(streams)))
        : lines.secret(`${cleanLine(prompt)} `),
    async confirm(question, byDefault) {
      if (menus())
        return asked((prompts) => prompts.confirm({ message: question, default: byDefault }, contextOf(streams)));
      for (;;) {
        const answer = (await text(`${question} ${byDefault ? '[Y/n]' : '[y/N]'} `)).toLowerCase();
        if (answer === '') return byDefault;
        if (['y', 'yes'].includes(answer)) return true;
        if (['n', 'no'].includes(answer)) return false;
        say('Type y or n.');
      }
    },
    async choose(prompt, choices, byDefault) {
      if (menus()) {
        const options = choices.map(({ value, label, detail }) => ({
          value,
          name: label,
          ...(detail !== undefined && { description: detail }),
        }));
        return asked((prompts) =>
          prompts.select({ message: prompt, choices: options, default: byDefault }, contextOf(streams)),
        );
      }
      choices.forEach(({ label, detail }, index) => {
        say(`  ${index + 1}. ${label}${detail === undefined ? '' : ` - ${detail}`}`);
      });
      const preset = choices.findIndex(({ value }) => value === byDefault);
      const answer = await text(preset >= 0 ? `Number [${preset + 1}]: ` : 'Number: ');
      if (answer === '' && preset >= 0) return byDefault;
      return /^\d+$/.test(answer) ? (choices[Number(answer) - 1]?.value ?? answer) : answer;
    },
    close: () => lines.close(),
  };
}

type Prompts = typeof import('@inquirer/prompts');

const contextOf = ({ input, output, signal }: LineStreams) =>
  ({ input, output, signal }) as Parameters<Prompts['confirm']>[1];

/** Loaded when first needed; its ways of saying «Ctrl-C» become ours. */
async function asked<T>(question: (prompts: Prompts) => Promise<T>): Promise<T> {
  try {
    return await question(await import('@inquirer/prompts'));
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.name : '';
    throw name === 'ExitPromptError' || name === 'AbortPromptError' ? interrupted() : thrown;
  }
}
