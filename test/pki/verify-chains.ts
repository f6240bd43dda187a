/** Rows: authorities, intermediates and usages. */
import { generateKeyPairSync } from 'node:crypto';
import { OID } from '../../src/pki/oids.ts';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../src/pki/structure.ts';
import { authority, make, NOW } from './support.ts';
import { add, asCa, both, leaf, leafParts, root, san, signed, stranger } from './verify-table.ts';

const otherRoot = await make({ name: 'root', extensions: authority() });
const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 });

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
