/** The DNS names of every host, a field each. */
import type { ReactNode } from 'react';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import { editHost, hostField } from '../../../src/wizard/hosts.ts';
import { Frame, useSymbols } from '../../frame.tsx';
import { useBindings } from '../../keys.tsx';
import { line } from '../../lines.tsx';
import { heading, remarkLines, whyLines } from './common.ts';
import { useFields } from './fields.tsx';
import type { QuestionProps } from './wizard.tsx';

export function NamesQuestion({ state, question, dispatch, title, onBack, message }: QuestionProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const hosts = state.answers.hosts ?? [];
  // What is not accepted waits here for the next visit, a host a line.
  const typed = new Map(
    (state.typed.names ?? '').split('\n').flatMap((each) => {
      const [, name, text] = /^(\S+) (.*)$/.exec(each) ?? [];
      return text !== undefined && hosts.some((host) => host.name === name) ? [[name ?? '', text] as const] : [];
    }),
  );
  const { lines, focus } = useFields(
    hosts.map((host, index) => ({
      label: host.name,
      placeholder: `such as ${host.name}.home`,
      value: hostField(host, 'dnsNames'),
      typed: typed.get(host.name),
      problem: (text) => {
        const outcome = editHost(hosts, index, 'dnsNames', text);
        return outcome.ok ? undefined : outcome.message;
      },
      onChange: (text, problem) => {
        const rest = new Map(typed);
        if (problem === undefined) {
          rest.delete(host.name);
          dispatch({ type: 'editHost', index, field: 'dnsNames', text });
        } else rest.set(host.name, text);
        dispatch({ type: 'type', text: [...rest].map(([name, each]) => `${name} ${each}`).join('\n') });
      },
    })),
    columns,
    symbols,
    () => dispatch({ type: 'next' }),
  );
  useBindings([{ keys: ['escape'], hint: 'back', help: 'the question before; answers are kept', run: onBack }]);
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
      ]}
      focus={focus + 2}
      scroll="focus"
    />
  );
}
