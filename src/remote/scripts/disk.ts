/**
 * Small durable writes into a file that is laid out before, as etcd's write-ahead log is. $1 is the folder. dd reports
 * how long each write took including the flush, so that starting dd is not measured. At most 460 kB and about 3 s.
 */
export const DISK_SCRIPT = `
set -u
umask 077
LC_ALL=C; export LC_ALL
folder=$1
while [ ! -d "$folder" ]; do folder=\${folder%/*}; folder=\${folder:-/}; done
file=$folder/.etcd-wizard.fsync.$$
trap 'rm -f -- "$file"' EXIT
trap 'exit 143' HUP INT TERM
set -C
: >"$file" || exit 1
set +C
dd if=/dev/zero of="$file" bs=2300 count=200 conv=fsync 2>/dev/null || { echo "$folder has no room for 460 kB" >&2; exit 1; }
flush=fdatasync
dd if=/dev/zero of="$file" bs=2300 count=1 conv=notrunc,fdatasync 2>/dev/null || flush=fsync
now() { read -r seconds rest </proc/uptime && seconds=\${seconds%.*}; }
now
end=$((seconds + 3))
sample=0
while [ $sample -lt 200 ] && [ "$seconds" -lt "$end" ]; do
  dd if=/dev/zero of="$file" bs=2300 count=1 seek=$sample conv=notrunc,$flush 2>&1 || exit 1
  sample=$((sample + 1))
  now
done
`;
