#!/usr/bin/env bash
# The end-to-end test on a real node, where this machine can have one; where it cannot, says why, in one line, and that is
# no failure. What its servers said is kept in target/e2e.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
logs=$target/e2e

not_here() { printf 'e2e: not run: %s\n' "$*" >&2; exit 0; }

# Runs a part that ends with 3, and with the reason in its last line, where this machine has not what it takes.
unless_lacking() {
    local said code=0
    said=$(mktemp)
    { "$@" 2>&1 >&3 | tee "$said" >&2; } 3>&1 || code=$?
    ((code != 3)) || not_here "this machine lacks what a node needs: $(tail -n 1 "$said" | sed 's/^node: //')"
    rm -f "$said"
    ((code == 0)) || exit "$code"
}

[[ $(uname -s) == Linux ]] || not_here "a real node needs Linux"
((EUID == 0)) || not_here "a real node needs root"
for tool in apt-get dpkg awk flock hostname ip mount setpriv unshare; do
    command -v "$tool" >/dev/null || not_here "'$tool' is missing"
done

rm -rf "$logs"
mkdir -p "$logs"
unless_lacking tests/node/build.sh >"$logs/node"
node=$(<"$logs/node")
unless_lacking tests/node/run.sh "$node" "$logs" true

tests/control-plane/build.sh >/dev/null
image/build.sh
export OPERATOR_IMAGE=$target/image/technical-user-operator.tar
cargo test --test e2e --config "target.'cfg(unix)'.runner=['tests/node/run.sh','$node','$logs']" -- --skip harness::
