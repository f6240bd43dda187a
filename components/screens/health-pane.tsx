/** The live pane: looks at every endpoint at an interval, pauses, refreshes on demand, shows details. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { ClusterHealth } from '../../src/health/types.ts';
import { useTicker, useWindowSize } from '../../src/terminal/ink.ts';
import { Frame, useSymbols } from '../frame.tsx';
import { useBindings } from '../keys.tsx';
import type { HealthSource } from '../services.ts';
import { detailLines, type HealthView, HISTORY, healthBody, healthTitle } from './health-lines.ts';

/** What `+` and `−` step through, milliseconds. */
const INTERVALS = [1000, 2000, 5000, 10_000, 30_000, 60_000];

export interface HealthPaneProps {
  source: HealthSource;
  /** Milliseconds between two looks. */
  interval: number;
  onQuit(): void;
  /** What quitting leads to, for the footer. */
  quitHint?: string;
  /** Called after each look. */
  onLook?(health: ClusterHealth): void;
  /** The last frame, which stays in the terminal. */
  final?: boolean;
}

export function HealthPane({ source, interval, onQuit, quitHint = 'quit', onLook, final }: HealthPaneProps): ReactNode {
  const { columns } = useWindowSize();
  const symbols = useSymbols();
  const [every, setEvery] = useState(interval);
  const [paused, setPaused] = useState(false);
  const [details, setDetails] = useState(false);
  const { health, history, refresh } = useHealth(source, every, paused, onLook);
  const step = (by: 1 | -1) => {
    const nearest = INTERVALS.findIndex((each) => each >= every);
    setEvery(
      INTERVALS[Math.min(INTERVALS.length - 1, Math.max(0, (nearest === -1 ? INTERVALS.length - 1 : nearest) + by))] ??
        every,
    );
  };
  useBindings([
    {
      keys: ['enter'],
      hint: details ? 'overview' : 'details',
      help: 'everything known of each member',
      run: () => setDetails(!details),
    },
    {
      keys: ['p', ' '],
      hint: paused ? 'go on' : 'pause',
      help: 'stop looking, or go on',
      run: () => setPaused(!paused),
    },
    { keys: ['r'], hint: 'refresh', help: 'look now, also while paused', run: refresh },
    {
      keys: ['+', '='],
      label: `+ ${symbols.dash}`,
      hint: `every ${every / 1000} s`,
      help: 'look less or more often (1 s to 60 s)',
      run: () => step(1),
    },
    { keys: ['-', '_', '−'], run: () => step(-1) },
    ...(details ? [{ keys: ['escape'], run: () => setDetails(false) }] : []),
    { keys: ['q', ...(details ? [] : ['escape'])], hint: quitHint, run: onQuit },
  ]);
  const at = health?.members[0]?.sample.at;
  const view: HealthView = {
    title: source.title,
    health,
    history,
    paused,
    time: at === undefined ? '' : timeOfDay(at),
    cells: columns,
    symbols,
  };
  return (
    <Frame
      title={healthTitle(view)}
      body={details ? detailLines(view) : healthBody(view)}
      scroll="keys"
      final={final}
      about="Each row is one etcd member as it was at the last look. Latency is the time of one status request over the open connection; raft is the last log entry that the member has; certificates tells when the first one expires."
    />
  );
}

/** Looks at once, then at the interval; never two looks at a time, so that a slow endpoint slows the pace and nothing else. */
function useHealth(
  source: HealthSource,
  every: number,
  paused: boolean,
  onLook: ((health: ClusterHealth) => void) | undefined,
) {
  const [health, setHealth] = useState<ClusterHealth>();
  const history = useRef(new Map<string, (number | undefined)[]>());
  const [wanted, setWanted] = useState(0);
  const tick = useTicker(every, !paused);
  const busy = useRef(false);
  const current = useRef({ source, onLook });
  current.current = { source, onLook };
  // biome-ignore lint/correctness/useExhaustiveDependencies: each tick and each wish is a look
  useEffect(() => {
    if (busy.current) return;
    busy.current = true;
    void source.look().then((seen) => {
      busy.current = false;
      if (current.current.source !== source) return;
      for (const member of seen.members) {
        const before = history.current.get(member.name) ?? [];
        history.current.set(member.name, [...before, member.sample.latencyMs].slice(-HISTORY));
      }
      setHealth(seen);
      current.current.onLook?.(seen);
    });
  }, [source, tick, wanted]);
  return { health, history: history.current, refresh: () => setWanted((count) => count + 1) };
}

const timeOfDay = (at: number): string => new Date(at).toTimeString().slice(0, 8);
