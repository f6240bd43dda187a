/** The bundle's entry: everything else is in cli.ts, so that tests can import it without running anything. */
import { main } from './cli.ts';

await main();
