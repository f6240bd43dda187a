/** How fast a host's disk makes writes safe: what etcd's elections and writes wait for. */
import { WizardError } from '../errors.ts';
import { BOOT, scriptThenInput } from './scripts/boot.ts';
import { DISK_SCRIPT } from './scripts/disk.ts';
import type { Transport } from './transport.ts';

export interface FsyncTimes {
  /** Median and 99th percentile of one small write made durable, milliseconds. */
  p50Ms: number;
  p99Ms: number;
  samples: number;
}

export interface MeasureOptions {
  /** Default true; false for a folder that needs no root. */
  privileged?: boolean;
  signal?: AbortSignal;
}

/**
 * Writes up to 40 times 2300 bytes (etcd's usual size of a WAL write, as its documentation on disks has it) into a
 * file in the folder's file system, each followed by fdatasync, for at most about two seconds; the file is removed.
 * @param folder the data directory; where it is missing, its nearest ancestor is measured.
 * @throws WizardError `remote` when nothing could be measured.
 */
export async function measureFsync(
  transport: Transport,
  folder: string,
  options: MeasureOptions = {},
): Promise<FsyncTimes> {
  const { privileged = true, signal } = options;
  const label = 'measure the disk';
  const { code, stdout, stderr } = await transport.exec(BOOT, {
    input: scriptThenInput(DISK_SCRIPT),
    args: [folder],
    privileged,
    signal,
    timeoutMs: 60_000,
    label,
  });
  const times = timesIn(stdout.toString());
  const at = (share: number) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)];
  const [p50Ms, p99Ms] = [at(0.5), at(0.99)];
  if (code !== 0 || p50Ms === undefined || p99Ms === undefined) {
    const evidence = stderr.toString().split('\n').filter(Boolean).slice(-5);
    throw new WizardError('remote', `The disk under ${folder} could not be measured`, {
      host: transport.host,
      step: label,
      why: evidence.at(-1),
      evidence,
    });
  }
  return { p50Ms, p99Ms, samples: times.length };
}

/** Milliseconds of each write, ascending; where only means are known, the mean as often as it was written. */
function timesIn(text: string): number[] {
  const single = [...text.matchAll(/copied, (\d+(?:\.\d+)?(?:e-?\d+)?) s/g)].map(
    ([, seconds]) => Number(seconds) * 1000,
  );
  if (single.length > 0) return single.sort((a, b) => a - b);
  const [flushed, plain] = [...text.matchAll(/^notrunc\S* (\d+) (\d+)$/gm)].map(([, hundredths, count]) => ({
    count: Number(count),
    mean: (Number(hundredths) * 10) / Number(count),
  }));
  // What starting dd takes is in both; less than the clock can tell apart counts as a tenth of a millisecond.
  return flushed && plain && flushed.count > 0 && plain.count > 0
    ? Array(flushed.count).fill(Math.max(flushed.mean - plain.mean, 0.1))
    : [];
}
