/** The controller's part of certificates: minting CAs, client bundles, opening the CA that signs. */
import { asWizardError, WizardError } from '../errors.ts';
import type { Anchor, CertificateAuthority } from '../pki/types.ts';
import type { Action } from '../plan/types.ts';
import type { Profile } from '../profile/schema.ts';
import type { ClusterState } from '../state/cluster.ts';
import { type ApplyContext, CONTROLLER } from './context.ts';

/** A CA outlives its certificates: ten years, or twice the leaves' validity where that is longer. */
const caDays = (profile: Profile): number => Math.max(3650, profile.certificates.validityDays * 2);

/** Asks for the passphrase of the CA's key; undefined when there is none to be had. */
export type AskPassphrase = (question: { retry: boolean; prompt: string }) => Promise<string | undefined>;

/** Makes the CAs that are missing. Their keys are stored under the passphrase when one was given. */
export async function mintAuthorities(
  context: ApplyContext,
  action: Extract<Action, { kind: 'mint-ca' }>,
): Promise<void> {
  const { createCa, encryptKey, isEncryptedKey } = await import('../pki/index.ts');
  const others = await Promise.all((['client', 'peer'] as const).map((anchor) => context.state.caKey(anchor)));
  // A run that was ended between two CAs is gone on with as it was begun.
  if (context.newCaPassphrase === undefined && others.some((key) => key !== undefined && isEncryptedKey(key))) {
    throw new WizardError(
      'usage',
      'The CA that is made now would have a key without a passphrase; the other one has one.',
      {
        next: ['Go on as it was begun:', `etcd-wizard replay ${context.called} --encrypt-ca`],
      },
    );
  }
  for (const anchor of action.anchors) {
    const suffix = context.profile.ca.peers === 'same' ? 'CA' : anchor === 'peer' ? 'peer CA' : 'client CA';
    const ca = await createCa({
      commonName: `${context.profile.name} etcd ${suffix}`,
      keyAlgorithm: context.profile.certificates.keyAlgorithm,
      validityDays: caDays(context.profile),
      now: context.now(),
    });
    const keyPem = context.newCaPassphrase === undefined ? ca.keyPem : encryptKey(ca.keyPem, context.newCaPassphrase);
    context.touched.add(CONTROLLER);
    await context.state.saveCa(anchor, { certificatePem: ca.certificatePem, keyPem });
  }
}

export async function issueClient(
  context: ApplyContext,
  action: Extract<Action, { kind: 'issue-client' }>,
): Promise<void> {
  const [leaf] = await (await context.authority()).issue([action.leaf]);
  if (leaf === undefined) return;
  context.touched.add(CONTROLLER);
  await context.state.saveClient(leaf);
}

/**
 * Opens the cluster's own CA from the state folder.
 * @throws WizardError `state` when its key is not here or unusable, `pki` when the passphrase is wrong three times
 */
export async function openSelfSigned(
  profile: Profile,
  state: ClusterState,
  now: () => number,
  ask: AskPassphrase,
): Promise<CertificateAuthority> {
  const { SelfSignedAuthority, decryptKey, isEncryptedKey, keyMatches } = await import('../pki/index.ts');
  const known = (await state.read()).ca;
  let passphrase: string | undefined;
  const open = async (anchor: Anchor) => {
    const certificatePem = known[anchor]?.certificatePem;
    let keyPem = await state.caKey(anchor);
    if (certificatePem === undefined || keyPem === undefined) {
      throw new WizardError('state', `The key of ${profile.name}’s CA is not on this machine.`, {
        why: `It belongs into ${state.folder}.`,
        next: ['Copy that folder from the machine that made the cluster, then run the same command again.'],
      });
    }
    for (let tries = 0; isEncryptedKey(keyPem); tries += 1) {
      passphrase ??= await ask({ retry: tries > 0, prompt: `Passphrase of ${profile.name}’s CA key` });
      if (passphrase === undefined)
        throw new WizardError('no-terminal', 'The CA key is under a passphrase and there is nobody to ask.', {
          next: ['Give it with --ca-passphrase-file FILE.'],
        });
      try {
        keyPem = decryptKey(keyPem, passphrase);
      } catch (cause) {
        passphrase = undefined;
        if (cause instanceof WizardError && cause.code === 'bad-input')
          throw unusableKey(profile, state.caKeyPath(anchor), cause);
        if (tries === 2) throw cause;
      }
    }
    const path = state.caKeyPath(anchor);
    try {
      if (keyMatches(certificatePem, keyPem)) return { certificatePem, keyPem };
    } catch (thrown) {
      throw unusableKey(profile, path, asWizardError(thrown));
    }
    throw unusableKey(profile, path, new WizardError('pki', 'It does not belong to the certificate beside it.'));
  };
  const client = await open('client');
  const peer = profile.ca.peers === 'same' ? client : await open('peer');
  return new SelfSignedAuthority({ client, peer, now });
}

const unusableKey = (profile: Profile, path: string, cause: WizardError): WizardError =>
  new WizardError('state', `The key of ${profile.name}’s CA cannot be used: ${path}`, {
    why: [cause.message, cause.why].filter(Boolean).join(' '),
    next: ['Put this file back from a backup, or copy it from another machine that has this cluster’s folder.'],
    cause,
  });
