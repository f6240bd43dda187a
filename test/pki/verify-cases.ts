/** Chains, good and bad, one row each: what is verified and what Go says of it. Read by our own verifier and by a real Go. */
import { generateKeyPairSync } from 'node:crypto';
import { oid, sequence, tagged, toDer, wrapped } from '../../src/pki/asn1.ts';
import { OID } from '../../src/pki/oids.ts';
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
} from '../../src/pki/structure.ts';
import type { VerifyCode, VerifyInput } from '../../src/pki/verify.ts';
import { authority, DAY, type Made, make, NOW, type Shape } from './support.ts';

export interface Case {
  title: string;
  input: VerifyInput;
  /** Codes of the problems, in order; none for a chain that is right. */
  codes: VerifyCode[];
}

const both = extendedKeyUsage(OID.serverAuth, OID.clientAuth);
const san = subjectAltName(['pi1.home', '*.az1.home', 'Upper.Home'], ['10.0.11.1', '2001:db8::1']);
const leafParts = [basicConstraints(false), keyUsage('digitalSignature'), both, san];

const root = await make({ name: 'root', extensions: authority() });
const renewedRoot = await make({ name: 'root', sameKeyAs: root, extensions: authority(), notAfter: NOW + 2 * DAY });
const expiredRoot = await make({ name: 'root', sameKeyAs: root, extensions: authority(), notAfter: NOW - 1000 });
const otherRoot = await make({ name: 'root', extensions: authority() });
const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = await make({ name: 'stranger', extensions: authority() });

const signed = (changes: Partial<Shape> = {}) => make({ name: 'pi1', issuer: root, extensions: leafParts, ...changes });
const leaf = await signed();

const nameConstraints = (permitted: Buffer[][], excluded: Buffer[][]): Extension => {
  const subtrees = (kinds: Buffer[][]) =>
    [2, 7].flatMap((tag, index) => (kinds[index] ?? []).map((base) => sequence(tagged(tag, base))));
  const part = (tag: number, kinds: Buffer[][]) => (kinds.flat().length > 0 ? [wrapped(tag, ...subtrees(kinds))] : []);
  return {
    id: OID.nameConstraints,
    critical: true,
    value: toDer(sequence(...part(0, permitted), ...part(1, excluded))),
  };
};
const dns = (...names: string[]) => names.map((name) => Buffer.from(name));
const net = (...ranges: string[]) => ranges.map((range) => Buffer.from(range, 'hex'));
const unknownCritical: Extension = { id: '1.3.6.1.4.1.99999.1', critical: true, value: toDer(oid('1.2.3')) };

const cases: Case[] = [];
const add = (title: string, certificate: Made | string, codes: VerifyCode[], more: Partial<VerifyInput> = {}) =>
  cases.push({
    title,
    codes,
    input: {
      leaf: typeof certificate === 'string' ? certificate : certificate.pem,
      roots: root.pem,
      purpose: 'server',
      now: NOW,
      ...more,
    },
  });

