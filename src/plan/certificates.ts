/** Which certificates of a host, and which clients of the controller, have to be issued, and why. */
import type { FileFact } from '../facts.ts';
import type { CertificateInfo, LeafSpec } from '../pki/types.ts';
import { leafMatches, leafSpecs } from './leaves.ts';
import type { PlanInput } from './types.ts';
import { type ClusterView, type HostView, inspectFile, inspectOrNothing } from './view.ts';

export interface DueLeaf {
  leaf: LeafSpec;
  /** In words; empty when nothing is wrong with it. */
  reasons: string[];
  /** What lies there now. */
  found?: CertificateInfo;
}

/** The three leaves of one host. */
export function hostLeaves({ input, ca }: ClusterView, view: HostView): DueLeaf[] {
  return leafSpecs(input.profile)
    .filter(({ host }) => host === view.name)
    .map((leaf) => {
      const { cert, key } = view.layout.certificates[leaf.role];
      const [certFile, keyFile] = [view.facts.files[cert], view.facts.files[key]];
      if (certFile === undefined && keyFile === undefined) return { leaf, reasons: ['it is not there yet'] };
      if (certFile === undefined) return { leaf, reasons: ['the certificate is missing'] };
      const found = inspectFile(input, certFile);
      if (found === undefined) return { leaf, reasons: ['the file holds no certificate'] };
      const issuer = ca[leaf.anchor];
      const reasons = issuer === undefined ? ['its CA is made anew'] : leafMatches(leaf, found, input.now, issuer);
      return { leaf, found, reasons: [...reasons, ...keyReasons(input, leaf, found, keyFile)] };
    });
}

/**
 * Ours is a key with the sum that was recorded when it was put there, else one whose public key is the certificate's. Where
 * neither can be told (another controller issued it, no tool on the host derives it) the pair is believed: the proof
 * at the end would show a wrong one, etcd does not start with it.
 */
function keyReasons(input: PlanInput, leaf: LeafSpec, found: CertificateInfo, key: FileFact | undefined): string[] {
  if (key === undefined) return ['its private key is missing'];
  if (key.publicKey !== undefined)
    return key.publicKey === found.publicKey ? [] : ['the private key is not the certificate’s'];
  const issued = input.state.issued[leaf.id];
  if (issued === undefined || key.sha256 === undefined || issued.keySha256 === key.sha256) return [];
  const same = inspectOrNothing(input, issued.certificatePem)?.fingerprint === found.fingerprint;
  return same ? ['the private key has been changed'] : [];
}

/** Client bundles that stay on the controller. */
export function controllerClients({ input, ca }: ClusterView): DueLeaf[] {
  return leafSpecs(input.profile)
    .filter(({ host }) => host === undefined)
    .map((leaf) => {
      const pem = input.state.clients[leaf.commonName];
      if (pem === undefined) return { leaf, reasons: ['it is not there yet'] };
      const found = inspectOrNothing(input, pem);
      if (found === undefined) return { leaf, reasons: ['the file holds no certificate'] };
      const issuer = ca[leaf.anchor];
      return {
        leaf,
        found,
        reasons: issuer === undefined ? ['its CA is made anew'] : leafMatches(leaf, found, input.now, issuer),
      };
    });
}
