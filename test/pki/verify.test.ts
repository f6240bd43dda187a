import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createCa, inspectCertificate, issueLeaf, verifyLikeGo } from '../../src/pki/index.ts';
import { leafSpec, make, NOW, openssl, scratch } from './support.ts';
import { cases } from './verify-cases.ts';

const file = scratch();

describe('verdicts', () => {
  it.each(cases)('$title', ({ input, codes }) => {
    const result = verifyLikeGo(input);
    expect(result.ok ? [] : result.problems.map(({ code }) => code)).toEqual(codes);
  });

  it('what is issued here passes, and the chain leads to its authority', async () => {
    const ca = await createCa({ commonName: 'homelab', keyAlgorithm: 'ecdsa-p384', validityDays: 10, now: NOW });
    const server = await issueLeaf(ca, leafSpec(), NOW);
    const client = await issueLeaf(ca, leafSpec({ role: 'client', dnsNames: [], ipAddresses: [] }), NOW);
    const verify = (leaf: string, purpose: 'server' | 'client', name?: string) =>
      verifyLikeGo({ leaf, roots: ca.certificatePem, purpose, now: NOW, ...(name ? { name } : {}) });
    const chain = [server.certificatePem, ca.certificatePem].map(inspectCertificate);
    expect(verify(server.certificatePem, 'server', '::1')).toEqual({ ok: true, chain });
    expect(verify(server.certificatePem, 'client')).toEqual({ ok: true, chain });
    expect(verify(client.certificatePem, 'client').ok).toBe(true);
    expect(verify(client.certificatePem, 'server').ok).toBe(false);
  });

  it('SHA-1 is refused although openssl made it', () => {
    const key = file('old.key', openssl(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']).out);
    const ca = openssl(['req', '-x509', '-new', '-key', key, '-subj', '/CN=old', '-days', '3']).out;
    const request = file('old.csr', openssl(['req', '-new', '-key', key, '-subj', '/CN=pi1']).out);
    const leaf = openssl([
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      file('old.pem', ca),
      '-CAkey',
      key,
      '-sha1',
      '-days',
      '2',
      '-CAserial',
      file('old.srl', '02\n'),
    ]).out;
    const result = verifyLikeGo({ leaf: leaf.toString(), roots: ca.toString(), purpose: 'client', now: Date.now() });
    expect(result).toMatchObject({
      ok: false,
      problems: [
        { code: 'unknown-authority' },
        { code: 'weak-signature', go: 'x509: cannot verify signature: insecure algorithm SHA1-RSA' },
      ],
    });
  });

  it('a bundle made to waste time ends quickly', async () => {
    const same = await Promise.all(Array.from({ length: 150 }, () => make({ name: 'root' })));
    const leaf = await make({ name: 'pi1', issuer: same[0] });
    const result = verifyLikeGo({
      leaf: leaf.pem,
      roots: same
        .slice(1)
        .map(({ pem }) => pem)
        .join(''),
      purpose: 'client',
      now: NOW,
    });
    expect(result).toMatchObject({ ok: false, problems: [{ code: 'too-many-checks' }, { code: 'issuer-not-ca' }] });
  });

  it('messages name certificates without what a terminal would obey', async () => {
    const leaf = await make({ name: 'evil\x1b[2J\u202ename' });
    const result = verifyLikeGo({
      leaf: leaf.pem,
      roots: (await make({ name: 'root' })).pem,
      purpose: 'client',
      now: NOW,
    });
    if (result.ok) throw new Error('must not verify');
    expect(result.problems[0]?.message).toContain('«evil\\x1b[2J\\u{202e}name»');
  });
});

/** The same rows, by the real crypto/x509: one program reads them all as JSON and prints an error text a row, empty for none. */
const PROGRAM = `package main

import ("crypto/x509"; "encoding/json"; "encoding/pem"; "fmt"; "os"; "time")

type input struct { Leaf, Intermediates, Roots, Purpose, Name string; Now int64 }

func parse(text string) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil { return found, nil }
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil { return nil, err }
		found = append(found, certificate)
	}
}

func verify(in input) error {
	leaf, err := parse(in.Leaf)
	if err != nil { return err }
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: in.Name, CurrentTime: time.UnixMilli(in.Now).UTC()}
	options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if in.Purpose == "client" { options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	roots, err := parse(in.Roots)
	if err != nil { return err }
	for _, root := range roots { options.Roots.AddCert(root) }
	others, err := parse(in.Intermediates)
	if err != nil { return err }
	for _, other := range append(leaf[1:], others...) { options.Intermediates.AddCert(other) }
	_, err = leaf[0].Verify(options)
	return err
}

func main() {
	var inputs []input
	if err := json.NewDecoder(os.Stdin).Decode(&inputs); err != nil { panic(err) }
	words := make([]string, len(inputs))
	for i, in := range inputs { if err := verify(in); err != nil { words[i] = err.Error() } }
	text, _ := json.Marshal(words)
	fmt.Println(string(text))
}
`;

const go = ['go', '/usr/local/go/bin/go', '/usr/lib/go/bin/go'].find(
  (path) => spawnSync(path, ['version']).status === 0,
);
const minor = Number(/go1\.(\d+)/.exec(go === undefined ? '' : spawnSync(go, ['version']).stdout.toString())?.[1] ?? 0);
// Go 1.23 began to refuse negative serials; the wording of a few errors is 1.26's.
const fit = minor >= 23;
if (!fit)
  console.warn('SKIPPED: there is no Go 1.23 or newer, so verifyLikeGo was not compared with the real crypto/x509.');

describe.skipIf(!fit)('a real Go', () => {
  const run = () => {
    const { stdout, stderr } = spawnSync(go ?? '', ['run', file('main.go', PROGRAM)], {
      input: JSON.stringify(cases.map(({ input }) => input)),
      // Outside a module Go falls back to the lenient behaviour of its older versions.
      env: {
        ...process.env,
        HOME: homedir(),
        GOFLAGS: '',
        GOTOOLCHAIN: 'local',
        GO111MODULE: 'off',
        GODEBUG: 'x509negativeserial=0',
      },
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(stderr.toString()).toBe('');
    return JSON.parse(stdout.toString()) as string[];
  };

  it('says the same of every row, in the same words', { timeout: 300_000 }, () => {
    const theirs = run();
    const ours = cases.map(({ input }) => {
      const result = verifyLikeGo(input);
      return result.ok ? '' : (result.problems[0]?.go ?? 'a problem without words');
    });
    const rows = (words: string[]) =>
      cases.map(
        ({ title }, index) => `${title}: ${minor === 26 ? words[index] : words[index] === '' ? 'accepted' : 'refused'}`,
      );
    expect(rows(ours)).toEqual(rows(theirs));
  });
});
