/** One host, field by field. */
import type { ReactNode } from 'react';
import { useWindowSize } from '../../../src/terminal/ink.ts';
import { editHost, hostField } from '../../../src/wizard/hosts.ts';
import type { HostAnswer, HostField, WizardAction } from '../../../src/wizard/types.ts';
import { Frame, useSymbols } from '../../frame.tsx';
import { useBindings } from '../../keys.tsx';
import { bold, line, paragraph } from '../../lines.tsx';
import { useFields } from './fields.tsx';

const FIELDS: readonly { field: HostField; label: string; placeholder: string }[] = [
  { field: 'name', label: 'name', placeholder: 'member name, such as pi1' },
  { field: 'address', label: 'address', placeholder: 'where etcd listens, such as 10.0.11.1' },
  { field: 'ssh', label: 'log in as', placeholder: 'user@host:port; as ~/.ssh/config says' },
  { field: 'dnsNames', label: 'DNS names', placeholder: 'none; such as pi1.home' },
  { field: 'zone', label: 'zone', placeholder: 'none; such as az1, if hosts can fail together' },
];

export interface HostFormProps {
  hosts: readonly HostAnswer[];
  index: number;
  dispatch(action: WizardAction): void;
  title: ReturnType<typeof line>;
  onDone(): void;
}

export function HostForm({ hosts, index, dispatch, title, onDone }: HostFormProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const host = hosts[index];
  const { lines, focus, fine } = useFields(
    FIELDS.map(({ field, label, placeholder }) => ({
      label,
      placeholder,
      value: host === undefined ? '' : hostField(host, field),
      problem: (text) => {
        const outcome = editHost(hosts, index, field, text);
        return outcome.ok ? undefined : outcome.message;
      },
      onChange: (text, problem) => {
        if (problem === undefined) dispatch({ type: 'editHost', index, field, text });
      },
    })),
    columns,
    symbols,
    onDone,
  );
  useBindings([{ keys: ['escape'], hint: 'back to the hosts', run: onDone }]);
  return (
    <Frame
      title={title}
      body={[
        line(' ', bold(`Host ${host?.name ?? ''}`)),
        line(),
        ...lines,
        line(),
        ...paragraph(
          fine
            ? 'Changes count as soon as they are right.'
            : 'What is marked is not taken over: the host keeps what it had.',
          columns - 4,
          { indent: 3, role: 'dim' },
        ),
      ]}
      focus={focus + 2}
      scroll="focus"
    />
  );
}
