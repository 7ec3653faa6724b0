# Sourced by the launcher where unshare(1) knows no --map-auto (util-linux before 2.38): a background line writes the
# maps of the launcher's own pid with newuidmap and newgidmap while the namespace waits for them, still in place.

range() {
  while IFS=: read -r owner first count; do
    case $owner in "$user" | "$2") echo "1 $first $count" && return ;; esac
  done <"$1"
  return 1
}

user=$(id -un)
if ! TSBUILD_WHY=$(exec unshare --user --mount true 2>&1) ||
  ! uids=$(range /etc/subuid "$uid") || ! gids=$(range /etc/subgid "$uid"); then
  : "${TSBUILD_WHY:=no range of ids for $user in /etc/subuid and /etc/subgid}"
  TSBUILD_ISOLATION=none exec node "$@"
fi

TSBUILD_WAIT=$(mktemp -d) && mkfifo "$TSBUILD_WAIT/made" "$TSBUILD_WAIT/mapped" || exit 1
export TSBUILD_WAIT
(
  read -r _ <"$TSBUILD_WAIT/made"
  failed=$(newuidmap $$ 0 "$uid" 1 $uids 2>&1 && newgidmap $$ 0 "$gid" 1 $gids 2>&1)
  echo "$failed" >"$TSBUILD_WAIT/mapped"
  rm -rf "$TSBUILD_WAIT"
) </dev/null >/dev/null 2>&1 &

# Where the maps were refused the namespace is of no use, and Node goes on as the person in it.
set -- -c 'echo made >"$TSBUILD_WAIT/made"
read -r failed <"$TSBUILD_WAIT/mapped"
unset TSBUILD_WAIT
[ -z "$failed" ] || export TSBUILD_ISOLATION=none TSBUILD_WHY="$failed" TSBUILD_OUTSIDE=
exec node "$@"' sh "$@"
start='unshare --user --mount sh'
