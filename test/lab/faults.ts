/** What goes wrong with hosts, each as a function on one. */
import { must } from '../setup/process.ts';
import type { Host } from './host.ts';

/** Pulls the cable to the other members out, or plugs it in again. */
export async function cable(host: Host, state: 'down' | 'up'): Promise<void> {
  await must('ip', ['-n', host.ns, 'link', 'set', 'eth0', state]);
}

/**
 * Shifts the clock that `date` shows, in seconds. Containers share the kernel's clock, so only what asks `date` (facts do)
 * sees it; 0 mends it.
 */
export async function clock(host: Host, seconds: number): Promise<void> {
  await host.sh('test -e /usr/bin/date.real || cp -p /usr/bin/date /usr/bin/date.real');
  const wrapper = `#!/bin/sh
now=$(/usr/bin/date.real +%s.%N)
exec /usr/bin/date.real -d "@$((\${now%.*} + ${Math.trunc(seconds)})).\${now#*.}" "$@"
`;
  // Over the file, not into it: the binary may be running.
  await host.write('/usr/bin/date.new', seconds === 0 ? '#!/bin/sh\nexec /usr/bin/date.real "$@"\n' : wrapper, {
    mode: 0o755,
  });
  await host.sh('mv /usr/bin/date.new /usr/bin/date');
}

/** sshd refuses direct-tcpip channels. */
export async function forbidForwarding(host: Host): Promise<void> {
  await host.write('/etc/ssh/sshd_config.d/forward.conf', 'AllowTcpForwarding no\nDisableForwarding yes\n');
  await host.sh('systemctl restart ssh');
}

/** Puts a file system of the given size (bytes, default 1 MiB) over a folder, filled to the last block. @returns a function that makes room again */
export async function fillDisk(host: Host, folder: string, bytes = 1 << 20): Promise<() => Promise<void>> {
  await host.sh(
    'mkdir -p "$1" && mount -t tmpfs -o size="$2" tmpfs "$1" && cat /dev/zero >"$1/.full" 2>/dev/null; test -s "$1/.full"',
    { args: [folder, String(bytes)] },
  );
  return async () => {
    await host.sh('rm "$1/.full"', { args: [folder] });
  };
}

/** Sequences that would retitle, recolour and clear a terminal, and a bidirectional override. */
export const HOSTILE = '\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\u202etxt.exe\u009b31m';

/** The login banner and the shell's start-up file of `user` print escape sequences at every login and every command. */
export async function shout(host: Host, user = 'pi'): Promise<void> {
  await host.write('/etc/issue.net', `${HOSTILE}\nbanner\n`);
  await host.write('/etc/ssh/sshd_config.d/banner.conf', 'Banner /etc/issue.net\n');
  const home = user === 'root' ? '/root' : `/home/${user}`;
  await host.sh('f="$1/.bashrc"; { cat; cat "$f" 2>/dev/null; } >"$f.new"; mv "$f.new" "$f"; chown "$2": "$f"', {
    args: [home, user],
    input: `printf '%s\\n' '${HOSTILE}'\nprintf '%s\\n' '${HOSTILE}' >&2\n`,
  });
  await host.sh('systemctl restart ssh');
}

/** The host gets another SSH key, as after a reinstallation or with someone in between. */
export async function changeHostKey(host: Host): Promise<void> {
  await host.sh(
    'rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key; systemctl restart ssh',
  );
}

/** Logins are accepted and then nothing answers any more: the daemons of the host are stopped, the connection stays. */
export async function hang(host: Host, process: string): Promise<() => Promise<void>> {
  await host.sh('pkill -STOP -x "$1"', { args: [process] });
  return async () => {
    await host.sh('pkill -CONT -x "$1"', { args: [process] });
  };
}
