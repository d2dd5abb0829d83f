#!/usr/bin/env bash
# Builds kwok, which plays the kubelet where pods are counted and nothing needs to run, once for this machine, and prints
# where it lies.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${TUO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator}/kwok

die() { printf 'kwok: %s\n' "$*" >&2; exit 1; }
checksum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-12; }

version=$(awk '$1 == "require" && $2 == "sigs.k8s.io/kwok" { print $3; exit }' "$here/go.mod")
target=$cache/$version-$(cat "$here/go.mod" "$here/go.sum" | checksum)

# Without cgo, so no C compiler is asked for and the result runs on any libc.
build() {
    command -v go >/dev/null || die "go is missing: it builds kwok, on whose pods the stories of rollouts run (https://go.dev/dl, 1.26 or newer)"
    printf 'kwok: building %s; only this first time, some 3 minutes on two cores\n' "$version" >&2
    local to
    to=$(mktemp -d "$cache/building.XXXXXX")
    (cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$to/kwok" sigs.k8s.io/kwok/cmd/kwok) >&2 9>&- ||
        die "building it failed"
    chmod 755 "$to"
    mv "$to" "$target"
}

if [[ ! -x $target/kwok ]]; then
    mkdir -p "$cache"
    # One at a time; the lock goes with the process that holds it.
    exec 9>"$cache/.lock"
    if command -v flock >/dev/null; then flock 9; fi
    [[ -x $target/kwok ]] || build
fi
echo "$target/kwok"
