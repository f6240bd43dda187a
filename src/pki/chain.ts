/** Finds chains from a certificate to a trust anchor: Go's buildChains, with every obstacle kept instead of the first one. */
import { cleanLine } from '../clean.ts';
import { type Certificate, isSignedBy } from './certificate.ts';
import { attributeOf } from './name.ts';
import { OID } from './oids.ts';
import { nameOf, type VerifyProblem, validityProblem } from './problems.ts';

/** Go gives up after this many signature checks (maxChainSignatureChecks): bundles made to waste time end here. */
const MAX_SIGNATURE_CHECKS = 100;

/** Kinds of keys that Go can verify with. */
const GO_KEYS = new Set(['rsa', 'ec', 'ed25519']);

interface Built {
  chains: Certificate[][];
  /** What Go would report, when there is no chain. */
  error?: VerifyProblem;
}

export class ChainBuilder {
  readonly #roots: readonly Certificate[];
  readonly #intermediates: readonly Certificate[];
  readonly #now: number;
  readonly #obstacles: VerifyProblem[] = [];
  #checks = 0;

  constructor(roots: readonly Certificate[], intermediates: readonly Certificate[], now: number) {
    this.#roots = distinct(roots);
    this.#intermediates = distinct(intermediates);
    this.#now = now;
  }

