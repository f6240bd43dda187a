/** The connection test beside a host as it is typed: connect, look, disconnect. */
import type { HostProbe } from '../../components/services.ts';
import { cleanLine } from '../clean.ts';
import type { HostFacts } from '../facts.ts';
import type { Interaction } from '../front/interaction.ts';
import { hostSchema, type ProfileFile } from '../profile/schema.ts';
import type { CommandIo } from './io.ts';

/** More than this and certificates begin to look «not yet valid» (the plan stops at the same limit). */
const MAX_SKEW_MS = 30_000;

/** @throws WizardError when the host cannot be reached or looked at */
export async function probeHost(
  io: CommandIo,
  host: ProfileFile['hosts'][number],
  interaction: Interaction,
  signal: AbortSignal,
): Promise<HostProbe> {
  const { openTransport } = await import('../remote/connect.ts');
  const { gatherFacts } = await import('../remote/facts.ts');
  const transport = await openTransport(hostSchema.parse(host), {
    questions: interaction,
    acceptNewHostKeys: false,
    environment: io.environment,
    ownKnownHosts: io.paths.knownHosts,
    sudoPassword: io.secrets.sudoPassword,
    signal,
  });
  try {
    const facts = await gatherFacts(
      transport,
      {
        files: [],
        secrets: [],
        publicKeys: false,
        dataDirs: [],
        mounts: ['/'],
        names: host.dnsNames ?? [],
        services: ['etcd'],
      },
      { signal },
    );
    return { state: 'ok', summary: summaryOf(facts), warnings: warningsOf(facts, host.address) };
  } finally {
    await transport.close();
  }
}

/** «Raspberry Pi OS 13, arm64, systemd, clock +0.1 s» */
function summaryOf(facts: HostFacts): string {
  const seconds = facts.clock.skewMs / 1000;
  return [
    shortOs(facts.os.name),
    cleanLine(facts.packageArch ?? facts.kernelArch),
    facts.init === 'other' ? 'unknown init' : facts.init,
    `clock ${seconds < 0 ? '−' : '+'}${Math.abs(seconds).toFixed(1)} s`,
    ...(facts.etcd ? [`etcd ${cleanLine(facts.etcd.version)}`] : []),
  ].join(', ');
}

/** «Debian GNU/Linux 12 (bookworm)» is «Debian 12» here: what counts shall stand in one line. */
const shortOs = (name: string): string =>
  cleanLine(name)
    .replace(' GNU/Linux', '')
    .replace(/ \([^)]*\)$/, '');

function warningsOf(facts: HostFacts, address: string): string[] {
  const here = facts.addresses.map((each) => each.address);
  return [
    ...(Math.abs(facts.clock.skewMs) > MAX_SKEW_MS
      ? [
          `its clock is ${facts.clock.skewMs < 0 ? 'behind' : 'ahead'} by ${Math.round(Math.abs(facts.clock.skewMs) / 1000)} s: certificates would look not yet valid or expired`,
        ]
      : []),
    ...(facts.privilege === 'none' ? [`${cleanLine(facts.user)} has no sudo there`] : []),
    ...(facts.init !== 'systemd' ? ['only systemd is supported by this version'] : []),
    ...(here.length > 0 && !here.includes(address)
      ? [
          `it has no address ${address}; it has ${here
            .filter((each) => !each.startsWith('127.') && each !== '::1')
            .map(cleanLine)
            .join(', ')}`,
        ]
      : []),
    ...(facts.etcdProcesses.length > 0 ? ['an etcd runs there already'] : []),
  ];
}