// Names
const names: [name: string, VerifyCode[]][] = [
  ['pi1.home', []],
  ['PI1.home', []],
  ['pi1.home.', []],
  ['upper.home', []],
  ['a.az1.home', []],
  ['a.b.az1.home', ['name-mismatch']],
  ['az1.home', ['name-mismatch']],
  ['.az1.home', ['name-mismatch']],
  ['pi1', ['name-mismatch']],
  ['10.0.11.1', []],
  ['10.0.11.2', ['name-mismatch']],
  ['::ffff:10.0.11.1', []],
  ['[2001:db8::1]', []],
  ['2001:DB8:0::0001', []],
  ['2001:db8::2', ['name-mismatch']],
  ['pi1.home:2379', ['name-mismatch']],
];
for (const [name, codes] of names) add(`the name ${name}`, leaf, codes, { name });
add('only a common name', await signed({ name: 'pi1.home', extensions: [both] }), ['no-san'], { name: 'pi1.home' });
add(
  'only a common name, dialled by address',
  await signed({ name: 'pi1.home', extensions: [both] }),
  ['name-mismatch'],
  { name: '10.0.11.1' },
);
add(
  'an address as a DNS name',
  await signed({ extensions: [both, subjectAltName(['10.0.11.1'], [])] }),
  ['name-mismatch'],
  { name: '10.0.11.1' },
);
add(
  'an address as a DNS name beside another address',
  await signed({ extensions: [both, subjectAltName(['10.0.11.1'], ['10.0.11.3'])] }),
  ['name-mismatch'],
  { name: '10.0.11.1' },
);
add(
  'a name that Go’s host names do not allow, to the letter',
  await signed({ extensions: [both, subjectAltName(['-odd.home', 'a..b', '*'], [])] }),
  [],
  { name: '-odd.home' },
);
add('a lone wildcard', await signed({ extensions: [both, subjectAltName(['*'], [])] }), ['name-mismatch'], {
  name: 'pi1',
});
add(
  'a wildcard in the second label',
  await signed({ extensions: [both, subjectAltName(['pi1.*.home'], [])] }),
  ['name-mismatch'],
  { name: 'pi1.az1.home' },
);
add(
  'a trailing dot in the certificate',
  await signed({ extensions: [both, subjectAltName(['pi1.home.'], [])] }),
  ['name-mismatch'],
  { name: 'pi1.home' },
);
add('an underscore', await signed({ extensions: [both, subjectAltName(['*.my_zone'], [])] }), [], {
  name: 'etcd_1.my_zone',
});

// Dates
add('an expired leaf', await signed({ notAfter: NOW - 1000 }), ['expired']);
add('a leaf in its last second', await signed({ notAfter: NOW }), []);
add('a leaf that begins later', await signed({ notBefore: NOW + 1000 }), ['not-yet-valid']);
add('an expired authority', leaf, ['ca-expired'], { roots: expiredRoot.pem });
add('an expired authority beside its renewed one', leaf, [], { roots: expiredRoot.pem + renewedRoot.pem });
add('an authority that begins later', leaf, ['ca-not-yet-valid'], {
  roots: (await make({ name: 'root', sameKeyAs: root, extensions: authority(), notBefore: NOW + 1000 })).pem,
});
add(
  'expired, for another name, by a stranger: all of it',
  await signed({ issuer: stranger, notAfter: NOW - 1000 }),
  ['expired', 'name-mismatch', 'unknown-authority'],
  { name: 'pi9.home' },
);

// Authorities
add('another authority', leaf, ['unknown-authority'], { roots: stranger.pem });
add('an authority made anew under the same name', leaf, ['unknown-authority', 'bad-signature'], {
  roots: otherRoot.pem,
});
add('made anew, the old one kept beside it', leaf, [], { roots: otherRoot.pem + root.pem });
add('another kind of key under the same name', await signed({ signer: rsaPair.privateKey }), [
  'unknown-authority',
  'bad-signature',
]);
add('no key identifiers at all', await signed({ keyIds: false }), []);
add('a leaf that signed itself', await make({ name: 'pi1', extensions: leafParts }), ['unknown-authority']);
const selfMade = await make({ name: 'pi1', extensions: leafParts });
add('a leaf that signed itself and is trusted', selfMade, [], { roots: selfMade.pem });
add('a leaf of a stranger that is itself in the pool', await signed({ issuer: stranger }), ['unknown-authority']);
const pinned = await signed({ issuer: stranger });
add('a trusted leaf needs no authority', pinned, [], { roots: root.pem + pinned.pem });

