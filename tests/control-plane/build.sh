#!/usr/bin/env bash
# Builds the real control plane that tests and demo run on, once for this machine, and prints the folder that holds it:
# etcd, kube-apiserver, kube-controller-manager, kubectl, helm, and `control-plane`, which starts and stops them.
#
# The first time takes about a quarter of an hour; after that it is instant, for every checkout. KUBEBUILDER_ASSETS names a
# folder whose binaries are used instead; what that one lacks comes from the cache or from PATH.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${TUO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator}/control-plane
binaries=(etcd kube-apiserver kube-controller-manager kubectl helm)

say() { printf 'control-plane: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
checksum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-12; }

version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$here/go.mod")
key=$version-$(cat "$here/go.mod" "$here/go.sum" | checksum)
built=$cache/$key/built

need_go() {
    command -v go >/dev/null || die "go is missing: it builds the Kubernetes API server that the tests and the demo run on (https://go.dev/dl, 1.26 or newer)"
}

# One at a time, whoever asks: a second caller waits for the first and then finds everything there. The lock goes with the
# process that holds it, so a killed build blocks nobody.
with_lock() {
    mkdir -p "$cache/$key"
    if command -v flock >/dev/null; then
        exec 9>"$cache/$key/lock"
        flock --nonblock 9 || { say "another build is under way; waiting for it"; flock 9; }
    fi
    "$@"
    if command -v flock >/dev/null; then exec 9>&-; fi
}

# Counts the packages that `go build -v` names; anything else it says (downloads, errors) is passed on.
progress() {
    awk '/^[A-Za-z0-9._~\/-]+$/ { if (++n % 100 == 0) { print "control-plane:   " n " packages compiled"; fflush() } next } { print; fflush() }'
}

# Compiles one command into the folder $1. Without cgo, so no C compiler is asked for and the result runs on any libc.
compile() {
    local to=$1 name=$2 package=$3 began=$SECONDS
    say "building $name ($4)"
    (cd "$here" && CGO_ENABLED=0 go build -v -trimpath \
        -ldflags="-s -w -X k8s.io/component-base/version.gitVersion=$version" -o "$to/$name" "$package") 2>&1 9>&- |
        progress >&2 || die "building $name failed"
    say "$name done after $((SECONDS - began)) s"
}

build_all() {
    [[ -d $built ]] && return
    need_go
    say "building Kubernetes $version for tests and demo; only this first time, about a quarter of an hour on two cores"
    rm -rf "$cache/$key"/building.*
    local to
    to=$(mktemp -d "$cache/$key/building.XXXXXX")
    compile "$to" etcd go.etcd.io/etcd/server/v3 "1 of 5, about a minute"
    compile "$to" kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "2 of 5, the longest, some 8 minutes"
    compile "$to" kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager "3 of 5, some 2 minutes"
    compile "$to" kubectl k8s.io/kubernetes/cmd/kubectl "4 of 5, about a minute"
    compile "$to" helm helm.sh/helm/v4/cmd/helm "5 of 5, some 3 minutes"
    chmod 755 "$to"
    mv "$to" "$built"
}

# Where one binary comes from, or nothing.
source_of() {
    local name=$1
    if [[ -z ${KUBEBUILDER_ASSETS:-} ]]; then
        if [[ -x $built/$name ]]; then echo "$built/$name"; fi
    elif [[ -x $KUBEBUILDER_ASSETS/$name ]]; then
        echo "$(cd "$KUBEBUILDER_ASSETS" && pwd)/$name"
    elif [[ -x $built/$name ]]; then
        echo "$built/$name"
    else
        command -v "$name" || true
    fi
}

all_sources() {
    local name path
    for name in "${binaries[@]}"; do
        path=$(source_of "$name")
        [[ -n $path ]] || return 1
        echo "$path"
    done
}

# A folder of links to the chosen binaries with the launcher beside them. Its name follows from what is in it, so checkouts
# with different launchers, or different overrides, do not disturb each other.
assemble() {
    [[ -x $assets/control-plane ]] && return
    need_go
    local to path
    to=$(mktemp -d "$cache/$key/building.XXXXXX")
    while read -r path; do ln -s "$path" "$to/${path##*/}"; done <<<"$sources"
    (cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$to/control-plane" ./launcher) >&2 9>&- ||
        die "building the launcher failed"
    chmod 755 "$to"
    rm -rf "$assets"
    mv "$to" "$assets"
}

# Already inside something this script made (a command run by the launcher sees its assets as an override).
if [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/control-plane ]]; then
    echo "$KUBEBUILDER_ASSETS"
    exit
fi

if ! sources=$(all_sources); then
    with_lock build_all
    sources=$(all_sources) || die "the build left something out"
fi
assets=$cache/$key/assets-$({ cat "$here"/launcher/*.go; echo "$sources"; } | checksum)
[[ -x $assets/control-plane ]] || with_lock assemble
echo "$assets"
