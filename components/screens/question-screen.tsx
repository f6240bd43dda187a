/** Questions in the middle of a run: the plan, an unknown host key, a secret. Each takes the whole frame and every key. */
import { type ReactNode, useEffect, useState } from 'react';
import { useWindowSize } from '../../src/terminal/ink.ts';
import { Frame, pointerSpan, useSymbols } from '../frame.tsx';
import { LEVEL, useBindings } from '../keys.tsx';
import { accent, bold, dim, type Line, line, paragraph, warn, width } from '../lines.tsx';
import type { OpenQuestion } from '../questions.ts';
import { useTextInput } from '../widgets/text-input.ts';
import { type FileDiff, planRows, planState } from './plan-lines.ts';

export function QuestionScreen({ question }: { question: OpenQuestion }): ReactNode {
  if (question.kind === 'plan') return <PlanScreen key={String(question.changed)} question={question} />;
  if (question.kind === 'host-key')
    return <HostKeyScreen key={`${question.key.host} ${question.key.fingerprint}`} question={question} />;
  return <SecretScreen key={question.secret.id} question={question} />;
}

/** A key meant for the screen before, or one held down, must not answer a question that nobody has read. */
const READING_MS = 400;

/** False for the first moment of a question: the key that agrees neither works nor is shown then. */
function useReadable(): boolean {
  const [readable, setReadable] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setReadable(true), READING_MS);
    return () => clearTimeout(timer);
  }, []);
  return readable;
}

function PlanScreen({
  question: { plan, changed, answer },
}: {
  question: Extract<OpenQuestion, { kind: 'plan' }>;
}): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const readable = useReadable();
  const [details, setDetails] = useState<{ row: number; diff: FileDiff }>();
  const [failed, setFailed] = useState<unknown>();
  // What compares files is not needed before somebody looks at one.
  const show = (row: number | undefined) => {
    if (row === undefined) return;
    import('../../src/plan/render.ts').then(({ fileDiff }) => setDetails({ row, diff: fileDiff }), setFailed);
  };
  if (failed !== undefined) throw failed;
  const rows = planRows(plan, columns, symbols);
  const choosable = rows.flatMap((row, index) => (row.details === undefined ? [] : [index]));
  const [wanted, setWanted] = useState(0);
  const chosen = Math.min(wanted, Math.max(0, choosable.length - 1));
  const blocked = plan.findings.some(({ severity }) => severity === 'stop');
  const shown = details === undefined ? undefined : rows[details.row]?.details?.(columns, details.diff);
  useBindings(
    shown === undefined
      ? [
          ...(blocked || !readable
            ? []
            : [{ keys: ['y'], hint: 'do it', help: 'make these changes on the hosts', run: () => answer(true) }]),
          {
            keys: ['d', 'enter'],
            hint: 'show',
            help: 'the commands, or the change of the file, at the pointer',
            run: () => show(choosable[chosen]),
          },
          {
            keys: ['up'],
            label: symbols.up + symbols.down,
            hint: 'move',
            run: () => setWanted(Math.max(0, chosen - 1)),
          },
          { keys: ['down'], run: () => setWanted(Math.min(choosable.length - 1, chosen + 1)) },
          { keys: ['page-down', ' '], run: () => setWanted(Math.min(choosable.length - 1, chosen + 10)) },
          { keys: ['page-up'], run: () => setWanted(Math.max(0, chosen - 10)) },
          { keys: ['home'], run: () => setWanted(0) },
          { keys: ['end'], run: () => setWanted(choosable.length - 1) },
          { keys: ['escape', 'n', 'q'], hint: blocked ? 'back' : 'no, change nothing', run: () => answer(false) },
        ]
      : [{ keys: ['escape', 'd', 'enter', 'q'], hint: 'back to the plan', run: () => setDetails(undefined) }],
    { level: LEVEL.screen },
  );

  const name = line(bold(`Plan for ${plan.cluster}`));
  const whole = line(name, '   ', planState(plan, changed));
  const title = width(whole) <= columns - 2 ? whole : [name, line(planState(plan, changed))];
  if (shown !== undefined) return <Frame key="details" title={title} body={shown} scroll="keys" />;
  const body: Line[] = [];
  let focus = 0;
  rows.forEach((row, index) => {
    const here = row.details !== undefined && choosable[chosen] === index;
    if (here) focus = body.length;
    for (const each of row.lines)
      body.push(row.details === undefined ? each : line(' ', pointerSpan(here, symbols), each));
  });
  if (choosable.length === 0) body.push(line('   ', dim('nothing to do')));
  // Without anything to choose the arrows scroll: findings may be long.
  const tail = blocked
    ? [line(), line(' ', warn('This has to be mended first; nothing has been changed.'))]
    : [
        line(),
        readable
          ? line(' ', 'Press ', accent('y'), ` to do it${plan.state === 'running' ? ', one member at a time' : ''}.`)
          : line(),
      ];
  return (
    <Frame
      key="plan"
      title={title}
      body={body}
      focus={focus}
      scroll={choosable.length === 0 ? 'keys' : 'focus'}
      tail={tail}
      about="This is what will be done, in this order, and nothing else. Nothing has been changed on any host so far. Press d to see the very commands, or a file's change line by line."
    />
  );
}

