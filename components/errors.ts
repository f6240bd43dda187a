/** A failure as lines: what, why, what next. What can be copied stands alone on its line. */
import { asWizardError } from '../src/errors.ts';
import { dim, type Line, line, paragraph } from './lines.tsx';
import type { Symbols } from './symbols.ts';

export function errorScreenLines(thrown: unknown, cells: number, symbols: Symbols): Line[] {
  const { message, host, step, why, next, evidence } = asWizardError(thrown);
  return [
    ...paragraph(
      `${symbols.failed} ${host === undefined || message.startsWith(`${host}:`) ? '' : `${host}: `}${message}`,
      cells - 2,
      { role: 'bad', indent: 1 },
    ),
    ...(step === undefined ? [] : [line('   ', dim(`while: ${step}`))]),
    ...(why === undefined ? [] : paragraph(why, cells - 4, { indent: 3 })),
    ...(evidence.length === 0 ? [] : [line(), ...evidence.slice(-12).map((each) => line('   ', dim(each)))]),
    ...(next.length === 0 ? [] : [line(), line('   ', dim('Next:')), ...next.map((each) => line('     ', each))]),
  ];
}
