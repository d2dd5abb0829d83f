#!/usr/bin/env bash
# Runs a real SCIM 2.0 server on 127.0.0.1 until stdin closes or a signal comes, and leaves nothing behind.
# Once it answers it prints one line of JSON: {"url":…,"token":…}. It never touches the cache.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

die() {
  echo "tests/scim: $*" >&2
  exit 1
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

# Only our own server knows the token, so an answer is proof that this is not a stranger on the same port.
answers() {
  curl --silent --fail --max-time 5 --output /dev/null --config - "$url/Users" <<<"header = \"authorization: Bearer $token\""
}

wait_until_ready() {
  local deadline=$((SECONDS + 60))
  until answers; do
    if ! kill -0 "$server" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 30 "$log" >&2
      die "the SCIM server did not come up"
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
  rm -f "$log"
}

port=""
case "${1:-}" in
  --port) port=${2:?"--port wants a number"} ;;
  "") ;;
  *) die "usage: run.sh [--port N]" ;;
esac
command -v curl >/dev/null 2>&1 || die "'curl' is missing: it asks the server whether it is ready"
home=$("$here/build.sh")
port=${port:-$(free_port)}
url="http://127.0.0.1:$port/v2"
token="planted-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
server="" watch=""
log=$(mktemp "${TMPDIR:-/tmp}/scim.XXXXXX")
trap stop EXIT
trap 'exit 0' INT TERM HUP

tethered "$home/bin/scim2-server" --port "$port" --bearer-token "$token" >"$log" 2>&1 </dev/null &
server=$!
watch_input
wait_until_ready
printf '{"url":"%s","token":"%s"}\n' "$url" "$token"
wait "$server" || die "the SCIM server ended by itself"
