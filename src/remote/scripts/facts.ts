/**
 * What is known of a host, in one look. Two constant scripts: LOOK reports, LOOK_AS_ROOT finds out how root's rights are
 * had and runs LOOK with them, so that one round trip does both. Questions come on standard input, `KIND<tab>VALUE` a
 * line, ended by `end`. Plain POSIX sh (dash, busybox ash), few processes: a Pi starts some hundred a second.
 *
 * Answers are lines of tab-separated fields. Whatever the host or its users chose (contents, command lines, process
 * names, link targets) is base64 or has every line prefixed, so that it cannot pass for another answer. base64 lines
 * follow the answer that announces them.
 */

/**
 * $1 is LOOK, $2 where the lock lies, $3 `plain` where no more rights are wanted, $4 BOOT. The clock comes first: it is
 * timed.
 */
export const LOOK_AS_ROOT = `
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
printf '\\n@etcd-wizard-clock %s\\n' "$(date +%s%N)"
look=$1 lock=$2 boot=$4
questions=$(cat)
id=$(LC_ALL=C id)
# look HOW COMMAND...: LOOK under that command.
look() {
  printf '\\n@etcd-wizard-look %s %s\\n' "$1" "$id"
  shift
  printf '%s\\n#end\\n%s\\n' "$look" "$questions" | "$@" sh -c "$boot" sh "$lock"
}
case $id in
  'uid=0('*) look root; exit ;;
esac
how=none
if [ "$3" != plain ]; then
  # 42 is what LOOK ends with: anything else means that it did not run.
  if command -v sudo >/dev/null; then
    look sudo sudo -n; [ $? -eq 42 ] && exit 42
  fi
  if command -v doas >/dev/null; then
    look doas doas -n; [ $? -eq 42 ] && exit 42
  fi
  command -v sudo >/dev/null && how=sudo-password
fi 2>/dev/null
look $how
`;

