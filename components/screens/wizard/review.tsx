/** All answers, each with a way back to it; the names in the certificates; remarks. Accepting it ends the wizard. */
import type { ReactNode } from 'react';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import { reviewRows } from '../../../src/wizard/reducer.ts';
import { remarksOn } from '../../../src/wizard/review.ts';
import { Frame, pointerSpan, useSymbols } from '../../frame.tsx';
import { useBindings } from '../../keys.tsx';
import { bold, dim, type Line, line, paragraph, sized, width } from '../../lines.tsx';
import { useSelect } from '../../widgets/select.ts';
import { heading, remarkLines, sanTable } from './common.ts';
import type { Probes } from './probes.ts';
import type { QuestionProps } from './wizard.tsx';

export function ReviewQuestion({
  state,
  question,
  dispatch,
  title,
  onBack,
  message,
  probes,
}: QuestionProps & { probes: Probes }): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const rows = reviewRows(state);
  const editable = rows.filter((row) => row.editable);
  const [index] = useSelect({
    count: editable.length + 1,
    // At the answer «yes»: whoever has just answered everything goes on.
    initial: 0,
    labels: { arrows: symbols.up + symbols.down },
    verb: 'choose',
    onChoose: (chosen) => {
      const row = editable[chosen - 1];
      dispatch(row === undefined ? { type: 'next' } : { type: 'edit', id: row.id });
    },
  });
  useBindings([{ keys: ['escape'], hint: 'back', help: 'the question before; answers are kept', run: onBack }]);

  const label = Math.max(0, ...rows.map((row) => width(row.label))) + 2;
  const body: Line[] = [
    heading(question),
    line(),
    line(
      ' ',
      pointerSpan(index === 0, symbols),
      index === 0
        ? bold('Yes: save it, look at the hosts and show the plan')
        : 'Yes: save it, look at the hosts and show the plan',
    ),
    ...remarkLines(message, undefined, question.hint(state.answers), columns, symbols),
    line(),
  ];
  let focus = 2;
  for (const row of rows) {
    const chosen = row.editable && editable[index - 1]?.id === row.id;
    if (chosen) focus = body.length;
    const [first = '', ...more] = row.value.split('\n');
    const name = sized(chosen ? bold(row.label) : dim(row.label), label);
    body.push(line(' ', pointerSpan(chosen, symbols), name, first, chosen && dim('   change')));
    body.push(...more.map((text) => line('   ', sized('', label), text)));
  }
  const failed = (state.answers.hosts ?? [])
    .filter((host) => probes.of(host)?.state === 'failed')
    .map((host) => host.name);
  const remarks = [
    ...(failed.length > 0
      ? [
          {
            severity: 'warn' as const,
            text: `${failed.join(', ')} could not be reached so far; the plan will say so again.`,
          },
        ]
      : []),
    ...remarksOn(state.answers),
  ];
  if (remarks.length > 0) body.push(line());
  for (const { severity, text } of remarks)
    body.push(
      ...paragraph(`${severity === 'warn' ? symbols.warn : symbols.pending} ${text}`, columns - 2, {
        indent: 1,
        role: severity === 'warn' ? 'warn' : undefined,
      }),
    );
  body.push(...sanTable(state.answers, columns));
  return <Frame title={title} body={body} focus={focus} scroll="focus" about={question.why} />;
}
