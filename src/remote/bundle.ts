/** Files on a host: one round trip, all or nothing until the first rename, each file old or new ever after. */
import { WizardError } from '../errors.ts';
import { anchorOf, bundleStream } from './bundle-stream.ts';
import { BOOT, scriptThenInput } from './scripts/boot.ts';
import { PUT_SCRIPT } from './scripts/put.ts';
import type { FileBundle, Transport } from './transport.ts';

export interface PutOptions {
  privileged: boolean;
  signal?: AbortSignal;
  /** Milliseconds; default 120 000. */
  timeoutMs?: number;
}

/**
 * Puts the bundle and runs its `after`. Links are replaced, never followed; folders in a file's place are refused.
 * @returns what `after` printed on standard output.
 * @throws WizardError `remote` with the step, the cause and the last lines of standard error; `bad-input` for paths
 * that are not absolute, normal and printable; whatever `Transport.exec` throws.
 */
export async function putBundle(
  transport: Transport,
  bundle: FileBundle,
  { privileged, signal, timeoutMs = 120_000 }: PutOptions,
): Promise<{ output: string }> {
  const label = 'install files';
  const input = scriptThenInput(PUT_SCRIPT, await bundleStream(bundle));
  const { code, stdout, stderr, ...rest } = await transport.exec(BOOT, {
    input,
    args: [anchorOf(bundle)],
    privileged,
    signal,
    timeoutMs,
    label,
  });
  if (code === 0) return { output: stdout.toString() };
  throw failure(transport.host, stderr.toString(), stdout.toString(), code ?? rest.signal ?? 'no exit status');
}

function failure(host: string, stderr: string, stdout: string, status: number | string): WizardError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const tagged = (tag: string) => lines.findLast((line) => line.startsWith(tag))?.slice(tag.length);
  const evidence = lines.filter((line) => !line.startsWith('@')).slice(-10);
  const reached = tagged('@ ') ?? 'starting';
  if (reached === 'after') {
    const said = [...stdout.split('\n').filter((line) => line.trim() !== ''), ...evidence].slice(-10);
    return new WizardError('remote', 'The files are in place, but the command after them failed', {
      host,
      step: 'install files: afterwards',
      why: `It ended with ${status}.`,
      evidence: said,
    });
  }
  const step = `install files: ${reached}`;
  const touched =
    reached === 'renaming'
      ? 'Some files may be new and some old; the next run finishes this.'
      : 'Nothing that was there has been changed.';
  const [, source, size, , free, , at] = /^(.*?) +(\d+) +(\d+) +(-?\d+) +(\S+) +(.*)$/.exec(tagged('@df ') ?? '') ?? [];
  if (at !== undefined && /No space left|quota|Wrote only|short write/i.test(stderr)) {
    // A bundle is a few dozen KiB: with far more than that free, it is not bytes that are missing.
    const inodes = Number(free) > 4096;
    const cause = inodes
      ? `${source} has ${free} of ${size} KiB free, but takes no more files: its inodes or a quota are used up.`
      : `${source} has ${free} of ${size} KiB free, which is too little for the new files.`;
    return new WizardError('remote', `The file system ${at} is full`, {
      host,
      step,
      why: `${cause} ${touched}`,
      next: [
        ...(inodes ? ['See what is used up, on the host:', `df -i ${at}`] : []),
        `Make room on ${at}, then run the same command again.`,
      ],
      evidence,
    });
  }
  const why = tagged('@! ') ?? evidence.at(-1) ?? `the script ended with ${status}`;
  return new WizardError('remote', 'The files could not be installed', {
    host,
    step,
    why: `${why}. ${touched}`,
    next: ['Run the same command again when that is mended.'],
    evidence,
  });
}
