/** Which architectures etcd runs on without being told twice (checkSupportArch in etcd's main package). */
import type { HostFacts } from '../facts.ts';
import { compareVersions } from './versions.ts';

/** dpkg's and apk's names and `uname -m` → GOARCH. */
const GOARCH: Readonly<Record<string, string>> = {
  amd64: 'amd64',
  x86_64: 'amd64',
  arm64: 'arm64',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
  armv6l: 'arm',
  armv7: 'arm',
  armv7l: 'arm',
  armv8l: 'arm',
  i386: '386',
  i686: '386',
  x86: '386',
  ppc64el: 'ppc64le',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};
/** A 64-bit kernel over a 32-bit userland, as older Raspberry Pi OS images have it, runs 32-bit programs. */
const NARROW: Readonly<Record<string, string>> = { arm64: 'arm', amd64: '386' };

/** GOARCH of the etcd that this host's packages bring; the raw name where it is unknown. */
export function goArchOf(facts: Pick<HostFacts, 'kernelArch' | 'packageArch' | 'userlandBits'>): string {
  if (facts.packageArch !== undefined) return GOARCH[facts.packageArch] ?? facts.packageArch;
  const kernel = GOARCH[facts.kernelArch] ?? facts.kernelArch;
  return facts.userlandBits === 32 ? (NARROW[kernel] ?? kernel) : kernel;
}

/**
 * @returns the value that ETCD_UNSUPPORTED_ARCH must have in the member's environment (it must equal GOARCH, so `arm`
 * and never `armv7l`), or undefined where none is needed. Until 3.4 only amd64 and ppc64le start without it.
 */
export function unsupportedArch(goArch: string, version: string): string | undefined {
  const free = compareVersions(version, '3.5.0') < 0 ? ['amd64', 'ppc64le'] : ['amd64', 'arm64', 'ppc64le', 's390x'];
  return free.includes(goArch) ? undefined : goArch;
}
