/**
 * Puts a bundle on a host. Constant: what to put comes as one tar stream on standard input.
 * $1 is the folder of the first target; the stream is unpacked in its nearest ancestor that exists.
 *
 * Order: unpack, check sums, make folders, stage beside the targets, back up, fsync, rename. Until the first rename
 * nothing that was there has changed; each rename is atomic. Renaming is always `mv FILE… FOLDER`: unlike `mv A B` it
 * replaces a link to a folder instead of moving into that folder, with every mv there is, and `-T` is not needed.
 * Staging folders carry process id and start time, so that the next run knows which of them are left over.
 * Standard output belongs to what runs afterwards; `@ STEP` lines on standard error say how far it got.
 */
export const PUT_SCRIPT = `
set -uf
umask 077
LC_ALL=C; export LC_ALL
uid=$(id -u)
TAB=$(printf '\\t.'); TAB=\${TAB%.}
NL='
'
anchor=$1

# started PID: when that process started, in ticks since boot; fails when there is no such process.
started() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  IFS=' '
  set -- \${line##*) }
  shift 19
  ticks=$1
}
ticks=0
started $$
me=.etcd-wizard.$$.$ticks

step() { echo "@ $1" >&2; }
staged=
cleanup() {
  IFS=$NL
  for path in $staged; do rm -rf -- "$path"; done
  staged=
}
fail() {
  echo "@! $1" >&2
  cleanup
  exit 70
}
# full FOLDER MESSAGE: a failure that may come of a full file system, which is named then.
full() {
  df -Pk -- "$1" 2>/dev/null | sed 's/^/@df /' >&2
  fail "$2"
}
# sweep: removes from this folder what a run left that is gone.
sweep() {
  set +f
  for left in ./.etcd-wizard.*; do
    [ -e "$left" ] || continue
    pid=\${left#./.etcd-wizard.}; since=\${pid#*.}; since=\${since%%.*}; pid=\${pid%%.*}
    ticks=
    if [ -d /proc/self ]; then started "$pid"; else kill -0 "$pid" 2>/dev/null && ticks=$since; fi
    [ "$ticks" = "$since" ] || rm -rf -- "$left"
  done
  set -f
}
# enter FOLDER: goes there. Links on the way are followed only if root (or this user) made them: another account that
# owns a folder on the way could otherwise send root's writing elsewhere. What follows works on '.', race-free.
enter() {
  cd -P -- "$1" || fail "$1 cannot be entered"
  [ "$PWD" = "$1" ] && return
  path=; rest=\${1#/}
  while [ -n "$rest" ]; do
    path=$path/\${rest%%/*}
    case $rest in */*) rest=\${rest#*/} ;; *) rest= ;; esac
    [ -h "$path" ] || continue
    case "$(ls -ldn -- "$path" | { IFS=" " read -r modes links owned more; echo "$owned"; })" in
      0 | "$uid") ;;
      *) fail "$path is a link that another account made; it is not followed" ;;
    esac
  done
}
# folder PATH: makes it with parents when it is missing.
folder() {
  [ -d "$1" ] && return
  (umask 022; mkdir -p -- "$1") || full "\${1%/*}" "$1 cannot be made"
}
# own MODE OWNER GROUP FILE...
own() {
  mode=$1 owner=$2 group=$3
  shift 3
  [ $# -gt 0 ] || return 0
  if [ "$owner" != - ]; then chown -h -- "$owner:$group" "$@" || fail "the owner cannot be set to $owner:$group"; fi
  chmod -- "$mode" "$@" || fail "modes cannot be set to $mode"
}
# flush FILE...: bytes reach the disk. A sync that takes no names is told to write everything.
flush() {
  [ $# -gt 0 ] || return 0
  said=$(sync -- "$@" 2>&1) && return
  case $said in
    *nvalid* | *nrecognized* | *sage:* | *ignoring*) sync ;;
    *) echo "$said" >&2; full "$PWD" "the files cannot be written to the disk" ;;
  esac
}
# plain NAME: fails unless NAME is free, a file or a link, all of which a rename replaces.
plain() {
  if [ -h "$1" ] || [ -f "$1" ] || [ ! -e "$1" ]; then return; fi
  [ -d "$1" ] && fail "$PWD/\${1#./} is a folder where a file has to be"
  fail "$PWD/\${1#./} is not a regular file"
}

step 'unpacking'
while [ ! -d "$anchor" ]; do anchor=\${anchor%/*}; anchor=\${anchor:-/}; done
trap 'cleanup; exit 143' HUP INT TERM
enter "$anchor"
sweep
stage=$PWD/$me
mkdir -- "$stage" || full "$PWD" "$PWD cannot be written to"
staged=$stage
(cd "$stage" && tar -xmof -) || full "$stage" 'the files could not be unpacked'
step 'checking sums'
sum=sha256sum
command -v $sum >/dev/null || sum='shasum -a 256'
(cd "$stage" && $sum -c sums >/dev/null) || fail 'the files did not arrive whole'
manifest=$stage/manifest

step 'making folders'
while IFS=$TAB read -r kind mode owner group path; do
  [ "$kind" = folder ] || continue
  folder "$path"
  enter "$path"
  own "$mode" "$owner" "$group" .
done <"$manifest"

step 'staging'
set --
work=
while IFS=$TAB read -r kind a b c d; do
  case $kind in
    set | own | end) [ -z "$work" ] || { (cd "./$work" && own "$mode" "$owner" "$group" "$@") || exit 70; set --; } ;;
  esac
  case $kind in
    set)
      folder "$c"
      enter "$c"
      sweep
      work=$me.s
      staged=$staged$NL$PWD/$work
      mv -- "$stage/$a" "./$work" || full "$PWD" "nothing can be written to $PWD"
      ;;
    own) mode=$a owner=$b group=$c ;;
    file) plain "./$a"; set -- "$@" "./$a" ;;
  esac
done <"$manifest"

# Old files that are to be replaced, first copied to the backup folder; a copy that is there already is the older one.
backup=
save() {
  [ -n "$backup" ] || return 0
  kept=$backup$PWD
  [ ! -d "$kept" ] || (cd "$kept" && sweep)
  [ $# -gt 0 ] || return 0
  { mkdir -p -- "$kept/$me.s" && chmod -- 0700 "$backup"; } || full "\${backup%/*}" "$kept cannot be made"
  staged=$staged$NL$kept/$me.s
  cp -pP -- "$@" "$kept/$me.s/" || full "$kept" "the old files cannot be copied to $kept"
  for name in "$@"; do
    flushing=$flushing$NL$kept/\${name#./}
    mv -f -- "$kept/$me.s/\${name#./}" "$kept/" || fail "the old files cannot be copied to $kept"
  done
  rmdir -- "$kept/$me.s"
}
step 'backing up'
flushing=
folders=
set --
at=
while IFS=$TAB read -r kind a b c d; do
  case $kind in set | end) [ -z "$at" ] || { save "$@"; set --; } ;; esac
  case $kind in
    backup) backup=$a ;;
    set) at=$c type=$b; enter "$c"; folders=$folders$NL$PWD ;;
    file)
      flushing=$flushing$NL$PWD/$me.s/$a
      if [ "$type" = version ] && [ -h "./$a" ]; then continue; fi
      if [ -n "$backup" ] && { [ -h "./$a" ] || [ -e "./$a" ]; } && [ ! -h "$backup$PWD/$a" ] && [ ! -e "$backup$PWD/$a" ]; then
        set -- "$@" "./$a"
      fi
      ;;
  esac
done <"$manifest"

# A new version holds what the old one held and is not replaced. Where plain files become links for the first time,
# the plain ones are made the current version first: certificate and key then change in one rename even there.
version() {
  want=$1 mode=$2 owner=$3 group=$4
  shift 4
  mkdir -p .versions || full "$PWD" "$PWD/.versions cannot be made"
  own "$mode" "$owner" "$group" .versions "./$me.s"
  before=
  if [ -h .current ]; then
    before=$(readlink .current); before=\${before##*/}
    set +f
    for old in .current/* .current/.[!.]*; do
      name=\${old##*/}
      if [ -e "./$me.s/$name" ] || [ ! -e "$old" ]; then continue; fi
      cp -pP -- "$old" "./$me.s/" || full "$PWD" "$PWD/$old cannot be copied"
      flushing=$flushing$NL$PWD/$me.s/$name
    done
    set -f
  else
    was=
    for name in "$@"; do [ -f "$name" ] && was=$was$NL$name; done
    if [ -n "$was" ]; then
      before=$want.before
      rm -rf ".versions/$before"
      staged=$staged$NL$PWD/$me.o
      mkdir "./$me.o" && own "$mode" "$owner" "$group" "./$me.o"
      cp -p -- $was "./$me.o/" || full "$PWD" 'the old files cannot be copied'
    fi
  fi
  while [ "$want" = "$before" ]; do want=$want+; done
  rm -rf ".versions/$want"
  staged=$staged$NL$PWD/$me.l
  mkdir "./$me.l" || full "$PWD" "$PWD cannot be written to"
  printf '%s\\n' "$want" >"./$me.l/want" || full "$PWD" "$PWD cannot be written to"
  printf '%s\\n' "$before" >"./$me.l/before" || full "$PWD" "$PWD cannot be written to"
  mkdir "./$me.l/a" "./$me.l/b" && ln -s ".versions/$want" "./$me.l/b/.current" || full "$PWD" "$PWD cannot be written to"
  links=; olds=
  for name in "$@"; do
    name=\${name#./}
    [ -h "$name" ] && [ "$(readlink "$name")" = ".current/$name" ] && continue
    if [ -f "./$me.o/$name" ]; then olds=$olds$NL.current/$name; else links=$links$NL.current/$name; fi
  done
  [ -z "$links" ] || ln -s -- $links "./$me.l/b/" || full "$PWD" "$PWD cannot be written to"
  if [ -n "$olds" ]; then
    { ln -s ".versions/$before" "./$me.l/a/.current" && ln -s -- $olds "./$me.l/a/"; } || full "$PWD" "$PWD cannot be written to"
  fi
}
step 'staging versions'
set --
at=
while IFS=$TAB read -r kind a b c d e f; do
  case $kind in set | end) [ -z "$at" ] || { IFS=$NL; version "$want" "$vmode" "$vowner" "$vgroup" "$@"; set --; at=; } ;; esac
  case $kind in
    set) [ "$b" = version ] && { at=$c; enter "$c"; } ;;
    version) want=$a vmode=$b vowner=$c vgroup=$d ;;
    file) [ -z "$at" ] || set -- "$@" "./$a" ;;
  esac
done <"$manifest"

step 'writing to the disk'
IFS=$NL
flush $flushing

# From here on nothing may stop it half-way but a power cut, which leaves each file old or new.
trap '' HUP INT TERM PIPE
step 'renaming'
# switch: puts a staged version in force by one rename of .current.
switch() {
  read -r want <"./$me.l/want"; read -r before <"./$me.l/before"
  set +f
  if [ -d "./$me.o" ]; then
    mv -- "./$me.o" ".versions/$before" || fail "$PWD/.versions cannot be written to"
    mv -f -- "./$me.l/a/.current" . || fail "$PWD/.current cannot be renamed"
    for name in "./$me.l/a"/* "./$me.l/a"/.[!.]*; do
      [ -h "$name" ] && { mv -f -- "$name" . || fail "$name cannot be renamed"; }
    done
  fi
  mv -- "./$me.s" ".versions/$want" || fail "$PWD/.versions cannot be written to"
  flush .versions
  mv -f -- "./$me.l/b/.current" . || fail "$PWD/.current cannot be renamed"
  for name in "./$me.l/b"/* "./$me.l/b"/.[!.]*; do
    [ -h "$name" ] && { mv -f -- "$name" . || fail "$name cannot be renamed"; }
  done
  for old in .versions/*; do
    case \${old##*/} in "$want" | "$before") ;; *) rm -rf -- "$old" ;; esac
  done
  set -f
}
set --
at=
while IFS=$TAB read -r kind a b c d; do
  case $kind in
    set | end) [ $# -eq 0 ] || mv -f -- "$@" . || fail "not every file in $PWD could be renamed"; set -- ;;
  esac
  case $kind in
    set) type=$b; enter "$c"; [ "$type" = files ] || switch ;;
    file) [ "$type" = files ] && set -- "$@" "./$me.s/$a" ;;
  esac
done <"$manifest"
IFS=$NL
flush $folders

after=
[ ! -f "$stage/after" ] || after=$(cat "$stage/after")
cleanup
trap - HUP INT TERM PIPE
[ -n "$after" ] || exit 0
step 'after'
cd /
exec sh -c "$after" sh </dev/null
`;
