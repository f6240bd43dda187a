/** Connection tests of the wizard's hosts: begun when a host is added or its address or login changes, dropped when it goes. */
import { useEffect, useRef, useState } from 'react';
import type { HostAnswer } from '../../../src/wizard/types.ts';
import type { Questions } from '../../questions.ts';
import type { AppServices, HostProbe } from '../../services.ts';

export type ProbeState = HostProbe | { state: 'running' };

export interface Probes {
  of(host: HostAnswer): ProbeState | undefined;
  /** Tests again. */
  again(host: HostAnswer): void;
}

/** What a test depends on: a new name of the member is no reason for another. */
const keyOf = ({ address, ssh }: HostAnswer): string => JSON.stringify([address, ssh]);

export function useProbes(services: AppServices, questions: Questions, hosts: readonly HostAnswer[]): Probes {
  const [results, setResults] = useState<ReadonlyMap<string, ProbeState>>(new Map());
  const running = useRef(new Map<string, AbortController>());
  const start = (host: HostAnswer) => {
    const key = keyOf(host);
    running.current.get(key)?.abort();
    const controller = new AbortController();
    running.current.set(key, controller);
    setResults((before) => new Map(before).set(key, { state: 'running' }));
    void services.probe(host, questions.interaction, controller.signal).then((probe) => {
      if (controller.signal.aborted) return;
      setResults((before) => new Map(before).set(key, probe));
    });
  };
  const wanted = hosts.map(keyOf).join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `wanted` stands for the hosts
  useEffect(() => {
    const keys = new Set(hosts.map(keyOf));
    for (const [key, controller] of running.current) {
      if (keys.has(key)) continue;
      controller.abort();
      running.current.delete(key);
    }
    for (const host of hosts) if (!running.current.has(keyOf(host))) start(host);
  }, [wanted]);
  // Leaving the wizard ends what is still being tried, and what it asks.
  useEffect(
    () => () => {
      for (const controller of running.current.values()) controller.abort();
      questions.refuseAll();
    },
    [questions],
  );
  return { of: (host) => results.get(keyOf(host)), again: start };
}
