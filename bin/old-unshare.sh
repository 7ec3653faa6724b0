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
  exec node "$cli" "$@"
fi

TSBUILD_WAIT=$(mktemp -d) && mkfifo "$TSBUILD_WAIT/made" "$TSBUILD_WAIT/mapped" || exit 1
export TSBUILD_WAIT
(
  read -r _ <"$TSBUILD_WAIT/made"
  newuidmap $$ 0 "$uid" 1 $uids && newgidmap $$ 0 "$gid" 1 $gids
  echo mapped >"$TSBUILD_WAIT/mapped"
  rm -rf "$TSBUILD_WAIT"
) </dev/null >/dev/null 2>&1 &

set -- -c 'echo made >"$TSBUILD_WAIT/made"; read -r _ <"$TSBUILD_WAIT/mapped"; unset TSBUILD_WAIT; exec node "$@"' sh "$cli" "$@"
start='unshare --user --mount sh'
