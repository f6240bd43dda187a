/**
 * The lock of a host. Arguments: what to do, where the lock lies; on standard input the cluster, who, the run's id and
 * after how many seconds a lock is stale, a line each. A lock is a file of one line, `RUN TIME CLUSTER WHO` separated by
 * tabs, by the host's own clock. It is written aside and linked into place: link(2) is atomic, fails where something is,
 * and never leaves an empty lock. Only the holder's run id may refresh or release it.
 */
export const LOCK_SCRIPT = `
set -u
umask 022
LC_ALL=C; export LC_ALL
TAB=$(printf '\\t.'); TAB=\${TAB%.}
lock=$2
read -r cluster
read -r who
read -r run
read -r stale
now=$(date +%s); now=\${now%%[!0-9]*}
own=$lock.$run
holder() {
  held= since= theirs= name=
  { IFS=$TAB read -r held since theirs name <"$lock"; } 2>/dev/null
  case $since in '' | *[!0-9]*) since=0 ;; esac
}
write() { printf '%s\\t%s\\t%s\\t%s\\n' "$run" "$now" "$cluster" "$who" >"$own"; }
case $1 in
  take)
    rm -f -- "$own"
    write || exit 3
    if ! ln -- "$own" "$lock" 2>/dev/null; then
      if [ ! -e "$lock" ] && [ ! -h "$lock" ]; then
        # Not because of another lock: say why.
        ln -- "$own" "$lock" || { rm -f -- "$own"; exit 3; }
      else
        holder
        age=$((now - since))
        if [ "$held" != "$run" ] && [ "$age" -lt "$stale" ] && [ "$age" -gt "-$stale" ]; then
          rm -f -- "$own"
          printf 'held\\t%s\\t%s\\t%s\\n' "$age" "$theirs" "$name"
          exit 2
        fi
        # Of several that take a stale lock over, one moves it away; the others find it gone or fresh.
        mv -- "$lock" "$own.stale" 2>/dev/null
        was=$held; at=$since
        { IFS=$TAB read -r held since rest <"$own.stale"; } 2>/dev/null
        if [ "$held" != "$was" ] || [ "$since" != "$at" ]; then ln -- "$own.stale" "$lock" 2>/dev/null; fi
        rm -f -- "$own.stale"
        if ! ln -- "$own" "$lock" 2>/dev/null; then
          holder
          rm -f -- "$own"
          printf 'held\\t%s\\t%s\\t%s\\n' "$((now - since))" "$theirs" "$name"
          exit 2
        fi
        printf 'stale\\t%s\\t%s\\t%s\\n' "$age" "$theirs" "$name"
      fi
    fi
    rm -f -- "$own"
    ;;
  refresh)
    holder
    [ "$held" = "$run" ] || { printf 'lost\\t%s\\t%s\\t%s\\n' "$((now - since))" "$theirs" "$name"; exit 2; }
    write && mv -f -- "$own" "$lock" || exit 3
    ;;
  release)
    holder
    rm -f -- "$own"
    [ "$held" != "$run" ] || rm -f -- "$lock"
    ;;
esac
`;
