/**
 * Name constraints of authorities, by Go's rules (crypto/x509 constraints.go): every DNS name and address of every certificate below
 * an authority counts, not just the name that was dialled. Constraints on mail addresses and URIs are not judged: etcd uses neither.
 */
import type { Certificate } from './certificate.ts';
import { ipBytes, ipText } from './ip.ts';

/** Go's own bound before 1.26 (MaxConstraintComparisions): certificates made to waste time end here. */
const MAX_COMPARISONS = 250_000;

/**
 * @param chain leaf first, trust anchor last
 * @returns Go's words for the first violation; undefined when there is none
 */
export function constraintViolation(chain: readonly Certificate[]): string | undefined {
  for (const [index, { info, rawSan }] of chain.entries()) {
    if (rawSan === undefined) continue;
    for (const { nameConstraints } of chain.slice(index + 1)) {
      if (nameConstraints === undefined) continue;
      const { permitted, excluded } = nameConstraints;
      const rules = [permitted, excluded].reduce((sum, { dns, ip }) => sum + dns.length + ip.length, 0);
      if (rules * (info.dnsNames.length + info.ipAddresses.length) > MAX_COMPARISONS)
        return `more than ${MAX_COMPARISONS} comparisons of names with constraints`;
      const found =
        firstOf(info.ipAddresses, (address) =>
          judge('IP address', address, permitted.ip, excluded.ip, inRange, rangeText),
        ) ??
        firstOf(info.dnsNames, (name) =>
          isDomain(name)
            ? judge('DNS name', name, permitted.dns, excluded.dns, coversName, String)
            : `x509: cannot parse dnsName ${quoted(name)}`,
        );
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function judge<Rule>(
  kind: string,
  name: string,
  permitted: readonly Rule[],
  excluded: readonly Rule[],
  covers: (rule: Rule, name: string, permits: boolean) => boolean,
  text: (rule: Rule) => string,
): string | undefined {
  if (permitted.length > 0 && !permitted.some((rule) => covers(rule, name, true)))
    return `${kind} ${quoted(name)} is not permitted by any constraint`;
  const hit = excluded.find((rule) => covers(rule, name, false));
  return hit === undefined ? undefined : `${kind} ${quoted(name)} is excluded by constraint ${quoted(text(hit))}`;
}

/** `home` covers home and pi1.home; `.home` covers pi1.home only; an empty rule covers everything. */
function coversName(rule: string, name: string, permits: boolean): boolean {
  const [wanted, host] = [rule.toLowerCase(), name.toLowerCase()];
  if (wanted === '') return true;
  if (host === wanted || (host.endsWith(wanted) && (wanted.startsWith('.') || host.at(-wanted.length - 1) === '.')))
    return true;
  // A wildcard that could stand for the excluded name is excluded as well.
  return (
    !permits && host.startsWith('*.') && wanted.includes('.') && host.slice(1) === wanted.slice(wanted.indexOf('.'))
  );
}

function inRange(range: Buffer, address: string): boolean {
  const bytes = ipBytes(address);
  const size = range.length / 2;
  return (
    bytes?.length === size &&
    bytes.every((byte, index) => ((byte ^ (range[index] ?? 0)) & (range[size + index] ?? 0)) === 0)
  );
}

/** `10.0.0.0/8`, as Go prints a network. */
function rangeText(range: Buffer): string {
  const size = range.length / 2;
  const ones = [...range.subarray(size)].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
  return `${ipText(range.subarray(0, size))}/${ones}`;
}

/** Labels without blanks, none empty; an empty text and a leading wildcard are fine. */
const isDomain = (name: string): boolean =>
  name === '' || name.split('.').every((label) => /^[\x21-\x7e]+$/.test(label));

const quoted = (text: string): string => JSON.stringify(text);

function firstOf<Item, Result>(items: readonly Item[], work: (item: Item) => Result | undefined): Result | undefined {
  for (const item of items) {
    const result = work(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
