/** Profiles of older versions brought up to date, one step a version. Pure. */
import { WizardError } from '../errors.ts';
import { SCHEMA_VERSION } from './schema.ts';

/** From the version that is the key to the next one. Empty as long as there is only one version. */
const MIGRATIONS: Readonly<Record<number, (profile: Record<string, unknown>) => Record<string, unknown>>> = {};

/**
 * @returns the value in today's shape; one without a usable version comes back as it is, for the schema to complain about
 * @throws WizardError `bad-profile` for a version that this program does not know yet
 */
export function migrate(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  let profile = value as Record<string, unknown>;
  const version = profile.schemaVersion;
  if (typeof version !== 'number' || !Number.isInteger(version)) return value;
  if (version > SCHEMA_VERSION) {
    throw new WizardError('bad-profile', 'This profile was made by a newer etcd-wizard.', {
      why: `Its schemaVersion is ${version}; this version knows ${SCHEMA_VERSION}.`,
      next: ['Update etcd-wizard, or write the profile anew with this version:', 'etcd-wizard new'],
    });
  }
  for (let from = version; from < SCHEMA_VERSION; from += 1) {
    const step = MIGRATIONS[from];
    if (step === undefined) return profile;
    profile = { ...step(profile), schemaVersion: from + 1 };
  }
  return profile;
}
