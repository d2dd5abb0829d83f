#!/usr/bin/env bash
# Builds the operator's image and leaves it as an archive, which clusters and engines can load, in target/image. With docker,
# podman or buildah by the Containerfile, which then know the image too; where none of them works (or ENGINE=none says so),
# from a release build of this machine and what that needs to run.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^appVersion: //p' charts/technical-user-operator/Chart.yaml)
# In full, so that every engine calls it the same; in a manifest it is technical-user-operator:$version.
name=docker.io/library/technical-user-operator:$version
archive=${CARGO_TARGET_DIR:-target}/image/technical-user-operator.tar
program=/technical-user-operator

say() { printf 'image: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The first whose daemon, or whatever it needs, answers.
working_engine() {
    local engine
    for engine in docker podman buildah; do
        if "$engine" info >/dev/null 2>&1; then echo "$engine"; return; fi
    done
    echo none
}

with_engine() {
    case $1 in
        docker) docker build --file Containerfile --tag "$name" . && docker save --output "$archive" "$name" ;;
        podman) podman build --file Containerfile --tag "$name" . && podman save --output "$archive" "$name" ;;
        buildah) buildah build --file Containerfile --tag "$name" . && buildah push "$name" "docker-archive:$archive:$name" ;;
        *) die "there is no engine $1: docker, podman, buildah or none" ;;
    esac
}

# What the linker loads, and what an older glibc loads by name when it looks up hosts.
libraries_of() {
    local library libraries
    libraries=$(ldd "$1" | grep --only-matching '/[^ ]*')
    echo "$libraries"
    for library in "$(dirname "$(grep '/libc\.so' <<<"$libraries")")"/lib{nss_files,nss_dns,resolv}.so.2; do
        if [[ -e $library ]]; then echo "$library"; fi
    done
}

authorities() {
    local file
    for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
        if [[ -e $file ]]; then echo "$file"; return; fi
    done
    die "this machine has no bundle of certificate authorities for the image: install ca-certificates"
}

# The root of the image: what the Containerfile has, of this machine instead of distroless/cc.
fill() {
    local root=$1 library
    install -m 755 "$2" "$root$program"
    for library in $(libraries_of "$2"); do
        mkdir -p "$root$(dirname "$library")"
        cp --dereference "$library" "$root$library"
    done
    mkdir -p "$root/etc/ssl/certs"
    cp --dereference "$(authorities)" "$root/etc/ssl/certs/ca-certificates.crt"
    echo "hosts: files dns" >"$root/etc/nsswitch.conf"
    echo "nonroot:x:65532:65532:nonroot:/:/sbin/nologin" >"$root/etc/passwd"
    echo "nonroot:x:65532:" >"$root/etc/group"
}

without_engine() {
    [[ $(uname -s) == Linux ]] || die "without docker, podman or buildah the image is built from this machine's own binary, so on Linux alone"
    cargo build --release --locked --bin technical-user-operator
    local root
    root=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$root'" EXIT
    fill "$root" "${CARGO_TARGET_DIR:-target}/release/technical-user-operator"
    image/archive.sh "$name" "$root" "$program" "$archive" 8080
}

mkdir -p "$(dirname "$archive")"
engine=${ENGINE:-$(working_engine)}
if [[ $engine == none ]]; then
    say "no container engine works here: building it from a release build of this machine"
    without_engine
else
    rm -f "$archive" # podman refuses to write over one
    with_engine "$engine"
fi
say "$name, in $archive"
