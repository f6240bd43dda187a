/** The run screen alone, for a command: leaves by itself when the run is over. */
import type { ReactNode } from 'react';
import { Keys, LEVEL, useBindings } from './keys.tsx';
import { RunScreen, type RunScreenProps } from './screens/run-screen.tsx';

export type SingleRunProps = Omit<RunScreenProps, 'goOn'> & { onInterrupt(): void };

export function SingleRun(props: SingleRunProps): ReactNode {
  return (
    <Keys>
      <Inner {...props} />
    </Keys>
  );
}

function Inner({ onInterrupt, ...props }: SingleRunProps): ReactNode {
  useBindings([{ keys: ['ctrl-c'], run: onInterrupt }], { level: LEVEL.app });
  return <RunScreen {...props} goOn={() => true} />;
}
