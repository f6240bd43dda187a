/**
 * Small durable writes into a file that is laid out before, as etcd's write-ahead log is. $1 is the folder. dd reports
 * how long each write took including the flush, so that starting dd is not measured; where it does not, lines `CONV
 * HUNDREDTHS WRITES` are printed instead. At most 92 kB and about 2 s:
 * every write costs a process, and the slowest of forty is what matters.
 */
export const DISK_SCRIPT = `
set -u
umask 077
NL='
'
LC_ALL=C; export LC_ALL
folder=$1
while [ ! -d "$folder" ]; do folder=\${folder%/*}; folder=\${folder:-/}; done
file=$folder/.etcd-wizard.fsync.$$
trap 'rm -f -- "$file"' EXIT
# PIPE: nobody listens any more.
trap 'exit 143' HUP INT TERM PIPE
# What a power cut left.
rm -f -- "$folder"/.etcd-wizard.fsync.*
set -C
: >"$file" || exit 1
set +C
dd if=/dev/zero of="$file" bs=2300 count=40 conv=fsync 2>/dev/null || { echo "$folder has no room for 92 kB" >&2; exit 1; }
flush=fdatasync
dd if=/dev/zero of="$file" bs=2300 count=1 conv=notrunc,fdatasync 2>/dev/null || flush=fsync
# Hundredths of a second since boot.
now() { read -r up rest </proc/uptime && up=\${up%.*}\${up#*.}; }
write() { dd if=/dev/zero of="$file" bs=2300 count=1 seek=$1 conv=$2 2>&1; }
now
end=$((up + 200))
sample=0
while [ $sample -lt 40 ] && [ $up -lt $end ]; do
  said=$(write $sample notrunc,$flush) || { echo "$said" >&2; exit 1; }
  case $said in *copied,*) printf '%s\\n' "\${said##*"$NL"}" ;; *) break ;; esac
  sample=$((sample + 1))
  now
done
[ $sample -eq 0 ] || exit 0

# A dd that tells no times (some busybox): a second of writes with and one without the flush, the mean of the difference.
many() {
  now; begin=$up; count=0
  while [ $count -lt 100 ] && [ $((up - begin)) -lt 100 ]; do
    write $count $1 >/dev/null || exit 1
    count=$((count + 1))
    now
  done
  echo "$1 $((up - begin)) $count"
}
many notrunc,$flush
many notrunc
`;
