/** All certificates of nine hosts and five clients, P-256, with both authorities. */
import { leafSpecs } from '../src/plan/leaves.ts';
import { parseProfile } from '../src/profile/schema.ts';
import { median, type Row, time } from './report.ts';

export async function certificates(runs: number): Promise<Row[]> {
  const { createCa, SelfSignedAuthority } = await import('../src/pki/index.ts');
  const parsed = parseProfile({
    schemaVersion: 1,
    name: 'bench',
    hosts: Array.from({ length: 9 }, (_, index) => ({
      name: `pi${index + 1}`,
      address: `10.0.0.${index + 1}`,
      dnsNames: [`etcd.az${index + 1}.home`],
    })),
    certificates: {
      clients: ['root', 'kube-apiserver', 'prometheus', 'k3s', 'backup'].map((commonName) => ({ commonName })),
    },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const specs = leafSpecs(parsed.profile);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const begun = performance.now();
    const options = { keyAlgorithm: 'ecdsa-p256', validityDays: 3650, now: Date.now() } as const;
    const [client, peer] = await Promise.all(
      ['clients', 'peers'].map((each) => createCa({ ...options, commonName: `bench ${each}` })),
    );
    if (client === undefined || peer === undefined) throw new Error('no authority');
    const leaves = await new SelfSignedAuthority({ client, peer, now: Date.now }).issue(specs);
    times.push(performance.now() - begun);
    if (leaves.length !== 9 * 3 + 5) throw new Error(`${leaves.length} certificates`);
  }
  return [
    {
      what: `certificates for 9 hosts and 5 clients, P-256 (${specs.length} and 2 authorities)`,
      measured: time(times),
      bar: 'under 150 ms',
      met: median(times) < 150,
    },
  ];
}
