/** Rules of a profile that depend on several fields. Pure. */
import { checkExtraArgs } from '../etcd/reserved-flags.ts';
import { fieldOf, type Parsed, type ProfileProblem } from './schema.ts';

export function crossCheck(parsed: Parsed): ProfileProblem[] {
  const problems: ProfileProblem[] = [];
  const report = (path: (string | number)[], value: unknown, expected: string) => {
    if (!problems.some((known) => known.field === fieldOf(path)))
      problems.push({ path, field: fieldOf(path), value, expected });
  };
  /** Every value that stands earlier in the list, too. */
  const repeated = (values: readonly string[], tell: (index: number, first: number) => void) =>
    values.forEach((value, index) => {
      if (values.indexOf(value) < index) tell(index, values.indexOf(value));
    });
  const { hosts, ca, certificates } = parsed;
  const clientPort = (each: (typeof hosts)[number]) => each.clientPort ?? parsed.etcd.clientPort;
  const peerPort = (each: (typeof hosts)[number]) => each.peerPort ?? parsed.etcd.peerPort;

  repeated(
    hosts.map((each) => each.name),
    (index, first) =>
      report(['hosts', index, 'name'], hosts[index]?.name, `a name of its own; hosts[${first}] has the same`),
  );
  // Two names that a file system or a reader may take for one.
  repeated(
    hosts.map((each) => each.name.toLowerCase()),
    (index, first) =>
      report(
        ['hosts', index, 'name'],
        hosts[index]?.name,
        `a name that differs from hosts[${first}]’s by more than upper and lower case`,
      ),
  );
  // Members may share an address only with ports of their own (one machine, as `try` has it).
  for (const [port, what] of [
    [peerPort, 'peer'],
    [clientPort, 'client'],
  ] as const)
    repeated(
      hosts.map((each) => `${each.address.toLowerCase()} ${port(each)}`),
      (index, first) =>
        report(
          ['hosts', index, 'address'],
          hosts[index]?.address,
          `an address of its own; hosts[${first}] has the same, with the same ${what} port`,
        ),
    );
  hosts.forEach((each, index) => {
    if (clientPort(each) === peerPort(each))
      report(
        each.peerPort === undefined && each.clientPort === undefined
          ? ['etcd', 'peerPort']
          : ['hosts', index, 'peerPort'],
        peerPort(each),
        'another port than the client port',
      );
    if (parsed.addressing === 'dns' && each.dnsNames.length === 0)
      report(['hosts', index, 'dnsNames'], undefined, 'at least one DNS name, because addressing is dns');
  });
  if (ca.source === 'existing' && ca.existing === undefined)
    report(['ca', 'existing'], undefined, 'certFile (and keyFile), because ca.source is existing');
  if (ca.source === 'vault' && ca.vault === undefined)
    report(['ca', 'vault'], undefined, 'address and roles, because ca.source is vault');
  if (ca.vault?.address.toLowerCase().startsWith('http://') && !ca.vault.plainHttp)
    report(['ca', 'vault', 'address'], ca.vault.address, 'an https:// address, or plainHttp: true below it');
  if (parsed.etcd.install === 'archive' && parsed.etcd.archives.length === 0)
    report(['etcd', 'archives'], undefined, 'one entry per architecture, because install is archive');
  repeated(
    certificates.clients.map((each) => each.commonName),
    (index, first) =>
      report(
        ['certificates', 'clients', index, 'commonName'],
        certificates.clients[index]?.commonName,
        `a name of its own; clients[${first}] has the same`,
      ),
  );
  for (const [flag, expected] of checkExtraArgs(parsed.etcd.extraArgs))
    report(['etcd', 'extraArgs', flag], parsed.etcd.extraArgs[flag], expected);
  return problems;
}
