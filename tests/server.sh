# What it takes to run somebody else's server on 127.0.0.1 for as long as whoever started it lives. Sourced by the run.sh
# of each server, which names itself in `me` and its server in `called`, and says how to ask whether it is ready in
# `answers`. `scratch` is removed at the end; `log` is what the server said.

server="" watch="" scratch="" log=""

die() {
  echo "$me: $*" >&2
  exit 1
}

random_hex() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Nobody listens there now. Should someone else take it before the server does, the server exits and so do we.
free_port() {
  local port
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 12000)) # below the range that Linux gives to outgoing connections
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  die "found no free port on 127.0.0.1"
}

# The port that the arguments name, or one that nobody uses.
port_of() {
  case "${1:-}" in
    --port) echo "${2:?"--port wants a number"}" ;;
    "") free_port ;;
    *) die "usage: run.sh [--port N]" ;;
  esac
}

# setpriv takes a child down even when this script is killed outright; systems without it lose only that.
tethered() {
  if command -v setpriv >/dev/null 2>&1; then exec setpriv --pdeathsig KILL "$@"; fi
  exec "$@"
}

# The end of our input is the end of the server: whoever started us may go without a word.
watch_input() {
  exec 3<&0
  tethered sh -c 'while read -r _; do :; done; kill -TERM "$1"' watch "$$" <&3 &
  watch=$!
}

# Waits so many seconds at most.
wait_until_ready() {
  local deadline=$((SECONDS + $1))
  until answers; do
    if ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 30 "$log" >&2
      die "$called did not come up"
    fi
    sleep 0.2
  done
}

stop() {
  trap - EXIT INT TERM HUP
  if [ -n "$server" ]; then
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if [ -n "$watch" ]; then kill "$watch" 2>/dev/null || true; fi
  if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
}

trap stop EXIT
trap 'exit 0' INT TERM HUP
command -v curl >/dev/null 2>&1 || die "'curl' is missing: it asks the server whether it is ready"
