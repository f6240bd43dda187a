/** What the Ink app can have done for it. Handed in from outside, so that components touch no host and no file. */
import type { RunEvent } from '../src/apply/events.ts';
import type { Interaction } from '../src/front/interaction.ts';
import type { ClusterHealth } from '../src/health/types.ts';
import type { ProfileFile } from '../src/profile/schema.ts';
import type { WizardDraft } from '../src/wizard/types.ts';

export interface SavedProfile {
  name: string;
  hosts: number;
  topology: string;
  /** Set when the file is there but cannot be used. */
  problem?: string;
}

/** What a connection test found, beside the host as it is typed. */
export type HostProbe =
  | { state: 'ok'; summary: string; warnings: string[] }
  | { state: 'failed'; what: string; why?: string; next: string[] };

export interface HealthSource {
  /** Title of the pane: profile name or first endpoint. */
  title: string;
  /** One look at every endpoint; keeps its connections. Never rejects: what failed is in the result. */
  look(): Promise<ClusterHealth>;
  close(): void;
}

export interface RunResult {
  outcome: 'healthy' | 'nothing-to-do' | 'declined' | 'failed' | 'interrupted';
  /** Lines for the terminal after the app has gone: what was done and the next commands. */
  summary: string[];
}

/** What an app that has gone leaves for the terminal. */
export interface Left {
  /** Summaries of runs, and errors that were on the screen, in order. */
  told: (string | { error: unknown })[];
  /** Why what the command was for did not come about. */
  failed?: { error: unknown };
}

/** The screen at which the app opens; left, it leads out again where a command named it. */
export type StartAt = { start: 'home' | 'new' } | { start: 'try'; members: number };

export interface AppServices {
  version: string;
  profiles(): Promise<SavedProfile[]>;
  /** The stored profile as written. @throws WizardError */
  load(name: string): Promise<ProfileFile>;
  /** Checks and stores; returns the path. @throws WizardError `bad-profile` with every problem */
  save(profile: ProfileFile): Promise<string>;
  /** Connects, looks, disconnects; asks through the interaction. Never rejects. */
  probe(host: ProfileFile['hosts'][number], interaction: Interaction, signal: AbortSignal): Promise<HostProbe>;
  /** Converges the hosts to the profile; reports by events; resolves also when it failed. */
  run(name: string, interaction: Interaction, emit: (event: RunEvent) => void, signal: AbortSignal): Promise<RunResult>;
  health(name: string): Promise<HealthSource>;
  /** The wizard that was left unfinished, if any. */
  draft(): Promise<WizardDraft | undefined>;
  /** Keeps an unfinished wizard; undefined forgets it. */
  keepDraft(draft: WizardDraft | undefined): Promise<void>;
  /** The embedded cluster: starts it, resolves to its health source; closing the source stops it. */
  tryHere(members: number, emit: (event: RunEvent) => void, signal: AbortSignal): Promise<HealthSource>;
}
