#!/usr/bin/env bash
# Runs a real SCIM 2.0 server on 127.0.0.1 until stdin closes or a signal comes, and leaves nothing behind.
# Once it answers it prints one line of JSON: {"url":…,"token":…}. It never touches the cache.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
me="tests/scim" called="the SCIM server"
# shellcheck source=tests/server.sh
source "$here/../server.sh"

# Only our own server knows the token, so an answer is proof that this is not a stranger on the same port.
answers() {
  curl --silent --fail --max-time 5 --output /dev/null --config - "$url/Users" <<<"header = \"authorization: Bearer $token\""
}

port=$(port_of "$@")
home=$("$here/build.sh")
url="http://127.0.0.1:$port/v2"
token="planted-$(random_hex)"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/scim.XXXXXX")
log="$scratch/log"

tethered "$home/bin/scim2-server" --port "$port" --bearer-token "$token" >"$log" 2>&1 </dev/null &
server=$!
watch_input
wait_until_ready 60
printf '{"url":"%s","token":"%s"}\n' "$url" "$token"
wait "$server" || die "the SCIM server ended by itself"