  /** Every chain for the leaf; without one, the problems: Go's own report first, then each obstacle that was met. */
  build(leaf: Certificate): { chains: Certificate[][]; problems: VerifyProblem[] } {
    // A certificate that is itself in the pool is trusted as it stands.
    if (this.#roots.some(({ info }) => info.fingerprint === leaf.info.fingerprint))
      return { chains: [[leaf]], problems: [] };
    const { chains, error } = this.#extend([leaf]);
    return { chains, problems: error ? [error, ...this.#obstacles] : [] };
  }

  #extend(chain: Certificate[]): Built {
    const child = chain.at(-1) as Certificate;
    const chains: Certificate[][] = [];
    let error: VerifyProblem | undefined;
    let hint: { problem: VerifyProblem; candidate: Certificate } | undefined;
    const meet = (problem: VerifyProblem, candidate: Certificate) => {
      this.#obstacles.push(problem);
      hint ??= { problem, candidate };
    };
    for (const place of ['root', 'intermediate'] as const) {
      for (const candidate of candidatesFor(child, place === 'root' ? this.#roots : this.#intermediates)) {
        if (++this.#checks > MAX_SIGNATURE_CHECKS)
          return { chains, ...(chains.length > 0 ? {} : { error: tooManyChecks(child) }) };
        if (!GO_KEYS.has(candidate.publicKey.asymmetricKeyType ?? '') || isIn(candidate, chain)) continue;
        const signature = signatureProblem(child, candidate);
        if (signature) {
          meet(signature, candidate);
          continue;
        }
        // As in Go, an unfit issuer is reported itself; a wrong signature only as a hint to «unknown authority».
        error = validityProblem(candidate, place, chain, this.#now);
        if (error) {
          meet(error, candidate);
        } else if (place === 'root') {
          chains.push([...chain, candidate]);
        } else {
          const above = this.#extend([...chain, candidate]);
          error = above.error;
          chains.push(...above.chains);
        }
      }
    }
    if (chains.length > 0) return { chains };
    return { chains, error: error ?? unknownAuthority(child, hint) };
  }
}

const distinct = (pool: readonly Certificate[]): Certificate[] => [
  ...new Map(pool.map((each) => [each.info.fingerprint, each])).values(),
];

/** Go's order: matching key identifiers first, then where one side has none, then the rest. */
function candidatesFor(child: Certificate, pool: readonly Certificate[]): Certificate[] {
  const rank = ({ info: { subjectKeyId } }: Certificate) => {
    if (subjectKeyId === child.info.authorityKeyId) return 0;
    return subjectKeyId === undefined || child.info.authorityKeyId === undefined ? 1 : 2;
  };
  return pool.filter(({ rawSubject }) => rawSubject.equals(child.rawIssuer)).sort((a, b) => rank(a) - rank(b));
}

/** Same subject, key and names: keeps authorities that signed each other from going round in circles. */
function isIn(candidate: Certificate, chain: readonly Certificate[]): boolean {
  return chain.some(
    ({ rawSubject, info, rawSan }) =>
      rawSubject.equals(candidate.rawSubject) &&
      info.publicKey === candidate.info.publicKey &&
      (rawSan === undefined ? candidate.rawSan === undefined : candidate.rawSan?.equals(rawSan) === true),
  );
}

/** Go's CheckSignatureFrom. */
function signatureProblem(child: Certificate, parent: Certificate): VerifyProblem | undefined {
  const fail = (code: VerifyProblem['code'], at: Certificate, message: string, go: string): VerifyProblem => ({
    code,
    subject: at.info.subject,
    message,
    go,
  });
  const mayNotSign = 'x509: invalid signature: parent certificate cannot sign this kind of certificate';
  if (parent.hasBasicConstraints ? !parent.info.isCa : parent.version === 3) {
    return fail(
      'issuer-not-ca',
      parent,
      `${nameOf(parent)} may not sign certificates: its basic constraints do not say CA:TRUE.`,
      mayNotSign,
    );
  }
  if (parent.info.keyUsage.length > 0 && !parent.info.keyUsage.includes('keyCertSign')) {
    return fail(
      'issuer-key-usage',
      parent,
      `${nameOf(parent)} may not sign certificates: its key usage lacks keyCertSign.`,
      mayNotSign,
    );
  }
  const algorithm = child.info.signatureAlgorithm;
  const weak: Record<string, string> = {
    md5WithRSAEncryption: 'MD5-RSA',
    sha1WithRSAEncryption: 'SHA1-RSA',
    'ecdsa-with-SHA1': 'ECDSA-SHA1',
  };
  if (weak[algorithm])
    return fail(
      'weak-signature',
      child,
      `${nameOf(child)} is signed with ${algorithm}, which Go refuses as unsafe.`,
      `x509: cannot verify signature: insecure algorithm ${weak[algorithm]}`,
    );
  if (/^[\d.]+$/.test(algorithm))
    return fail(
      'weak-signature',
      child,
      `${nameOf(child)} is signed with an algorithm that Go does not know: ${algorithm}.`,
      'x509: cannot verify signature: algorithm unimplemented',
    );
  const bits = parent.publicKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < 1024) {
    return fail(
      'weak-signature',
      parent,
      `${nameOf(parent)} has a key of ${bits} bits, which Go refuses as unsafe.`,
      `crypto/rsa: ${bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)`,
    );
  }
  if (isSignedBy(child.x509, parent.publicKey)) return undefined;
  return fail(
    'bad-signature',
    child,
    `${nameOf(child)} was not signed by the ${nameOf(parent)} that is trusted here: the authority has the same name but another key.`,
    badSignatureInGo(algorithm, parent),
  );
}

function badSignatureInGo(algorithm: string, { publicKey }: Certificate): string {
  const [wanted, has] = [
    algorithm.startsWith('ecdsa') ? 'ECDSA' : algorithm === 'ED25519' ? 'Ed25519' : 'RSA',
    publicKey.asymmetricKeyType ?? '',
  ];
  const kinds: Record<string, { name: string; type: string; error: string }> = {
    rsa: { name: 'RSA', type: '*rsa.PublicKey', error: 'crypto/rsa: verification error' },
    ec: { name: 'ECDSA', type: '*ecdsa.PublicKey', error: 'x509: ECDSA verification failure' },
    ed25519: { name: 'Ed25519', type: 'ed25519.PublicKey', error: 'x509: Ed25519 verification failure' },
  };
  const kind = kinds[has];
  return kind?.name === wanted
    ? kind.error
    : `x509: signature algorithm specifies an ${wanted} public key, but have public key of type ${kind?.type ?? 'unknown'}`;
}

function unknownAuthority(
  child: Certificate,
  hint: { problem: VerifyProblem; candidate: Certificate } | undefined,
): VerifyProblem {
  const { info } = child;
  const go = 'x509: certificate signed by unknown authority';
  const base = { code: 'unknown-authority', subject: info.subject } as const;
  if (hint === undefined) {
    const why = info.selfSigned
      ? 'signed itself, and is not among the trusted certificates'
      : `was signed by «${cleanLine(attributeOf(child.rawIssuer, OID.commonName) ?? info.issuer)}», which is not among the trusted certificates`;
    return { ...base, message: `${nameOf(child)} ${why}.`, go };
  }
  const { problem, candidate } = hint;
  const called =
    candidate.info.commonName || candidate.info.organization || `serial:${BigInt(`0x${candidate.info.serial}`)}`;
  return {
    ...base,
    message: `${nameOf(child)} was signed by none of the trusted certificates; one has the right name, but: ${problem.message}`,
    go: `${go} (possibly because of ${JSON.stringify(problem.go)} while trying to verify candidate authority certificate ${JSON.stringify(called)})`,
  };
}

const tooManyChecks = (certificate: Certificate): VerifyProblem => ({
  code: 'too-many-checks',
  subject: certificate.info.subject,
  message: `The certificates beside ${nameOf(certificate)} are so entangled that Go gives up on them.`,
  go: 'x509: signature check attempts limit reached while verifying certificate chain',
});
