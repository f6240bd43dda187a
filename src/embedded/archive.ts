/** etcd from its release archive, checked against the SHA256SUMS beside it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import type { Emit } from '../apply/events.ts';
import { WizardError } from '../errors.ts';
import { childEnvironment } from '../remote/local.ts';

export interface ReleaseSource {
  /** Holds `vX.Y.Z/etcd-vX.Y.Z-linux-ARCH.tar.gz` and `vX.Y.Z/SHA256SUMS`. */
  baseUrl: string;
  version: string;
}

/** etcd's own place for its releases. */
export const RELEASES: ReleaseSource = {
  baseUrl: 'https://github.com/etcd-io/etcd/releases/download',
  version: '3.5.33',
};

/** Go's names of the processors for which etcd is released; there is no 32-bit ARM among them. */
const GO_ARCH: Partial<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ppc64: 'ppc64le', s390x: 's390x' };
/** An archive is about 25 MB. */
const MAX_BYTES = 200 << 20;

/**
 * @returns the path of etcd below `folder`
 * @throws WizardError `install`
 */
export async function fetchArchive(
  folder: string,
  { release, emit, signal }: { release: ReleaseSource; emit: Emit; signal: AbortSignal },
): Promise<string> {
  const goArch = GO_ARCH[arch()];
  if (process.platform !== 'linux' || goArch === undefined) {
    throw new WizardError('install', `etcd is not released for ${process.platform} on ${arch()}.`, {
      why: 'Its release archives are for Linux on amd64, arm64, ppc64le and s390x.',
    });
  }
  const name = `etcd-v${release.version}-linux-${goArch}`;
  const base = `${release.baseUrl}/v${release.version}`;
  emit({ type: 'note', text: `Fetching ${name}.tar.gz from etcd’s releases.` });
  const sums = await (await get(`${base}/SHA256SUMS`, signal)).text().catch(unfinished(`${base}/SHA256SUMS`));
  const wanted = new RegExp(`^([0-9a-f]{64})[ *]+${name.replaceAll('.', '\\.')}\\.tar\\.gz$`, 'm').exec(sums)?.[1];
  if (wanted === undefined)
    throw new WizardError('install', `SHA256SUMS of etcd ${release.version} does not name ${name}.tar.gz.`);
  const file = join(folder, 'etcd.tar.gz');
  const sum = await download(`${base}/${name}.tar.gz`, file, signal);
  if (sum !== wanted)
    throw new WizardError('install', `${name}.tar.gz does not have the sum that SHA256SUMS gives.`, {
      why: `It has ${sum} instead of ${wanted}: damaged on the way, or not the original.`,
    });
  await untar(file, folder, `${name}/etcd`);
  return join(folder, name, 'etcd');
}

const unfinished =
  (url: string) =>
  (cause: unknown): never => {
    throw new WizardError('install', `${url} could not be downloaded.`, { why: reasonOf(cause), cause });
  };

/** fetch() hides the reason in the error's cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return `${inner instanceof Error ? inner.message : String(inner)}.`;
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(600_000)]) }).catch(
    unfinished(url),
  );
  if (!response.ok)
    throw new WizardError('install', `${url} could not be downloaded.`, {
      why: `The server answers ${response.status}.`,
    });
  return response;
}

/** @returns the SHA-256 of what was written, hex */
async function download(url: string, path: string, signal: AbortSignal): Promise<string> {
  const response = await get(url, signal);
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MAX_BYTES) throw new Error('it is far too large');
      hash.update(chunk);
      await file.write(chunk);
    }
  } catch (cause) {
    return unfinished(url)(cause);
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

function untar(file: string, folder: string, member: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      'tar',
      ['-xzf', file, '-C', folder, '--no-same-owner', member],
      { env: childEnvironment() },
      (error, _stdout, stderr) => {
        if (error === null) resolve();
        else
          reject(
            new WizardError('install', 'The release archive could not be unpacked.', {
              why: stderr.split('\n')[0],
              cause: error,
            }),
          );
      },
    );
  });
}