// What an authority may do
const asCa = (extensions: Extension[]) => make({ name: 'root', sameKeyAs: root, extensions });
add('an authority without CA:TRUE', leaf, ['unknown-authority', 'issuer-not-ca'], {
  roots: (await asCa([basicConstraints(false)])).pem,
});
add('an authority without basic constraints', leaf, ['unknown-authority', 'issuer-not-ca'], {
  roots: (await asCa([])).pem,
});
add('an authority that may not sign certificates', leaf, ['unknown-authority', 'issuer-key-usage'], {
  roots: (await asCa([basicConstraints(true), keyUsage('digitalSignature', 'cRLSign')])).pem,
});
add('an authority without key usage', leaf, [], { roots: (await asCa([basicConstraints(true)])).pem });
add('an authority that lists decipherOnly alone', leaf, ['unknown-authority', 'issuer-key-usage'], {
  roots: (await asCa([basicConstraints(true), keyUsage('decipherOnly')])).pem,
});

// Intermediates
const mid = await make({ name: 'mid', issuer: root, extensions: authority(0) });
const low = await make({ name: 'low', issuer: mid, extensions: authority() });
const underMid = await signed({ issuer: mid });
const underLow = await signed({ issuer: low });
add('an intermediate sent with the leaf', underMid.pem + mid.pem, []);
add('an intermediate known otherwise', underMid, [], { intermediates: mid.pem });
add('an intermediate that nobody has', underMid, ['unknown-authority']);
add('an intermediate as the only trust anchor', underMid, [], { roots: mid.pem });
add('a root that is not the one of the intermediate', underMid.pem + mid.pem, ['unknown-authority'], {
  roots: stranger.pem,
});
add('an authority below one that allows none', underLow.pem + low.pem + mid.pem, ['path-length']);
const shortRoot = await make({ name: 'root', sameKeyAs: root, extensions: authority(0) });
add('an intermediate below a root that allows none', underMid.pem + mid.pem, ['path-length'], { roots: shortRoot.pem });
const midNoCa = await make({ name: 'mid', issuer: root, extensions: [basicConstraints(false)] });
add('a leaf that signs', (await signed({ issuer: midNoCa })).pem + midNoCa.pem, ['unknown-authority', 'issuer-not-ca']);
const midExpired = await make({ name: 'mid', issuer: root, extensions: authority(), notAfter: NOW - 1000 });
add('an expired intermediate', (await signed({ issuer: midExpired })).pem + midExpired.pem, ['ca-expired']);
const crossA = await make({ name: 'cross-a', extensions: authority() });
const crossB = await make({ name: 'cross-b', extensions: authority() });
const aByB = await make({ name: 'cross-a', sameKeyAs: crossA, issuer: crossB, extensions: authority() });
const bByA = await make({ name: 'cross-b', sameKeyAs: crossB, issuer: crossA, extensions: authority() });
add(
  'authorities that signed each other and nobody else',
  (await signed({ issuer: crossA })).pem + aByB.pem + bByA.pem,
  ['unknown-authority'],
);

// Usages
const only = (id: string) => [basicConstraints(false), extendedKeyUsage(id), san];
add('a client certificate for a server', await signed({ extensions: only(OID.clientAuth) }), ['incompatible-usage']);
add('a server certificate for a client', await signed({ extensions: only(OID.serverAuth) }), ['incompatible-usage'], {
  purpose: 'client',
});
add('a client certificate for a client', await signed({ extensions: only(OID.clientAuth) }), [], { purpose: 'client' });
add('any usage', await signed({ extensions: only(OID.anyExtendedKeyUsage) }), []);
add('no usages listed', await signed({ extensions: [san] }), []);
add('an unknown usage alone', await signed({ extensions: only('1.3.6.1.5.5.7.3.99') }), ['incompatible-usage']);
const midServer = await make({
  name: 'mid',
  issuer: root,
  extensions: [...authority(), extendedKeyUsage(OID.serverAuth)],
});
add(
  'an intermediate for servers above a client',
  (await signed({ issuer: midServer })).pem + midServer.pem,
  ['incompatible-usage'],
  { purpose: 'client' },
);
add('an intermediate for servers above a server', (await signed({ issuer: midServer })).pem + midServer.pem, []);
add('a root for servers above a client', leaf, ['incompatible-usage'], {
  purpose: 'client',
  roots: (await asCa([...authority(), extendedKeyUsage(OID.serverAuth)])).pem,
});
add('a trusted leaf of the wrong usage', selfMade, [], { roots: selfMade.pem, purpose: 'client' });
add(
  'a leaf without keyUsage digitalSignature',
  await signed({ extensions: [keyUsage('keyEncipherment'), both, san] }),
  [],
);

