/**
 * Verifies a certificate the way etcd does, that is by Go's `crypto/x509` (verify.go: Verify, buildChains, isValid,
 * checkChainForKeyUsage; x509.go: CheckSignatureFrom; cert_pool.go: findPotentialParents), which differs from openssl: any certificate in
 * the pool is a trust anchor, the common name never counts, extended key usages hold down the whole chain, issuer and subject are
 * compared byte for byte, SHA-1 is refused. Certificate policies and revocation are not looked at.
 */
import { WizardError } from '../errors.ts';
import { type Certificate, parseCertificates } from './certificate.ts';
import { ChainBuilder } from './chain.ts';
import { constraintViolation } from './constraints.ts';
import { bareAddress, isValidFor, matchesCommonName } from './hostname.ts';
import { ipBytes } from './ip.ts';
import { nameOf, type Purpose, type VerifyProblem, validityProblem } from './problems.ts';
import type { CertificateInfo } from './types.ts';

export interface VerifyInput {
  /** PEM; what follows the first certificate counts as intermediates, as a TLS peer sends it. */
  leaf: string;
  /** PEM of further intermediates. */
  intermediates?: string;
  /** PEM: etcd's trusted-ca-file. */
  roots: string;
  /** What the leaf shall be in the handshake. */
  purpose: Purpose;
  /** The DNS name or address that was dialled; absent where Go does not check one (a server looking at its clients). */
  name?: string;
  /** Epoch milliseconds. */
  now: number;
}

/** `chain`: leaf first, trust anchor last. `problems`: what Go reports comes first, then whatever else would be wrong. */
export type VerifyResult = { ok: true; chain: CertificateInfo[] } | { ok: false; problems: VerifyProblem[] };

/** @throws WizardError `bad-input` when a PEM text cannot be read */
export function verifyLikeGo({
  leaf: leafPem,
  intermediates = '',
  roots: rootsPem,
  purpose,
  name,
  now,
}: VerifyInput): VerifyResult {
  const [leaf, ...sent] = parseCertificates(leafPem);
  if (leaf === undefined) throw new WizardError('bad-input', 'There is no certificate to verify.');
  const roots = parseCertificates(rootsPem);
  const others = [...sent, ...(intermediates.trim() === '' ? [] : parseCertificates(intermediates))];

  const problems = [leaf, ...roots, ...others].flatMap(malformedProblem);
  const invalid = validityProblem(leaf, 'leaf', [], now);
  if (invalid) problems.push(invalid);
  if (name !== undefined && name !== '') problems.push(...nameProblem(leaf, name));

  const builder = new ChainBuilder(roots, others, now);
  const built = builder.build(leaf);
  const judged = built.chains.map((chain) => ({
    chain,
    problem: usageProblem(chain, purpose) ?? constraintProblem(chain),
  }));
  const good = judged.find(({ problem }) => problem === undefined);
  if (good === undefined) {
    problems.push(...built.problems);
    // Where no chain was found, the leaf's own usage is still worth telling.
    const chainProblems = judged.length > 0 ? judged.map(({ problem }) => problem) : [usageProblem([leaf], purpose)];
    // Go names a violated constraint before an unfit usage, whichever chain has it.
    const found = chainProblems.filter((problem) => problem !== undefined);
    problems.push(
      ...found.filter(({ code }) => code === 'name-constraint'),
      ...found.filter(({ code }) => code !== 'name-constraint'),
    );
  }
  if (problems.length > 0 || good === undefined) return { ok: false, problems: unique(problems) };
  return { ok: true, chain: good.chain.map(({ info }) => info) };
}

function malformedProblem(certificate: Certificate): VerifyProblem[] {
  if (certificate.malformed === undefined) return [];
  return [
    {
      code: 'malformed',
      subject: certificate.info.subject,
      message: `${nameOf(certificate)} is built in a way that Go refuses to read.`,
      go: certificate.malformed,
    },
  ];
}

function nameProblem(leaf: Certificate, wanted: string): VerifyProblem[] {
  const { info, rawSan } = leaf;
  if (isValidFor(info, wanted)) return [];
  const name = bareAddress(wanted);
  const isAddress = ipBytes(name) !== undefined;
  // Go keeps the brackets only for what is not an address.
  const shown = isAddress ? name : wanted;
  const base = { subject: info.subject };
  if (rawSan === undefined && matchesCommonName(info.commonName ?? '', shown)) {
    return [
      {
        ...base,
        code: 'no-san',
        message: `${nameOf(leaf)} has ${name} only as its common name, which Go ignores; it must stand in the subject alternative names.`,
        go: 'x509: certificate relies on legacy Common Name field, use SANs instead',
      },
    ];
  }
  const valid = isAddress ? info.ipAddresses : info.dnsNames;
  const all = [...info.dnsNames, ...info.ipAddresses];
  const go =
    isAddress && valid.length === 0
      ? `x509: cannot validate certificate for ${shown} because it doesn't contain any IP SANs`
      : valid.length >= 100
        ? `x509: certificate is valid for ${valid.length} ${isAddress ? 'IP SANs' : 'names'}, but none matched ${shown}`
        : valid.join(', ') === ''
          ? `x509: certificate is not valid for any names, but wanted to match ${shown}`
          : `x509: certificate is valid for ${valid.join(', ')}, not ${shown}`;
  return [
    {
      ...base,
      code: 'name-mismatch',
      message: `${nameOf(leaf)} is not for ${name}: ${all.length === 0 ? 'it names no host at all' : `it is for ${all.join(', ')}`}.`,
      go,
    },
  ];
}

/** Every certificate that lists usages must list this one (or any), from the leaf to the trust anchor. */
function usageProblem(chain: readonly Certificate[], purpose: Purpose): VerifyProblem | undefined {
  const usage = purpose === 'server' ? 'serverAuth' : 'clientAuth';
  const unfit = chain.find(
    ({ info: { extendedKeyUsage: usages } }) =>
      usages !== undefined && usages.length > 0 && !usages.includes('anyExtendedKeyUsage') && !usages.includes(usage),
  );
  if (unfit === undefined) return undefined;
  const has = unfit.info.extendedKeyUsage?.join(', ') ?? '';
  return {
    code: 'incompatible-usage',
    subject: unfit.info.subject,
    message: `${nameOf(unfit)} may not be used ${purpose === 'server' ? 'by a server' : 'by a client'}: its extended key usage has ${has}, not ${usage}${unfit === chain[0] ? '' : ', and that binds every certificate below it'}.`,
    go: 'x509: certificate specifies an incompatible key usage',
  };
}

function constraintProblem(chain: readonly Certificate[]): VerifyProblem | undefined {
  const detail = constraintViolation(chain);
  const [leaf] = chain;
  if (detail === undefined || leaf === undefined) return undefined;
  return {
    code: 'name-constraint',
    subject: leaf.info.subject,
    message: `An authority above ${nameOf(leaf)} is limited to other names: ${detail}.`,
    go: `x509: a root or intermediate certificate is not authorized to sign for this name: ${detail}`,
  };
}

function unique(problems: readonly VerifyProblem[]): VerifyProblem[] {
  return problems.filter(
    (problem, index) =>
      problems.findIndex((other) => other.code === problem.code && other.message === problem.message) === index,
  );
}
