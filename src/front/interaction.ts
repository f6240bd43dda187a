/** What a run may ask of the person (or of flags): one shape for Ink, plain lines and headless. */
import type { Plan } from '../plan/types.ts';
import type { ConnectQuestions } from '../remote/transport.ts';

export interface Interaction extends ConnectQuestions {
  /** The plan has been shown (event `plan`); true: do it. `changed`: the hosts changed since it was shown first. */
  acceptPlan(plan: Plan, changed: boolean): Promise<boolean>;
}
