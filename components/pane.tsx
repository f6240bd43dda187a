/** The health pane alone, for a command. Its last frame stays in the terminal, without keys. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Keys, LEVEL, useBindings } from './keys.tsx';
import { HealthPane, type HealthPaneProps } from './screens/health-pane.tsx';

export type PaneProps = HealthPaneProps & { onInterrupt(): void };

export function Pane(props: PaneProps): ReactNode {
  return (
    <Keys>
      <Inner {...props} />
    </Keys>
  );
}

function Inner({ onInterrupt, onQuit, ...props }: PaneProps): ReactNode {
  const [leaving, setLeaving] = useState(false);
  useBindings([{ keys: ['ctrl-c'], run: onInterrupt }], { level: LEVEL.app });
  const quit = useRef(onQuit);
  quit.current = onQuit;
  // Only once the last frame, without keys, has been drawn.
  useEffect(() => {
    if (leaving) quit.current();
  }, [leaving]);
  return <HealthPane {...props} onQuit={() => setLeaving(true)} final={leaving} />;
}