/** $1 is where the lock lies. Ends with status 42. */
export const LOOK = `
umask 077
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
TAB=$(printf '\\t.'); TAB=\${TAB%.}
NL='
'
lock=$1
set -f
has() { command -v "$1" >/dev/null 2>&1; }
# say KEY FIELD...: fields that hold a tab or a line break are left out.
say() {
  line=$1; shift
  for field in "$@"; do
    case $field in *"$TAB"* | *"$NL"*) field= ;; esac
    line=$line$TAB$field
  done
  printf '%s\\n' "$line"
}
# prefixed KEY: marks every line of what comes as KEY's.
prefixed() { sed "s/^/$1$TAB/"; }

printf '@etcd-wizard-facts\\n'
files= secrets= keys= dirs= mounts= names= services=
while IFS=$TAB read -r kind value; do
  case $kind in
    file) files=$files$NL$value ;;
    secret) secrets=$secrets$NL$value ;;
    publickeys) keys=yes ;;
    datadir) dirs=$dirs$NL$value ;;
    mount) mounts=$mounts$NL$value ;;
    name) names=$names$NL$value ;;
    service) services=$services$NL$value ;;
    end) break ;;
  esac
done
exec </dev/null
uid=$(id -u)
say uid "$uid"

# --- the machine
machine=$(uname -m)
say arch "$machine"
read -r line </proc/sys/kernel/hostname && say hostname "$line"
for path in /etc/machine-id /var/lib/dbus/machine-id; do
  [ -s "$path" ] && read -r line <"$path" && { say machineid "$line"; break; }
done
os=/etc/os-release
[ -e "$os" ] || os=/usr/lib/os-release
[ -r "$os" ] && while read -r line; do
  case $line in ID=* | VERSION_ID=* | PRETTY_NAME=*) say os "\${line%%=*}" "\${line#*=}" ;; esac
done <"$os"
bits=64
[ "$(dd if=/bin/sh bs=1 skip=4 count=1 2>/dev/null)" = "$(printf '\\001')" ] && bits=32
say bits "$bits"
cores=0
while read -r line; do
  case $line in processor*:*) cores=$((cores + 1)) ;; esac
done </proc/cpuinfo
say cores "$cores"
while read -r key value unit; do
  [ "$key" = MemTotal: ] && { say memory "$value"; break; }
done </proc/meminfo
for tool in openssl nc curl timeout bash; do has "$tool" && say tool "$tool"; done
id -u etcd >/dev/null 2>&1 && say etcduser yes
[ -r "$lock" ] && read -r line <"$lock" && printf 'lock\\t%s\\n' "$line"

if [ -d /run/systemd/system ]; then
  say init systemd "$(systemctl --version 2>/dev/null | { read -r word version rest; echo "$version"; })"
elif [ -d /run/openrc ]; then
  say init openrc "$(openrc --version 2>/dev/null | { read -r line; echo "\${line##* }"; })"
else
  say init other ''
fi

# --- addresses; leases of clients that do not tell the kernel
if has ip; then ip -o addr 2>/dev/null | prefixed ip; elif has ifconfig; then ifconfig 2>/dev/null | prefixed ifconfig; fi
set +f
for path in /run/systemd/netif/leases/*; do [ -e "$path" ] && say lease index "\${path##*/}"; done
for path in /run/udhcpc.*.pid /var/run/udhcpc.*.pid /run/dhclient.*.pid /run/dhcpcd/*.pid /run/dhcpcd-*.pid; do
  [ -e "$path" ] || continue
  path=\${path##*/}; path=\${path%.pid}
  case $path in pid) continue ;; udhcpc.* | dhclient.*) path=\${path#*.} ;; dhcpcd-*) path=\${path#dhcpcd-} ;; esac
  say lease name "\${path%-[46]}"
done
set -f

# --- processes: etcd, and what keeps the clock right
ticks() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  IFS=' '
  set -- "$1" \${line##*) }
  pid=$1
  shift 20
  say started "$pid" "$1"
}
read -r uptime rest </proc/uptime && say uptime "$uptime"
timekeeper=
set +f
for dir in /proc/[0-9]*; do
  { read -r comm <"$dir/comm"; } 2>/dev/null || continue
  case $comm in
    systemd-timesyn) timekeeper=systemd-timesyncd ;;
    chronyd | ntpd | openntpd | ntpd-rs) timekeeper=$comm ;;
    etcdctl* | etcdutl* | etcd-wizard*) ;;
    etcd | etcd-* | etcd.*)
      pid=\${dir#/proc/}
      service=
      while IFS=: read -r number controllers group; do
        group=\${group##*/}
        case $group in *.service) service=\${group%.service} ;; openrc.*) [ -n "$service" ] || service=\${group#openrc.} ;; esac
      done <"$dir/cgroup" 2>/dev/null
      say etcdprocess "$pid" "$(stat -c %U "$dir" 2>/dev/null)" "$service" "$(readlink "$dir/cwd" 2>/dev/null)"
      say argv ''; base64 <"$dir/cmdline" 2>/dev/null
      if [ -r "$dir/environ" ]; then say environ ''; tr '\\000' '\\n' <"$dir/environ" | grep '^ETCD_' | head -c 65536 | base64; fi
      # etcd with a configuration file reads nothing else.
      config=$(tr '\\000' '\\n' <"$dir/cmdline" | sed -n -e 's/^--*config-file=//p' -e '/^--*config-file$/{n;p;}' | head -n 1)
      [ -n "$config" ] || config=$(tr '\\000' '\\n' <"$dir/environ" 2>/dev/null | sed -n 's/^ETCD_CONFIG_FILE=//p' | head -n 1)
      case $config in /*) config=$dir/root$config ;; ?*) config=$dir/cwd/$config ;; esac
      if [ -n "$config" ] && [ -f "$config" ] && [ -r "$config" ]; then say config ''; head -c 65536 "$config" | base64; fi
      ticks "$pid"
      ;;
  esac
done
set -f
synchronised=
case $timekeeper in
  systemd-timesyncd) [ -e /run/systemd/timesync/synchronized ] && synchronised=yes || synchronised=no ;;
  chronyd) has chronyc && case $(chronyc -n tracking 2>/dev/null) in *'Leap status'*Normal*) synchronised=yes ;; *'Leap status'*) synchronised=no ;; esac ;;
esac
say timekeeper "$timekeeper" "$synchronised"

if has ss; then ss -ltnp 2>/dev/null | head -n 500 | prefixed ss
elif has netstat; then netstat -ltnp 2>/dev/null | head -n 500 | prefixed netstat
else grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null | head -n 500 | prefixed proctcp; fi

# --- file systems: of the nearest ancestor that exists
IFS=$NL
set --
for path in $mounts; do
  found=$path
  while [ ! -d "$found" ]; do found=\${found%/*}; found=\${found:-/}; done
  real=$(cd -P -- "$found" 2>/dev/null && printf '%s' "$PWD")
  say mount "$path" "\${real:-$found}"
  set -- "$@" "\${real:-$found}"
done
if [ $# -gt 0 ]; then
  stat -f -c "fs$TAB%S$TAB%b$TAB%a$TAB%T$TAB%n" -- "$@" 2>/dev/null
  while IFS=' ' read -r source point type rest; do
    case $type in proc | sysfs | cgroup* | devpts | mqueue | debugfs | tracefs | securityfs | pstore | bpf | nsfs) continue ;; esac
    say mounted "$point" "$type" "$source"
  done </proc/mounts
fi

# --- files
# hidden PATH: it is not seen, but only because a folder on the way may not be searched.
hidden() {
  up=$1
  while up=\${up%/*}; [ -n "$up" ]; do
    [ -d "$up" ] && { [ ! -x "$up" ]; return; }
  done
  return 1
}
IFS=$NL
set --
for path in $files $secrets; do
  if [ -h "$path" ]; then say link "$path"; readlink -- "$path" | head -c 4096 | base64; fi
  if [ -e "$path" ] || [ -h "$path" ]; then set -- "$@" "$path"; elif hidden "$path"; then say denied "$path"; fi
done
for path in $dirs; do
  if [ -d "$path" ]; then set -- "$@" "$path"; elif hidden "$path"; then say denied "$path"; fi
done
[ $# -eq 0 ] || stat -L -c "stat$TAB%a$TAB%U$TAB%G$TAB%s$TAB%F$TAB%n" -- "$@" 2>/dev/null
set --
for path in $files $secrets; do
  [ -f "$path" ] || continue
  if [ -r "$path" ]; then set -- "$@" "$path"; else say denied "$path"; fi
done
[ $# -eq 0 ] || sha256sum -- "$@" 2>/dev/null | prefixed sum
for path in $files; do
  if [ -f "$path" ] && [ -r "$path" ]; then say content "$path"; head -c 262145 -- "$path" | base64; fi
done
if [ -n "$keys" ] && has openssl; then
  for path in $secrets; do
    if [ -f "$path" ] && [ -r "$path" ]; then
      say publickey "$path"
      openssl pkey -in "$path" -passin pass: -pubout -outform DER 2>/dev/null | base64
    fi
  done
fi
for path in $dirs; do
  [ -d "$path" ] || continue
  if [ ! -r "$path" ] || [ ! -x "$path" ]; then say denied "$path"; continue; fi
  empty=yes wal=no
  set +f
  for entry in "$path"/* "$path"/.[!.]*; do [ -e "$entry" ] && { empty=no; break; }; done
  for entry in "$path"/member/wal/*.wal; do [ -e "$entry" ] && { wal=yes; break; }; done
  set -f
  say datadir "$path" "$empty" "$wal"
done

# --- services
IFS=$NL
if [ -d /run/systemd/system ] && [ -n "$services" ]; then
  set --
  for service in $services; do set -- "$@" "$service.service"; done
  shown=$(systemctl show -p LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,MainPID,NeedDaemonReload -- "$@" 2>/dev/null)
  printf '%s\\n' "$shown" | prefixed unit
  for line in $shown; do
    case $line in MainPID=0) ;; MainPID=*) ticks "\${line#MainPID=}"; IFS=$NL ;; esac
  done
elif [ -d /run/openrc ]; then
  for service in $services; do
    [ -e "/etc/init.d/$service" ] || continue
    state=inactive
    for word in started starting stopping failed; do [ -e "/run/openrc/$word/$service" ] && state=$word; done
    enabled=no
    set +f
    for path in /etc/runlevels/*/"$service"; do [ -e "$path" ] && enabled=yes; done
    set -f
    pid=
    for path in "/run/supervise-$service.pid" "/run/$service.pid" "/run/$service/$service.pid"; do
      [ -r "$path" ] && read -r pid <"$path" && break
    done
    [ "$state" = started ] && [ -n "$pid" ] && [ ! -d "/proc/$pid" ] && state=crashed
    say rc "$service" "$state" "$enabled" "$pid"
    [ -n "$pid" ] && { ticks "$pid"; IFS=$NL; }
  done
fi

# --- etcd and its package; these start large programs, so they run beside the name look-ups
architecture= manager=none
if has dpkg; then manager=apt; architecture=$(dpkg --print-architecture 2>/dev/null)
elif has apk; then manager=apk; architecture=$(apk --print-arch 2>/dev/null)
elif has dnf; then manager=dnf; fi
say package "$manager" "$architecture"
# Upstream's etcd ends at once on what it does not support, even when only asked for its version.
case $machine-$bits in
  aarch64-64 | arm64-64) ETCD_UNSUPPORTED_ARCH=arm64 ;;
  aarch64-32 | arm*) ETCD_UNSUPPORTED_ARCH=arm ;;
  i?86-* | x86_64-32) ETCD_UNSUPPORTED_ARCH=386 ;;
  riscv64-*) ETCD_UNSUPPORTED_ARCH=riscv64 ;;
  *) ETCD_UNSUPPORTED_ARCH= ;;
esac
[ -z "$ETCD_UNSUPPORTED_ARCH" ] || export ETCD_UNSUPPORTED_ARCH
etcd=$(command -v etcd) etcdctl=$(command -v etcdctl)
IFS=' '
within='timeout 10'
has timeout || within=
resolve() {
  if has getent; then
    $within getent ahosts "$1" 2>/dev/null | while read -r address type rest; do
      case $type in STREAM*) say address "$1" "$address" ;; esac
    done
    return
  fi
  while read -r address words; do
    case " $words " in *" $1 "*) case $address in '#'*) ;; *) say address "$1" "$address" ;; esac ;; esac
  done </etc/hosts
  has nslookup && $within nslookup "$1" 2>/dev/null | sed -n -e '1,/^Name/d' -e 's/^Address[^:]*: *\\([0-9a-fA-F.:]*\\).*/\\1/p' |
    while read -r address; do say address "$1" "$address"; done
}
answers=$(
  [ -z "$etcd" ] || { $within "$etcd" --version 2>&1 | head -n 5 | prefixed etcdversion & }
  [ -z "$etcdctl" ] || { ETCDCTL_API=3 $within "$etcdctl" version 2>&1 | head -n 5 | prefixed etcdctlversion & }
  case $manager in
    apt)
      dpkg-query -W -f 'installed\\t\${Package}\\t\${db:Status-Status}\\t\${Version}\\n' etcd-server etcd 2>/dev/null &
      # Slow on a Pi, and only asked when there is something to install.
      [ -n "$etcd" ] || { apt-cache policy etcd-server etcd 2>/dev/null | prefixed policy & }
      ;;
    apk)
      apk list -I etcd 2>/dev/null | prefixed apkinstalled &
      [ -n "$etcd" ] || { apk list etcd 2>/dev/null | prefixed apkavailable & }
      ;;
    dnf) rpm -q --qf 'installed\\t%{NAME}\\tinstalled\\t%{VERSION}-%{RELEASE}\\n' etcd 2>/dev/null | grep '^installed' & ;;
  esac
  IFS=$NL
  for name in $names; do IFS=' '; resolve "$name" & done
  wait
)
[ -z "$etcd" ] || say etcd "$etcd"
[ -z "$etcdctl" ] || say etcdctl "$etcdctl"
printf '%s\\n' "$answers"
say end ''
exit 42
`;
