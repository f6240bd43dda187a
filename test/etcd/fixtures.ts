import { layoutOf } from '../../src/etcd/layout.ts';
import type { Profile } from '../../src/profile/schema.ts';
import { parseProfile } from '../../src/profile/schema.ts';

/** A profile of three hosts with every default, changed as a test needs it. */
export function profileOf(changes: Record<string, unknown> = {}): Profile {
  const result = parseProfile({
    schemaVersion: 1,
    name: 'homelab',
    addressing: 'ip',
    hosts: [1, 2, 3].map((n) => ({ name: `pi${n}`, address: `10.0.${n}1.1`, dnsNames: [`etcd.az${n}.home`] })),
    ...changes,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.profile;
}

export function hostOf(profile: Profile, name = 'pi1') {
  const host = profile.hosts.find((each) => each.name === name);
  if (!host) throw new Error(`no host ${name}`);
  return { host, layout: layoutOf(profile, host) };
}
