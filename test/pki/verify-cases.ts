/** Every row of what is verified and what Go says of it: read by our own verifier and by a real Go. */
import './verify-names.ts';
import './verify-chains.ts';

export { cases } from './verify-table.ts';
