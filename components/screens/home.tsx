/** The first screen: what can be done, and the saved clusters. */
import { type ReactNode, useEffect, useState } from 'react';
import { useWindowSize } from '../../src/terminal/ink.ts';
import { Frame, pointerSpan, titleLine, useSymbols } from '../frame.tsx';
import { useBindings } from '../keys.tsx';
import { bad, between, bold, dim, type Line, line, paragraph, type Span, sized, width } from '../lines.tsx';
import type { SavedProfile } from '../services.ts';
import type { Symbols } from '../symbols.ts';
import { useSelect } from '../widgets/select.ts';

export type HomeChoice = { kind: 'new' } | { kind: 'try' } | { kind: 'replay' | 'health'; name: string };

interface Entry {
  title: string;
  words: string;
  choice: HomeChoice;
}

const ENTRIES: readonly Entry[] = [
  { title: 'New cluster', words: 'about six questions, then watch it come up', choice: { kind: 'new' } },
  { title: 'Try it here', words: 'three members on this machine; no root, no hosts', choice: { kind: 'try' } },
];

export interface HomeProps {
  version: string;
  profiles: () => Promise<SavedProfile[]>;
  onChoose(choice: HomeChoice): void;
  onQuit(): void;
  /** What happened just before, in words. */
  message?: string;
}

export function Home({ version, profiles, onChoose, onQuit, message }: HomeProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const saved = useSaved(profiles);
  const list = saved.profiles ?? [];
  const [index] = useSelect({
    count: ENTRIES.length + list.length,
    labels: { arrows: symbols.up + symbols.down },
    verb: 'open',
    onChoose: (chosen) => {
      const entry = ENTRIES[chosen];
      const profile = list[chosen - ENTRIES.length];
      if (entry !== undefined) onChoose(entry.choice);
      else if (profile !== undefined && profile.problem === undefined) onChoose({ kind: 'health', name: profile.name });
    },
  });
  const profile = list[index - ENTRIES.length];
  const usable = profile !== undefined && profile.problem === undefined;
  useBindings([
    ...(usable
      ? [
          {
            keys: ['h'],
            hint: 'health',
            help: 'the live pane of this cluster',
            run: () => onChoose({ kind: 'health', name: profile.name }),
          },
          {
            keys: ['r'],
            hint: 'replay',
            help: 'make the hosts as the profile says; shows the plan first',
            run: () => onChoose({ kind: 'replay', name: profile.name }),
          },
        ]
      : []),
    { keys: ['n'], help: 'new cluster', run: () => onChoose({ kind: 'new' }) },
    { keys: ['t'], help: 'try it here', run: () => onChoose({ kind: 'try' }) },
    { keys: ['q', 'escape'], hint: 'quit', run: onQuit },
  ]);

  const titleCells = Math.max(...ENTRIES.map((entry) => width(entry.title))) + 4;
  const body: Line[] = [
    ...ENTRIES.map((entry, row) =>
      line(
        ' ',
        pointerSpan(row === index, symbols),
        sized(row === index ? bold(entry.title) : entry.title, titleCells),
        dim(entry.words),
      ),
    ),
    line(),
    line(
      ' ',
      dim(
        saved.profiles === undefined
          ? saved.error === undefined
            ? 'Looking for saved clusters…'
            : ''
          : list.length === 0
            ? 'No saved clusters yet.'
            : 'Saved clusters',
      ),
    ),
    ...(saved.error === undefined
      ? []
      : paragraph(`${symbols.failed} The saved clusters could not be read: ${saved.error}`, columns - 2, {
          role: 'bad',
          indent: 1,
        })),
    ...list.map((each, row) => profileLine(each, row + ENTRIES.length === index, symbols)),
    ...(profile?.problem === undefined
      ? []
      : [
          line(),
          ...paragraph(profile.problem, columns - 4, { indent: 3, role: 'bad' }),
          line('   ', `etcd-wizard profile validate ${profile.name}`),
        ]),
  ];
  const focus = index < ENTRIES.length ? index : index + 2;
  return (
    <Frame
      title={between(titleLine(line(dim('TLS-secured etcd on hosts of your own'))), line(dim(version)), columns - 2)}
      body={body}
      focus={focus}
      scroll="focus"
      tail={message === undefined ? [] : [line(), ...paragraph(message, columns - 2, { indent: 1 })]}
      about="From a few hosts to a healthy etcd cluster with TLS on every connection. Nothing is changed on any host before you have seen the plan and agreed to it. A TLS error somewhere? «etcd-wizard health» shows each endpoint’s verdict."
    />
  );
}

function profileLine(profile: SavedProfile, chosen: boolean, symbols: Symbols): Line {
  const hosts = `${profile.hosts} ${profile.hosts === 1 ? 'host' : 'hosts'}, ${profile.topology}`;
  const state: Span = profile.problem === undefined ? dim(hosts) : bad(`${symbols.failed} cannot be used`);
  return line(
    ' ',
    pointerSpan(chosen, symbols),
    sized(chosen ? bold(profile.name) : profile.name, Math.max(20, Math.min(40, width(profile.name) + 2))),
    ' ',
    state,
  );
}

function useSaved(profiles: () => Promise<SavedProfile[]>): { profiles?: SavedProfile[]; error?: string } {
  const [state, setState] = useState<{ profiles?: SavedProfile[]; error?: string }>({});
  useEffect(() => {
    profiles().then(
      (list) => setState({ profiles: list }),
      (error: Error) => setState({ error: error.message }),
    );
  }, [profiles]);
  return state;
}
