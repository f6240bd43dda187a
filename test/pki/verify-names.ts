/** Rows: names, dates, name constraints and certificates that are odd in themselves. */
import { oid, sequence, tagged, toDer, wrapped } from '../../src/pki/asn1.ts';
import { OID } from '../../src/pki/oids.ts';
import type { VerifyCode } from '../../src/pki/problems.ts';
import { type Extension, subjectAltName } from '../../src/pki/structure.ts';
import { authority, DAY, make, NOW } from './support.ts';
import { add, asCa, both, leaf, leafParts, root, san, signed, stranger } from './verify-table.ts';

const renewedRoot = await make({ name: 'root', sameKeyAs: root, extensions: authority(), notAfter: NOW + 2 * DAY });
const expiredRoot = await make({ name: 'root', sameKeyAs: root, extensions: authority(), notAfter: NOW - 1000 });

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
