/**
 * The lock of a host. Arguments: what to do, where the lock lies, for `take` also the name of a run that is known to have
 * ended; on standard input the cluster, who, the run's name and after how many seconds a lock is stale, a line each. A lock
 * is a file of one line, `RUN TIME CLUSTER WHO` separated by tabs, by the host's own clock. It is written aside and linked
 * into place: link(2) is atomic, fails where something is, and never leaves an empty lock. Only the run that holds it may
 * refresh or release it.
 */
export const LOCK_SCRIPT = `
set -u
umask 022
LC_ALL=C; export LC_ALL
TAB=$(printf '\\t.'); TAB=\${TAB%.}
lock=$2
gone=\${3-}
read -r cluster
read -r who
read -r run
read -r stale
now=$(date +%s); now=\${now%%[!0-9]*}
own=$lock.$run
# holder FILE: reads a lock; what makes no sense counts as very old.
holder() {
  held= since= theirs= name=
  { IFS=$TAB read -r held since theirs name <"$1"; } 2>/dev/null
  case $since in '' | *[!0-9]*) since=0 ;; esac
  age=$((now - since))
}
# A time ahead of the host's clock is one from before the clock was set right.
fresh() { { [ -z "$gone" ] || [ "$held" != "$gone" ]; } && [ "$age" -lt "$stale" ] && [ "$age" -gt "-$stale" ]; }
tell() { printf '%s\\t%s\\t%s\\t%s\\t%s\\n' "$1" "$age" "$theirs" "$name" "$held"; }
refuse() {
  rm -f -- "$own"
  tell held
  exit 2
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
        holder "$lock"
        fresh && refuse
        # Of several that take a stale lock over, one gets the guard; it replaces the lock without a gap.
        guard=$lock.takeover
        seen=$held:$since
        if ! ln -- "$own" "$guard" 2>/dev/null; then
          holder "$guard"
          fresh || rm -f -- "$guard"
          refuse
        fi
        holder "$lock"
        if [ -e "$lock" ] && [ "$held:$since" = "$seen" ]; then
          tell stale
          mv -f -- "$own" "$lock" || { rm -f -- "$own" "$guard"; exit 3; }
        elif ! ln -- "$own" "$lock" 2>/dev/null; then
          rm -f -- "$guard"
          refuse
        fi
        rm -f -- "$guard"
      fi
    fi
    rm -f -- "$own"
    ;;
  refresh)
    holder "$lock"
    [ "$held" = "$run" ] || { tell lost; exit 2; }
    write && mv -f -- "$own" "$lock" || exit 3
    ;;
  release)
    holder "$lock"
    rm -f -- "$own"
    [ "$held" != "$run" ] || rm -f -- "$lock"
    ;;
esac
`;
