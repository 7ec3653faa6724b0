# The rungs of the ladder, each found by doing in a child what it takes. Sourced by the launcher; alone it runs a command
# on one rung: `sh ladder.sh in RUNG COMMAND…` says why on stderr, and exits 125, where that cannot be had.
# Needs a POSIX shell and unshare(1), of util-linux or busybox.

while read -r field id _; do
  case $field in Uid:) uid=$id ;; Gid:) gid=$id && break ;; esac
done </proc/self/status

# Tries rungs in turn, best first. Sets TSBUILD_ISOLATION, and TSBUILD_WHY to what the one above it failed by.
climb() {
  for TSBUILD_ISOLATION; do
    how=here
    "rung_$TSBUILD_ISOLATION" && return
    TSBUILD_WHY=$said
  done
  TSBUILD_ISOLATION=none how=here
  return 1
}

# A rung sets `how`: `here`, `maps KIND`, or the words that go before the command.
how=here

rung_root() {
  is_root && has_many_ids && does unshare --mount true && return
  # Without unshare(1) there is nothing to try it with, but real root needs none.
  ! command -v unshare >/dev/null && is_root && has_many_ids && holds 21
}

# Where a namespace is refused, unshare leaves a child of --map-auto behind that waits for ever, and holds our pipe: so
# the namespaces are tried first.
rung_subuid() {
  does unshare --user --mount true || return
  how='unshare --user --map-root-user --map-auto --mount'
  does $how true && return
  case $said in
  *map-auto*) by_maps subuid ;;
  *) return 1 ;;
  esac
}

# Writing the maps of a namespace takes CAP_SETUID and CAP_SETGID, and CAP_SETFCAP for id 0.
rung_mapped() {
  is_root && has_many_ids || return
  said='the capabilities SETUID, SETGID and SETFCAP are not all there'
  holds 6 7 31 && by_maps own
}

rung_single() {
  how='unshare --user --map-root-user --mount'
  does $how true && return
  # Where one id is all that there is, it will do.
  refused=$said
  ! has_many_ids && is_root && how='unshare --mount' && does $how true && return
  said=$refused
  return 1
}

rung_chroot() {
  is_root && has_many_ids || return
  said='the capabilities CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SETPCAP, SYS_CHROOT and MKNOD are not all there'
  holds 0 1 3 5 6 7 8 18 27 && does chroot / true
}

is_root() {
  said="uid $uid is not root"
  [ "$uid" = 0 ]
}

has_many_ids() {
  said='only one id exists here'
  { read -r _ _ count && { [ "$count" -gt 1 ] || read -r more; }; } </proc/self/uid_map
}

holds() {
  while read -r field set; do [ "$field" = CapEff: ] && break; done </proc/self/status
  for bit; do [ $((0x$set >> bit & 1)) = 1 ] || return; done
}

# A namespace is made first: the line that writes the maps would wait for it for ever.
by_maps() {
  does unshare --user --mount true && does sh "$here/ladder.sh" maps "$1" true && how="maps $1"
}

does() {
  said=$(LC_ALL=C "$@" 2>&1)
}

# Becomes the command, on the rung that was found.
enter() {
  case $how in
  here) exec "$@" ;;
  maps*) enter_by_maps "${how#maps }" "$@" ;;
  *) exec $how "$@" ;;
  esac
}

# Becomes the command in a namespace whose maps a background line writes from outside, while it waits: for an unshare(1)
# without --map-auto (busybox, util-linux before 2.38), and for root that may map ids without newuidmap.
enter_by_maps() {
  kind=$1 wait=$(mktemp -d "$(folder_for_fifos)/tsbuild-maps-XXXXXX") || exit 125
  shift
  mkfifo "$wait/made" "$wait/mapped" || exit 125
  (
    read -r _ <"$wait/made"
    failed=$("maps_$kind" $$ 2>&1) || : "${failed:=the maps were refused}"
    echo "$failed" >"$wait/mapped"
    rm -rf "$wait"
  ) </dev/null >/dev/null 2>&1 8<&- 9>&- &
  exec unshare --user --mount sh -c 'echo >"$0/made"
read -r failed <"$0/mapped"
[ -z "$failed" ] || { echo "$failed" >&2; exit 125; }
exec "$@"' "$wait" "$@"
}

# The person's own id as 0, and the first range of /etc/subuid and /etc/subgid behind it.
maps_subuid() {
  user=$(id -un)
  uids=$(range /etc/subuid "$uid") && gids=$(range /etc/subgid "$gid") || return
  newuidmap "$1" 0 "$uid" 1 $uids && newgidmap "$1" 0 "$gid" 1 $gids
}

range() {
  while IFS=: read -r owner first count; do
    case $owner in "$user" | "$uid") echo "1 $first $count" && return ;; esac
  done <"$1"
  echo "no range of ids for $user in $1" >&2
  return 1
}

# Every id that exists here, as itself.
maps_own() {
  same uid "$1" && same gid "$1"
}

same() {
  map=$(while read -r first _ count; do echo "$first $first $count"; done <"/proc/self/$1_map")
  printf '%s\n' "$map" >"/proc/$2/$1_map"
}

# Where fifos may be made: the person's own folder first.
folder_for_fifos() {
  for folder in "$XDG_RUNTIME_DIR" "$TMPDIR" /tmp /dev/shm; do
    [ -n "$folder" ] && [ -w "$folder" ] && break
  done
  echo "$folder"
}

case ${0##*/}:$1 in
ladder.sh:in)
  here=${0%/*}
  if ! climb "$2"; then
    echo "$TSBUILD_WHY" >&2
    exit 125
  fi
  shift 2
  enter "$@"
  ;;
ladder.sh:maps)
  shift
  enter_by_maps "$@"
  ;;
esac
