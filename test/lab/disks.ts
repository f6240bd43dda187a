/** Disks of a host that run out of room: of bytes, of files. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../setup/process.ts';
import type { Host } from './host.ts';

/**
 * Mounts an ext4 file system of the given size over a folder, with all but `free` bytes of it taken.
 * @param scratch folder on this machine for the image
 */
export async function fullDisk(
  host: Host,
  folder: string,
  { bytes, free, scratch }: { bytes: number; free: number; scratch: string },
): Promise<{ makeRoom(): Promise<void>; remove(): Promise<void> }> {
  const image = join(scratch, `${host.name}.img`);
  await must('truncate', ['-s', String(bytes), image]);
  await must('mkfs.ext4', ['-q', '-m', '0', image]);
  const device = (await must('losetup', ['-f', '--show', image])).trim();
  // The host has no loop devices of its own; the node is made in it for as long as it takes to mount.
  const script = `mkdir -p "$1" && mknod /dev/disk b 7 "$2" && mount -t ext4 /dev/disk "$1" && rm /dev/disk
    rmdir "$1/lost+found"; avail=$(df -B1 --output=avail "$1" | tail -1); fallocate -l $((avail - $3)) "$1/.full"`;
  await host.sh(script, { args: [folder, device.replace('/dev/loop', ''), String(free)] });
  return {
    makeRoom: async () => void (await host.sh('rm "$1/.full"', { args: [folder] })),
    remove: async () => {
      await host.sh('umount -l "$1"', { args: [folder] });
      await must('losetup', ['-d', device]);
      await rm(image);
    },
  };
}

/** Mounts a file system over a folder that has room for bytes but not for files. @returns a function that mends it */
export async function noInodes(host: Host, folder: string): Promise<() => Promise<void>> {
  await host.sh('mkdir -p "$1" && mount -t tmpfs -o size=64m,nr_inodes=10 tmpfs "$1"', { args: [folder] });
  return async () => void (await host.sh('mount -o remount,nr_inodes=1000 "$1"', { args: [folder] }));
}
