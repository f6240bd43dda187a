/**
 * Keys: binding → command → hint. A screen says which keys it has now; the footer and the help are made from the same list,
 * so they never name a key that does nothing.
 */
import {
  createContext,
  type ReactNode,
  useContext,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { type Key, type KeyName, useKeys } from '../src/terminal/ink.ts';
import type { Symbols } from './symbols.ts';

export interface Binding {
  /** Names, or single characters. The first is the one that is shown. */
  keys: readonly (KeyName | string)[];
  /** For the footer: a word or two. Absent: the key works but is not shown. */
  hint?: string;
  /** For the help: a sentence. */
  help?: string;
  /** Shown in place of the first key's name: «↑↓». */
  label?: string;
  run(): void;
}

/** Who gets a key first: questions before widgets before screens before the app. */
export const LEVEL = { app: 0, screen: 1, widget: 2, question: 3 } as const;

interface Layer {
  level: number;
  /** Nothing below gets a key, nor shows its hints. */
  modal: boolean;
  bindings: readonly Binding[];
  /** A text field: takes what it wants. @returns true when it took the key */
  text?: (key: Key) => boolean;
}

/** vi's keys, where nothing else wants the letter and no text is being typed. */
const ALIASES: Record<string, KeyName> = { k: 'up', j: 'down', h: 'left', l: 'right', g: 'home', G: 'end' };
/** Up to so many characters in one chunk are fast fingers; more is a paste, which never gives commands. */
const FAST_FINGERS = 4;

export class KeyMap {
  #layers: Layer[] = [];
  readonly #listeners = new Set<() => void>();
  #version = 0;
  /** The help is shown; the next key takes it away. */
  help = false;

  add(layer: Layer): () => void {
    this.#layers = [layer, ...this.#layers];
    this.changed();
    return () => {
      this.#layers = this.#layers.filter((each) => each !== layer);
      this.changed();
    };
  }

  changed(): void {
    this.#version++;
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  version = (): number => this.#version;

  /** Layers that get keys now, first the one that gets them first. */
  #active(): Layer[] {
    const sorted = this.#layers.toSorted((a, b) => b.level - a.level);
    const modal = sorted.find((layer) => layer.modal);
    // Ctrl-C and the like stay with the app whatever question is open.
    return modal === undefined ? sorted : sorted.filter(({ level }) => level >= modal.level || level === LEVEL.app);
  }

  /** True while a text field has the keys: letters are text then. */
  get typing(): boolean {
    return this.#active().some((layer) => layer.text !== undefined);
  }

  /** What works now, for footer and help. */
  bindings(): Binding[] {
    const typing = this.typing;
    const seen = new Set<string>();
    return this.#active()
      .flatMap((layer) => layer.bindings)
      .filter((binding) => {
        const key = binding.keys[0] ?? '';
        if (seen.has(key) || (typing && [...key].length === 1)) return false;
        seen.add(key);
        return true;
      });
  }

  dispatch(key: Key): void {
    if (this.help) {
      this.help = false;
      this.changed();
      if (key.name !== 'ctrl-c') return;
    }
    const active = this.#active();
    const typing = this.typing;
    if (key.name === 'text' && !typing && key.text.length > 1) {
      if (key.text.length <= FAST_FINGERS) for (const text of key.text) this.dispatch({ name: 'text', text });
      return;
    }
    const id = key.name === 'text' ? key.text : key.name;
    for (const layer of active) {
      if (layer.text?.(key)) return;
      if (typing && key.name === 'text') continue;
      const binding = layer.bindings.find(({ keys }) => keys.includes(id));
      if (binding !== undefined) {
        binding.run();
        return;
      }
    }
    const alias = typing || key.name !== 'text' ? undefined : ALIASES[key.text];
    if (alias !== undefined) this.dispatch({ name: alias });
  }
}

const KeyMapContext = createContext(new KeyMap());

/** Gives the tree below one map of keys. */
export function Keys({ children }: { children?: ReactNode }): ReactNode {
  const [map] = useState(() => new KeyMap());
  useKeys((key) => map.dispatch(key));
  return <KeyMapContext.Provider value={map}>{children}</KeyMapContext.Provider>;
}

/** The map, and a new look whenever what works has changed. */
export function useKeyMap(): KeyMap {
  const map = useContext(KeyMapContext);
  useSyncExternalStore(map.subscribe, map.version);
  return map;
}

export interface LayerOptions {
  level?: number;
  active?: boolean;
  modal?: boolean;
  text?: (key: Key) => boolean;
}

/** Keys of this component, while it is there and `active`. */
export function useBindings(
  bindings: readonly Binding[],
  { level = LEVEL.screen, active = true, modal = false, text }: LayerOptions = {},
): void {
  const map = useContext(KeyMapContext);
  const layer = useRef<Layer>({ level, modal, bindings });
  const typing = text !== undefined;
  useLayoutEffect(() => {
    layer.current.bindings = bindings;
    layer.current.text = text;
  });
  useLayoutEffect(() => {
    if (!active) return undefined;
    layer.current = { ...layer.current, level, modal };
    return map.add(layer.current);
  }, [map, active, level, modal]);
  // The footer looks again only when what it shows has changed.
  const shown = bindings.map(({ keys, hint, label }) => `${keys.join(' ')}/${label}/${hint}`).join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shown` and `typing` stand for the bindings
  useLayoutEffect(() => {
    if (active) map.changed();
  }, [map, active, shown, typing]);
}

/** A key as it is written in the footer. */
export function keyLabel(binding: Binding, symbols: Symbols): string {
  if (binding.label !== undefined) return binding.label;
  const key = binding.keys[0] ?? '';
  const names: Record<string, string> = {
    up: symbols.up,
    down: symbols.down,
    left: symbols.left,
    right: symbols.right,
    enter: symbols.enter,
    tab: symbols.tab,
    escape: 'esc',
    'shift-tab': `shift ${symbols.tab}`,
    'page-up': 'PgUp',
    'page-down': 'PgDn',
    ' ': 'space',
  };
  return names[key] ?? key.replace(/^ctrl-(.)$/, (_, letter: string) => `^${letter.toUpperCase()}`);
}
