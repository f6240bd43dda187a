/** A question with a few answers to choose from. */
import type { ReactNode } from 'react';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import { Frame, pointerSpan, useSymbols } from '../../frame.tsx';
import { useBindings } from '../../keys.tsx';
import { bold, dim, line, paragraph, sized, width } from '../../lines.tsx';
import { useSelect } from '../../widgets/select.ts';
import { heading, remarkLines, sanTable, whyLines } from './common.ts';
import type { QuestionProps } from './wizard.tsx';

export function ChoiceQuestion({ state, question, dispatch, title, onBack, message }: QuestionProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const choices = question.choices?.(state.answers) ?? [];
  const present = state.answered.includes(question.id)
    ? question.show(state.answers)
    : question.default(state.answers, state.context);
  const [index] = useSelect({
    count: choices.length,
    initial: Math.max(
      0,
      choices.findIndex(({ value }) => value === present),
    ),
    labels: { arrows: symbols.up + symbols.down },
    verb: 'go on',
    onChoose: (chosen) => dispatch({ type: 'next', text: choices[chosen]?.value }),
  });
  useBindings([{ keys: ['escape'], hint: 'back', help: 'the question before; answers are kept', run: onBack }]);
  const label = Math.max(0, ...choices.map((each) => width(each.label))) + 3;
  // Beside each other only where the longest explanation has room.
  const beside = columns >= 4 + label + Math.max(0, ...choices.map((each) => width(each.detail)));
  let focus = 2;
  const lines = choices.flatMap((each, row) => {
    const chosen = row === index;
    const name = chosen ? bold(each.label) : each.label;
    return beside
      ? [line(' ', pointerSpan(chosen, symbols), sized(name, label), dim(each.detail))]
      : [
          line(' ', pointerSpan(chosen, symbols), name),
          ...paragraph(each.detail, columns - 6, { role: 'dim', indent: 5 }),
        ];
  });
  if (!beside)
    focus += choices
      .slice(0, index)
      .reduce((sum, each) => sum + 1 + paragraph(each.detail, columns - 6, { indent: 5 }).length, 0);
  else focus += index;
  return (
    <Frame
      title={title}
      body={[
        heading(question),
        line(),
        ...lines,
        line(),
        ...remarkLines(message, undefined, question.hint(state.answers), columns, symbols),
        ...whyLines(question, columns),
        ...(question.step === 'certificates' ? sanTable(state.answers, columns) : []),
      ]}
      focus={focus}
      scroll="focus"
    />
  );
}
