import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkProfile, problemLine } from '../../src/profile/read.ts';
import { profileSchema, usesKubeadmLayout } from '../../src/profile/schema.ts';

const folder = join(import.meta.dirname, '../../profiles');
const examples = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const load = (file: string) => {
  const checked = checkProfile(readFileSync(join(folder, file), 'utf8'), file);
  if (!checked.ok) throw new Error(checked.problems.map(problemLine).join('\n'));
  return checked.read.profile;
};

describe('example profiles', () => {
  it('there is one for each guide and a simplest one', () => {
    expect(examples.map((file) => file.replace(/\.yaml$/, '')).sort()).toEqual([
      'guide-000-vault-dns',
      'guide-001-static-pods',
      'guide-002-archive',
      'guide-003-external',
      'guide-003-stacked',
      'guide-004-k3s-alpine',
      'three-pis',
    ]);
  });

  it.each(examples)('%s is valid', (file) => {
    expect(load(file).hosts).toHaveLength(3);
  });

  it('the simplest one gets the defaults of a beginner', () => {
    expect(load('three-pis.yaml')).toMatchObject({
      topology: 'external',
      runtime: 'auto',
      addressing: 'ip',
      etcd: { install: 'package', dataDir: '/var/lib/etcd/three-pis', clientPort: 2379, peerPort: 2380 },
      ca: { source: 'self-signed', peers: 'separate' },
      certificates: {
        keyAlgorithm: 'ecdsa-p256',
        validityDays: 1825,
        directory: '/etc/etcd/ssl',
        clients: [{ commonName: 'root' }],
      },
      consumers: ['etcdctl'],
    });
  });

  it.each([
    ['guide-001-static-pods.yaml', true],
    ['guide-003-stacked.yaml', true],
    ['guide-003-external.yaml', false],
    ['guide-004-k3s-alpine.yaml', false],
  ])('%s: kubeadm’s layout is %s', (file, kubeadm) => {
    expect(usesKubeadmLayout(load(file))).toBe(kubeadm);
    expect(load(file).ca.peers).toBe(kubeadm ? 'same' : 'separate');
  });
});

describe('profile.schema.json', () => {
  // After a change of the schema: npx vitest run test/profile/examples.test.ts -u
  it('is what the schema in force says', async () => {
    const schema = {
      title: 'A profile of etcd-wizard',
      ...z.toJSONSchema(profileSchema, { io: 'input', unrepresentable: 'any' }),
    };
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../profiles/profile.schema.json');
  });
});
