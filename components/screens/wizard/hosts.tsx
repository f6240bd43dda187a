/** The list of hosts: a line each, what a connection test found beside it, and a line to add more. */
import { type ReactNode, useState } from 'react';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import type { HostAnswer } from '../../../src/wizard/types.ts';
import { Frame, pointerSpan, useSpinner, useSymbols } from '../../frame.tsx';
import { LEVEL, useBindings } from '../../keys.tsx';
import { accent, bad, bold, dim, type Line, line, ok, paragraph, type Span, sized, warn, width } from '../../lines.tsx';
import type { Symbols } from '../../symbols.ts';
import { useTextInput } from '../../widgets/text-input.ts';
import { heading, remarkLines, whyLines } from './common.ts';
import { HostForm } from './host-form.tsx';
import type { ProbeState, Probes } from './probes.ts';
import type { QuestionProps } from './wizard.tsx';

export interface HostsProps extends QuestionProps {
  probes: Probes;
  /** A test waits for an answer. */
  waiting: boolean;
}

export function HostsQuestion(props: HostsProps): ReactNode {
  const { state, dispatch } = props;
  const hosts = state.answers.hosts ?? [];
  const [editing, setEditing] = useState<number>();
  const edited = editing === undefined ? undefined : hosts[editing];
  if (editing !== undefined && edited !== undefined)
    return (
      <HostForm {...props} hosts={hosts} index={editing} dispatch={dispatch} onDone={() => setEditing(undefined)} />
    );
  return <HostList {...props} hosts={hosts} onEdit={setEditing} />;
}

function HostList({
  state,
  question,
  dispatch,
  title,
  onBack,
  message,
  probes,
  waiting,
  hosts,
  onEdit,
}: HostsProps & { hosts: readonly HostAnswer[]; onEdit(index: number): void }): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  // The line to add hosts is the last row, and where one begins.
  const [wanted, setRow] = useState(Number.POSITIVE_INFINITY);
  const row = Math.min(wanted, hosts.length);
  const adding = row === hosts.length;
  const host = hosts[row];
  const typed = state.typed.hosts ?? '';
  const input = useTextInput({
    value: typed,
    active: adding,
    placeholder: hosts.length === 0 ? 'pi@10.0.11.1' : 'another host, or nothing to go on',
    onChange: (text) => dispatch({ type: 'type', text }),
    onPasteLines: (text) => dispatch({ type: 'addHosts', text: typed === '' ? text : `${typed} ${text}` }),
  });
  const move = (by: number) => setRow(Math.max(0, Math.min(hosts.length, row + by)));
  useBindings(
    [
      ...(adding
        ? [
            typed.trim() !== ''
              ? { keys: ['enter'], hint: 'add', run: () => dispatch({ type: 'addHosts', text: typed }) }
              : { keys: ['enter'], hint: hosts.length === 0 ? 'add' : 'go on', run: () => dispatch({ type: 'next' }) },
          ]
        : []),
      ...(host === undefined
        ? []
        : [
            { keys: ['e', 'enter'], hint: 'edit', help: 'name, address, login, DNS names', run: () => onEdit(row) },
            { keys: ['x', 'delete'], hint: 'remove', run: () => dispatch({ type: 'removeHost', index: row }) },
            { keys: ['t'], hint: 'test again', run: () => probes.again(host) },
          ]),
      ...(hosts.length > 0
        ? [
            {
              keys: ['up'],
              label: symbols.up + symbols.down,
              hint: adding ? 'to the hosts' : 'move',
              help: 'up to the hosts, to edit or remove them',
              run: () => move(-1),
            },
          ]
        : []),
      { keys: ['down'], run: () => move(1) },
      { keys: ['escape', 'shift-tab'], hint: 'back', help: 'the question before; answers are kept', run: onBack },
    ],
    { level: LEVEL.screen },
  );
  const spinner = useSpinner(hosts.some((each) => probes.of(each)?.state === 'running'));

  const name = Math.min(20, Math.max(6, ...hosts.map((each) => width(each.name)))) + 2;
  const address = Math.max(10, ...hosts.map((each) => width(login(each)))) + 2;
  const body: Line[] = [heading(question), line()];
  let focus = 0;
  hosts.forEach((each, index) => {
    const chosen = index === row;
    if (chosen) focus = body.length;
    const probe = probes.of(each);
    const left = line(
      ' ',
      pointerSpan(chosen, symbols),
      sized(chosen ? bold(each.name) : each.name, name),
      sized(login(each), address),
    );
    const found = probeSpan(probe, spinner, symbols);
    // Narrow windows: what was found gets a line of its own.
    if (width(left) + Math.min(30, width(found)) <= columns) body.push(line(left, found));
    else body.push(left, line('     ', found));
    if (each.dnsNames.length > 0 && chosen) body.push(line('     ', dim(each.dnsNames.join(' '))));
    body.push(...probeDetails(probe, chosen, columns));
  });
  if (adding) focus = body.length;
  body.push(
    line(
      ' ',
      pointerSpan(adding, symbols),
      accent('+ '),
      adding ? input.field(columns - 6) : dim(typed === '' ? 'add a host' : typed),
    ),
  );
  body.push(line(), ...remarkLines(message, input.remark, question.hint(state.answers), columns, symbols));
  if (waiting)
    body.push(
      ...paragraph(`${symbols.warn} A host asks something: press ^O to answer.`, columns - 4, {
        indent: 3,
        role: 'warn',
      }),
    );
  body.push(...whyLines(question, columns));
  return <Frame title={title} body={body} focus={focus} scroll="focus" />;
}

/** `pi@10.0.11.1:22`, as it was typed. */
function login({ address, ssh }: HostAnswer): string {
  return `${ssh.user === undefined ? '' : `${ssh.user}@`}${address}${ssh.port === undefined ? '' : `:${ssh.port}`}`;
}

function probeSpan(probe: ProbeState | undefined, spinner: string, symbols: Symbols): Span {
  if (probe === undefined || probe.state === 'running') return dim(`${spinner} connecting`);
  if (probe.state === 'failed') return bad(`${symbols.failed} ${probe.what}`);
  return probe.warnings.length > 0 ? warn(`${symbols.warn} ${probe.summary}`) : ok(`${symbols.on} ${probe.summary}`);
}

/** Warnings always; why it failed and what to do for the host at the pointer. */
function probeDetails(probe: ProbeState | undefined, chosen: boolean, columns: number): Line[] {
  if (probe?.state === 'ok')
    return probe.warnings.flatMap((text) => paragraph(text, columns - 7, { indent: 5, role: 'warn' }));
  if (probe?.state !== 'failed' || !chosen) return [];
  return [
    ...(probe.why === undefined ? [] : paragraph(probe.why, columns - 7, { indent: 5 })),
    ...probe.next.map((text) => line('     ', text)),
  ];
}