// Name constraints
const constrained = (...[permitted, excluded]: [Buffer[][], Buffer[][]]) =>
  asCa([...authority(), nameConstraints(permitted, excluded)]);
const within = await signed({ extensions: [both, subjectAltName(['pi1.home'], ['10.0.11.1'])] });
const constraints: [title: string, permitted: Buffer[][], excluded: Buffer[][], codes: VerifyCode[]][] = [
  ['its domain and network', [dns('home'), net('0a000000ff000000')], [], []],
  ['its domain in capitals', [dns('HOME')], [], []],
  ['names below the domain', [dns('.home')], [], []],
  ['names below itself', [dns('.pi1.home')], [], ['name-constraint']],
  ['another domain', [dns('lan', 'ome')], [], ['name-constraint']],
  ['another network', [[], net('0a000c00ffffff00')], [], ['name-constraint']],
  [
    'an IPv6 network only',
    [[], net('20010db8000000000000000000000000ffffffff000000000000000000000000')],
    [],
    ['name-constraint'],
  ],
  ['all but its domain', [], [dns('pi1.home')], ['name-constraint']],
  ['all but another', [], [dns('pi2.home'), net('0a000c00ffffff00')], []],
  ['all but its network', [], [[], net('0a000000ff000000')], ['name-constraint']],
];
for (const [title, permitted, excluded, codes] of constraints)
  add(`an authority for ${title}`, within, codes, { roots: (await constrained(permitted, excluded)).pem });
const wild = await signed({ extensions: [both, subjectAltName(['*.home'], [])] });
add('a wildcard that could be the excluded name', wild, ['name-constraint'], {
  roots: (await constrained([], [dns('pi1.home')])).pem,
});
add('a wildcard below what is permitted', wild, [], { roots: (await constrained([dns('home')], [])).pem });
add('a constrained authority and a leaf without names', await signed({ extensions: [both] }), [], {
  roots: (await constrained([dns('home')], [])).pem,
  purpose: 'client',
});
add(
  'a name that no constraint can judge',
  await signed({ extensions: [both, subjectAltName(['a..home'], [])] }),
  ['name-constraint'],
  { roots: (await constrained([dns('home')], [])).pem },
);

// Odd certificates
add('an unknown critical extension', await signed({ extensions: [...leafParts, unknownCritical] }), [
  'unhandled-critical-extension',
]);
add('an unknown critical extension in the authority', leaf, ['unhandled-critical-extension'], {
  roots: (await asCa([...authority(), unknownCritical])).pem,
});
add(
  'an unknown extension that is not critical',
  await signed({ extensions: [...leafParts, { ...unknownCritical, critical: false }] }),
  [],
);
add('a negative serial', await signed({ serial: Uint8Array.of(0x80, 1) }), ['malformed']);
add(
  'an address of five bytes',
  await signed({ extensions: [both, { ...san, value: toDer(sequence(tagged(7, Buffer.alloc(5)))) }] }),
  ['malformed'],
);
add('the same extension twice', await signed({ extensions: [...leafParts, san] }), ['malformed']);
add('a critical subject key identifier in the authority', leaf, ['malformed'], {
  roots: (
    await make({
      name: 'root',
      sameKeyAs: root,
      keyIds: false,
      extensions: [
        ...authority(),
        { id: OID.subjectKeyIdentifier, critical: true, value: Buffer.from('040101', 'hex') },
      ],
    })
  ).pem,
});

export { cases };
