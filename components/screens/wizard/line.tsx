/** A question that is answered in one line: text, a number, a list of words. */
import type { ReactNode } from 'react';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import { Frame, pointerSpan, useSymbols } from '../../frame.tsx';
import { useBindings } from '../../keys.tsx';
import { line } from '../../lines.tsx';
import { useTextInput } from '../../widgets/text-input.ts';
import { heading, remarkLines, sanTable, whyLines } from './common.ts';
import type { QuestionProps } from './wizard.tsx';

export function LineQuestion({ state, question, dispatch, title, onBack, message }: QuestionProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const standard = question.default(state.answers, state.context);
  const value = state.typed[question.id] ?? (state.answered.includes(question.id) ? question.show(state.answers) : '');
  const input = useTextInput({ value, placeholder: standard, onChange: (text) => dispatch({ type: 'type', text }) });
  useBindings([
    {
      keys: ['enter'],
      hint: value === '' && standard !== '' ? `take ${standard}` : 'go on',
      run: () => dispatch({ type: 'next', text: value.trim() === '' ? standard : value.trim() }),
    },
    { keys: ['escape', 'shift-tab'], hint: 'back', help: 'the question before; answers are kept', run: onBack },
  ]);
  return (
    <Frame
      title={title}
      body={[
        heading(question),
        line(),
        line(' ', pointerSpan(true, symbols), input.field(columns - 4)),
        line(),
        ...remarkLines(message, input.remark, question.hint(state.answers), columns, symbols),
        ...whyLines(question, columns),
        ...(question.step === 'certificates' ? sanTable(state.answers, columns) : []),
      ]}
      focus={2}
      scroll="focus"
    />
  );
}
