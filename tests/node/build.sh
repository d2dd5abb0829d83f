#!/usr/bin/env bash
# Puts together what a real node consists of, once for this machine, and prints the folder that holds it: kubelet and
# kube-scheduler, compiled; containerd, runc and CNI plugins from this machine's Debian packages, which are unpacked and not
# installed; and the images of the pods of the test.
#
# Ends with 3 where packages cannot be had.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${TUO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator}/node
packages=(containerd runc containernetworking-plugins)

say() { printf 'node: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
lacks() { say "$*"; exit 3; }

version=$(awk '$1 == "require" && $2 == "k8s.io/kubernetes" { print $3; exit }' "$here/go.mod")
key=$(cd "$here" && cat go.mod go.sum build.sh ../../image/archive.sh consumer/*.go pause/*.go | sha256sum | cut -c 1-12)
target=$cache/$version-$key

# Without cgo, so no C compiler is asked for and the result runs in an image that has nothing else.
compile() {
    (cd "$here" && CGO_ENABLED=0 go build -trimpath -o "$1" \
        -ldflags="-s -w -X k8s.io/component-base/version.gitVersion=$version" "${@:2}") >&2 9>&- || die "building $2 failed"
}

unpack() {
    local to=$1 folder
    folder=$(mktemp -d "$to/packages.XXXXXX")
    (cd "$folder" && apt-get --quiet --quiet download "${packages[@]}") >&2 9>&- ||
        lacks "apt-get cannot download ${packages[*]}: is this Debian or Ubuntu, and was apt-get update run?"
    for package in "$folder"/*.deb; do dpkg -x "$package" "$folder"; done
    mv "$folder"/usr/bin/{containerd,containerd-shim-runc-v2,ctr} "$folder/usr/sbin/runc" "$to"
    mv "$folder/usr/lib/cni" "$to/cni"
    rm -rf "$folder"
    "$to/runc" --version >/dev/null 2>&1 || lacks "runc does not run here: $("$to/runc" --version 2>&1 | tail -n 1)"
}

image() {
    local to=$1 name=$2 folder
    folder=$(mktemp -d "$to/image.XXXXXX")
    compile "$folder/$name" "./$name"
    "$here/../../image/archive.sh" "docker.io/library/$name:node" "$folder" "/$name" "$to/images/$name.tar"
    rm -rf "$folder"
}

build() {
    local to
    to=$(mktemp -d "$cache/building.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$to'" EXIT
    unpack "$to"
    command -v go >/dev/null || die "go is missing: it builds the kubelet (https://go.dev/dl, 1.26 or newer)"
    say "building kubelet and kube-scheduler $version; only this first time, some 2 minutes once the control plane is built"
    compile "$to/" k8s.io/kubernetes/cmd/kubelet k8s.io/kubernetes/cmd/kube-scheduler
    image "$to" pause
    image "$to" consumer
    chmod 755 "$to"
    mv "$to" "$target"
}

if [[ ! -d $target ]]; then
    mkdir -p "$cache"
    # One at a time; the lock goes with the process that holds it.
    exec 9>"$cache/.lock"
    flock 9
    [[ -d $target ]] || build
fi
echo "$target"