function HostKeyScreen({
  question: { key, answer },
}: {
  question: Extract<OpenQuestion, { kind: 'host-key' }>;
}): ReactNode {
  const { columns } = useWindowSize();
  const readable = useReadable();
  useBindings(
    [
      ...(readable ? [{ keys: ['y'], hint: 'it is right: remember it', run: () => answer(true) }] : []),
      { keys: ['n', 'escape'], hint: 'no, do not connect', run: () => answer(false) },
    ],
    { level: LEVEL.question, modal: true },
  );
  return (
    <Frame
      title={line(bold(`${key.host} is not known yet`))}
      body={[
        ...paragraph(`The host at ${key.address} shows this ${key.type} key:`, columns - 2, { indent: 1 }),
        line(),
        // Alone and unbroken on its line, so that it can be compared and copied.
        line('   ', bold(key.fingerprint)),
        line(),
        ...paragraph('Compare it with what the host itself says, at its own console:', columns - 2, { indent: 1 }),
        line(),
        line(
          '   ',
          'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'.replace(
            'ed25519',
            key.type.includes('ecdsa') ? 'ecdsa' : key.type.includes('rsa') ? 'rsa' : 'ed25519',
          ),
        ),
        line(),
        ...paragraph('If the two differ, someone else is answering at that address.', columns - 2, { indent: 1 }),
      ]}
    />
  );
}

const SECRET_WORDS: Record<Extract<OpenQuestion, { kind: 'secret' }>['secret']['kind'], string> = {
  'ssh-password': 'A password is needed to log in',
  'key-passphrase': 'A passphrase is needed for the key',
  'sudo-password': 'A password is needed for root’s rights',
  'keyboard-interactive': 'The host asks',
  'ca-passphrase': 'A passphrase is needed for the certificate authority’s key',
  'p12-password': 'A password is needed for the PKCS#12 file',
};

function SecretScreen({
  question: { secret, answer },
}: {
  question: Extract<OpenQuestion, { kind: 'secret' }>;
}): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const [text, setText] = useState('');
  const input = useTextInput({ value: text, onChange: setText, mask: symbols.mask, level: LEVEL.question });
  useBindings(
    [
      { keys: ['enter'], hint: 'go on', run: () => answer(text) },
      { keys: ['escape'], hint: 'give none', run: () => answer(undefined) },
    ],
    { level: LEVEL.question, modal: true },
  );
  return (
    <Frame
      title={line(bold(SECRET_WORDS[secret.kind]))}
      body={[
        ...(secret.retry ? [line(' ', warn('That was not accepted. Please try again.')), line()] : []),
        ...paragraph(secret.prompt, columns - 2, { indent: 1 }),
        line(),
        line('   ', input.field(columns - 4)),
        line(),
        ...paragraph('It is kept in memory until this program ends, and written nowhere.', columns - 2, {
          role: 'dim',
          indent: 1,
        }),
      ]}
    />
  );
}
