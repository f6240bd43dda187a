/** The cluster's own authorities, in memory, as the one interface that issuing goes through. */
import { WizardError } from '../errors.ts';
import { type CaMaterials, issueLeaf, type OpenCa, openCa } from './ca.ts';
import { withKeyThreads } from './keys.ts';
import type { Anchor, CertificateAuthority, IssuedLeaf, LeafSpec } from './types.ts';

export class SelfSignedAuthority implements CertificateAuthority {
  readonly source = 'self-signed';
  readonly #authorities: Readonly<Record<Anchor, OpenCa>>;
  readonly #pems: Readonly<Record<Anchor, string>>;
  readonly #now: () => number;

  /**
   * @param options `client` and `peer` may be the same; keys are unencrypted PEM; `now` gives epoch milliseconds
   * @throws WizardError `pki` when a key does not belong to its certificate, `bad-input` when one cannot be read
   */
  constructor({ client, peer, now }: { client: CaMaterials; peer: CaMaterials; now: () => number }) {
    this.#authorities = { client: openCa(client), peer: openCa(peer) };
    this.#pems = { client: client.certificatePem, peer: peer.certificatePem };
    this.#now = now;
  }

  trustPem(anchor: Anchor): string {
    return this.#pems[anchor];
  }

  fingerprint(anchor: Anchor): string {
    return this.#authorities[anchor].certificate.info.fingerprint;
  }

  /** @throws WizardError `pki` naming the certificate that could not be made */
  issue(specs: readonly LeafSpec[]): Promise<IssuedLeaf[]> {
    const now = this.#now();
    return withKeyThreads(specs, async (spec) => {
      try {
        return await issueLeaf(this.#authorities[spec.anchor], spec, now);
      } catch (cause) {
        if (!(cause instanceof WizardError)) throw cause;
        const { code, message, why, next } = cause;
        throw new WizardError(code, message, {
          step: `issuing ${spec.id}`,
          ...(spec.host === undefined ? {} : { host: spec.host }),
          ...(why === undefined ? {} : { why }),
          next: [...next],
          cause,
        });
      }
    });
  }
}
