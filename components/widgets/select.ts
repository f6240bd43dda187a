/** A list of which one is chosen: arrows, Home, End, Enter. */
import { useState } from 'react';
import { LEVEL, useBindings } from '../keys.tsx';

export interface SelectOptions {
  count: number;
  onChoose(index: number): void;
  initial?: number;
  active?: boolean;
  /** What Enter does, for the footer. */
  verb?: string;
  /** Going above the first or below the last: absent, it goes round. */
  onLeave?(direction: 'up' | 'down'): void;
  labels: { arrows: string };
}

/** @returns the chosen index, and a way to set it */
export function useSelect({
  count,
  onChoose,
  initial = 0,
  active = true,
  verb = 'choose',
  onLeave,
  labels,
}: SelectOptions): [number, (index: number) => void] {
  const [wanted, setIndex] = useState(initial);
  const index = Math.max(0, Math.min(wanted, count - 1));
  const move = (by: 1 | -1) => {
    const next = index + by;
    if ((next < 0 || next >= count) && onLeave !== undefined) return onLeave(by === 1 ? 'down' : 'up');
    setIndex(count === 0 ? 0 : (next + count) % count);
  };
  useBindings(
    [
      {
        keys: ['up', 'shift-tab'],
        label: labels.arrows,
        hint: 'move',
        help: 'up and down the list (or k and j)',
        run: () => move(-1),
      },
      { keys: ['down', 'tab'], run: () => move(1) },
      { keys: ['home'], run: () => setIndex(0) },
      { keys: ['end'], run: () => setIndex(count - 1) },
      { keys: ['enter'], hint: verb, run: () => count > 0 && onChoose(index) },
    ],
    { level: LEVEL.widget, active: active && count > 0 },
  );
  return [index, setIndex];
}
