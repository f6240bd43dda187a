/** The `files` action: certificates, keys, configuration and unit of one host, in one round trip. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { WizardError } from '../errors.ts';
import type { CertificateAuthority, IssuedLeaf } from '../pki/types.ts';
import type { Action, Content, FileChange } from '../plan/types.ts';
import { putBundle } from '../remote/bundle.ts';
import type { FileBundle, RemoteFile } from '../remote/transport.ts';
import type { ApplyContext } from './context.ts';
import { transportOf } from './context.ts';

type FilesAction = Extract<Action, { kind: 'files' }>;

/**
 * Enabled before it is started: a power cut between the two must not leave a member that stays down after boot. Debian's
 * way round by update-rc.d, for an init script that nobody uses, takes a second. Reloading systemd here hides it behind
 * the measurement of the disk.
 */
const ENABLE =
  'export SYSTEMCTL_SKIP_SYSV=1; systemctl --no-reload unmask --runtime etcd.service 2>/dev/null; systemctl --no-reload enable etcd.service 2>&1 && systemctl daemon-reload';

/**
 * Modes and owners of files whose bytes are right. One line a file on stdin: mode, owner, group, path, tab separated.
 * A link is followed by name to the file it stands for, once; then nothing is followed any more.
 */
const CORRECT_MODES = `set -eu
tab=$(printf '\\t')
while IFS="$tab" read -r mode owner group path; do
  real=$(readlink -f -- "$path")
  [ -e "$real" ] && [ ! -L "$real" ] || { echo "$path is gone" >&2; exit 1; }
  [ "$owner" = - ] || chown -h -- "$owner:$group" "$real"
  chmod -- "$mode" "$real"
done`;

/** Something is signed, or the CA's certificate is written. */
export const needsAuthority = ({ leaves, files }: FilesAction): boolean =>
  leaves.length > 0 || files.some(({ content }) => content.kind === 'trust');

/** Issues what is missing, writes every file of the host atomically and records what now lies there. */
export async function putFiles(context: ApplyContext, action: FilesAction): Promise<void> {
  const transport = transportOf(context, action.host);
  const authority = needsAuthority(action) ? await context.authority() : undefined;
  const issued = new Map<string, IssuedLeaf>();
  if (authority && action.leaves.length > 0)
    for (const leaf of await authority.issue(action.leaves)) issued.set(leaf.spec.id, leaf);

  const bytes = (content: Content): Buffer => {
    switch (content.kind) {
      case 'text':
        return Buffer.from(content.text);
      case 'trust':
        return Buffer.from(authority?.trustPem(content.anchor) ?? '');
      case 'certificate':
      case 'key': {
        const leaf = issued.get(content.leaf);
        if (!leaf) throw new WizardError('bug', `No certificate ${content.leaf} was issued for ${action.host}.`);
        return Buffer.from(content.kind === 'key' ? leaf.keyPem : leaf.certificatePem);
      }
    }
  };
  const written = action.files.filter((file) => file.change !== 'mode');
  const remote = (file: FileChange): RemoteFile => ({
    path: file.path,
    content: bytes(file.content),
    mode: file.mode,
    owner: file.owner,
    group: file.group,
  });
  const together = (file: FileChange) =>
    action.versioned !== undefined && dirname(file.path) === action.versioned.folder;
  const bundle: FileBundle = {
    folders: action.folders,
    files: written.filter((file) => !together(file)).map(remote),
    versioned:
      action.versioned && written.some(together)
        ? [{ ...action.versioned, version: context.stamp, files: written.filter(together).map(remote) }]
        : [],
    backupFolder: context.embedded ? undefined : `/var/backups/etcd-wizard/${context.profile.name}/${context.stamp}`,
    after: context.embedded === undefined ? afterwards(action) : undefined,
  };
  context.touched.add(action.host);
  if (bundle.folders.length + bundle.files.length + bundle.versioned.length > 0 || action.enable) {
    await putBundle(transport, bundle, { privileged: context.embedded === undefined, signal: context.signal });
  }
  await correctModes(context, action);
  rememberPeer(context, action.host, [...issued.values()], authority);
  // What was put there is known from now on without reading a key again.
  const sums = [...issued.values()].map(
    (leaf) =>
      [
        leaf.spec.id,
        { certificatePem: leaf.certificatePem, keySha256: createHash('sha256').update(leaf.keyPem).digest('hex') },
      ] as const,
  );
  if (sums.length > 0) await context.state.saveIssued(Object.fromEntries(sums));
}

/**
 * A changed unit is loaded by the restart that follows; until then systemd's «needs reload» tells the next run of it. It
 * does not tell of a new one that takes the place of the package's.
 */
function afterwards({ enable, files }: FilesAction): string | undefined {
  if (enable) return ENABLE;
  return files.some(({ path, change }) => path.endsWith('.service') && change === 'create')
    ? 'systemctl daemon-reload'
    : undefined;
}

/** The peer port can be proved from here while its key is in memory; it is never stored. */
function rememberPeer(
  { peerCredentials }: ApplyContext,
  host: string,
  issued: readonly IssuedLeaf[],
  authority: CertificateAuthority | undefined,
): void {
  const peer = issued.find(({ spec }) => spec.role === 'peer');
  if (peer === undefined || authority === undefined) return;
  peerCredentials.set(host, { caPem: authority.trustPem('peer'), certPem: peer.certificatePem, keyPem: peer.keyPem });
}

async function correctModes(context: ApplyContext, action: FilesAction): Promise<void> {
  const wrong = action.files.filter((file) => file.change === 'mode');
  if (wrong.length === 0) return;
  const input = wrong
    .map((file) => `${file.mode.toString(8)}\t${file.owner ?? '-'}\t${file.group ?? '-'}\t${file.path}\n`)
    .join('');
  const { code, stderr } = await transportOf(context, action.host).exec(CORRECT_MODES, {
    input: Buffer.from(input),
    privileged: context.embedded === undefined,
    signal: context.signal,
    label: 'correct modes and owners',
  });
  if (code !== 0) {
    throw new WizardError('remote', `${action.host}: modes and owners could not be corrected.`, {
      host: action.host,
      step: 'files',
      evidence: stderr.toString().split('\n').filter(Boolean),
    });
  }
}
