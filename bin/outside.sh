# The helper outside of the namespaces: it blocks on a fifo, its stdin, until tsbuild asks for a program, runs a fixed
# list of programs as the person, and ends with tsbuild, who alone keeps the fifo open: its end comes however that ended.
# A request is a folder below its own with the fifos in, out, err, args and status; builder/sandbox/outside.ts is its client.

[ -z "$TSBUILD_AUTHORITIES" ] || export NODE_EXTRA_CA_CERTS="$TSBUILD_AUTHORITIES"

# Bytes that a line cannot hold arrive as \0ooo. The full stop keeps trailing newlines.
unescape() {
  text=$(printf '%b.' "$1")
  text=${text%.}
}

# Answers "pid N" once the program has its descriptors, then "exit N".
serve() {
  from=$PWD
  cd "$1" || exit 1
  set --
  while read -r kind line && [ "$kind" != end ]; do
    unescape "$line"
    case $kind in
    env) export "$text" ;;
    cwd) from=$text ;;
    arg) set -- "$@" "$text" ;;
    esac
  done <args
  echo $$ >pid
  exec 4<in >out 2>err 3>status
  cd "$from" || refuse
  case $1 in
  docker-credential-*[!a-zA-Z0-9._-]*) refuse ;;
  docker-credential-* | git | ssh | ssh-add | docker | podman | pasta) ;;
  *) refuse ;;
  esac
  $dies "$@" <&4 4<&- 3>&- &
  program=$!
  trap 'kill $program' TERM
  echo "pid $program" >&3
  exec 4<&- >&- 2>&-
  wait $program
  echo "exit $?" >&3
  exit
}

refuse() {
  echo 'exit 126' >&3
  exit
}

umask 077
trap '' INT QUIT HUP
# A setpriv that knows how also ends programs whose helper was killed.
[ "$1" = serve ] && dies=$3 serve "$2"
setpriv --pdeathsig TERM true 2>/dev/null && dies='setpriv --pdeathsig TERM' || dies=

folder=$1
trap 'rm -rf "$folder"; exit' TERM
exec 5<&0 </dev/null
while read -r request <&5; do
  case $request in *[!a-z0-9]*) continue ;; esac
  $dies sh "$0" serve "$folder/$request" "$dies" 5<&- &
done
for pid in "$folder"/*/pid; do
  [ -e "$pid" ] && read -r pid <"$pid" && kill "$pid"
done
rm -rf "$folder"
