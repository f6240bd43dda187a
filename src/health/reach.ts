/**
 * Who can open a TCP connection to whom: every host dials every other member's ports, and the controller the client ports.
 * Before etcd runs, «refused» means that the way is open; «timeout» that something drops the packets.
 */
import { isIP } from 'node:net';
import { eachHost } from '../apply/parallel.ts';
import type { Member } from '../etcd/members.ts';
import type { DialFact } from '../plan/types.ts';
import { DialError, type Transport } from '../remote/transport.ts';
import { openTcp, TIMEOUTS } from './connect.ts';
import { EndpointError, tcpFailure } from './failure.ts';

/** Channels at once on one SSH connection: below OpenSSH's MaxSessions of 10. */
const CHANNELS = 8;

type Target = Pick<Member, 'name' | 'address' | 'clientPort' | 'peerPort'>;
type Job = Pick<DialFact, 'from' | 'to' | 'port'> & { address: string; number: number };
type Outcome = Pick<DialFact, 'outcome' | 'detail'>;

/**
 * Dials from each host with what it has, where its sshd forbids forwarding: bash or nc. Lines `INDEX ADDRESS PORT` on
 * standard input, lines `INDEX OUTCOME` on standard output; all at once, each at most $1 seconds.
 */
const DIAL_SCRIPT = `LC_ALL=C; export LC_ALL
limit=$1
verdict() {
  case $1 in
    *refused*) echo "$2 refused" ;;
    *nreachable*|*"No route"*) echo "$2 unreachable" ;;
    *"not known"*|*"esolution"*|*"bad address"*) echo "$2 unresolved" ;;
    *) echo "$2 $3" ;;
  esac
}
dial() {
  if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    said=$(timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$2" "$3" 2>&1); code=$?
    if [ $code = 0 ]; then echo "$1 open"; elif [ $code = 124 ] || [ $code = 143 ]; then echo "$1 timeout"; else verdict "$said" "$1" unchecked; fi
  elif command -v nc >/dev/null 2>&1; then
    said=$(nc -z -v -w "$limit" "$2" "$3" </dev/null 2>&1); code=$?
    if [ $code = 0 ]; then echo "$1 open"; else case $said in *ption*|*sage*) echo "$1 unchecked" ;; *) verdict "$said" "$1" timeout ;; esac; fi
  else
    echo "$1 unchecked"
  fi
}
while read -r index address port; do dial "$index" "$address" "$port" & done
wait`;

/**
 * @param options.timeoutMs for each dial
 * @returns a fact for each pair and port; never rejects for what it finds
 */
export async function dialMatrix(
  transports: ReadonlyMap<string, Transport>,
  members: readonly Target[],
  options: { controller: boolean; timeoutMs: number; signal?: AbortSignal },
): Promise<DialFact[]> {
  const facts: DialFact[] = [];
  const record = ({ from, to, port }: Job, outcome: Outcome) => facts.push({ from, to, port, ...outcome });
  const fromHosts = [...transports].map(async ([from, transport]) => {
    const jobs = members
      .filter(({ name }) => name !== from)
      .flatMap((member) => [jobOf(from, member, 'peer'), jobOf(from, member, 'client')]);
    const forbidden: Job[] = [];
    await eachHost(
      jobs,
      async (job) => {
        const outcome = forbidden.length > 0 ? 'prohibited' : await dialOne(transport, job, options);
        if (outcome === 'prohibited') forbidden.push(job);
        else record(job, outcome);
      },
      CHANNELS,
    );
    if (forbidden.length === 0) return;
    const outcomes = await dialByScript(transport, forbidden, options);
    for (const [index, job] of forbidden.entries()) record(job, outcomes[index] ?? UNCHECKED);
  });
  const fromController = options.controller
    ? members.map(async (member) =>
        record(jobOf('controller', member, 'client'), await dialHere(member, options.timeoutMs)),
      )
    : [];
  await Promise.all([...fromHosts, ...fromController]);
  return facts;
}

const UNCHECKED: Outcome = {
  outcome: 'unchecked',
  detail: 'its SSH server forbids forwarding, and neither bash nor nc is there',
};

const jobOf = (from: string, member: Target, port: DialFact['port']): Job => ({
  from,
  to: member.name,
  port,
  address: member.address,
  number: port === 'peer' ? member.peerPort : member.clientPort,
});

async function dialOne(
  transport: Transport,
  job: Job,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<Outcome | 'prohibited'> {
  try {
    const channel = await transport.dial(job.address, job.number, options);
    channel.on('error', () => undefined).destroy();
    return { outcome: 'open' };
  } catch (thrown) {
    if (thrown instanceof DialError && thrown.reason === 'prohibited') return 'prohibited';
    return outcomeOf(tcpFailure(thrown, job.address, job.number));
  }
}

async function dialHere(member: Target, timeoutMs: number): Promise<Outcome> {
  try {
    const socket = await openTcp(
      { host: member.address, port: member.clientPort, secure: false },
      { ...TIMEOUTS, connect: timeoutMs },
    );
    socket.destroy();
    return { outcome: 'open' };
  } catch (thrown) {
    return outcomeOf(thrown);
  }
}

function outcomeOf(thrown: unknown): Outcome {
  if (!(thrown instanceof EndpointError)) throw thrown;
  const { kind, message } = thrown;
  return kind === 'refused' || kind === 'timeout' || kind === 'unreachable' || kind === 'unresolved'
    ? { outcome: kind, detail: message }
    : { outcome: 'unchecked', detail: message };
}

async function dialByScript(
  transport: Transport,
  jobs: readonly Job[],
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<Outcome[]> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  // Addresses come from a checked profile; whatever is not one does not reach the host.
  const input = jobs
    .map(({ address, number }, index) => (isIP(address) === 0 ? '' : `${index} ${address} ${number}\n`))
    .join('');
  const { stdout } = await transport.exec(DIAL_SCRIPT, {
    input: Buffer.from(input),
    args: [String(seconds)],
    timeoutMs: timeoutMs + 10_000,
    signal,
    label: 'dial the other members',
  });
  const outcomes: Outcome[] = jobs.map(() => UNCHECKED);
  for (const line of stdout.toString().split('\n')) {
    const [, index, outcome] = /^(\d+) (open|refused|timeout|unreachable|unresolved)$/.exec(line) ?? [];
    if (index !== undefined && outcomes[Number(index)])
      outcomes[Number(index)] = { outcome: outcome as Outcome['outcome'] };
  }
  return outcomes;
}
