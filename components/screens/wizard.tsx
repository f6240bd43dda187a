import type { ReactNode } from 'react';
import type { Interaction } from '../../src/front/interaction.ts';
import type { ProfileFile } from '../../src/profile/schema.ts';
import type { AppServices } from '../services.ts';

export interface WizardProps {
  services: AppServices;
  interaction: Interaction;
  covered: boolean;
  onCancel(message?: string): void;
  onSaved(profile: ProfileFile): void;
}

export function Wizard(_: WizardProps): ReactNode {
  return null;
}
