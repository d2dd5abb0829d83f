#!/usr/bin/env bash
# Packs a folder into an image without a container engine: an OCI image layout (image-spec v1.1) in a tar archive, of one
# layer. The same folder gives the same bytes. Needs GNU tar.
#
#   image/archive.sh NAME FOLDER PROGRAM ARCHIVE [PORT]       NAME with its registry, such as docker.io/library/pause:node
set -euo pipefail

name=$1 folder=$2 program=$3 archive=$4 port=${5:-}

case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64 | arm64) architecture=arm64 ;;
    *) architecture=$(uname -m) ;;
esac

digest_of() { sha256sum "$1" | cut -d ' ' -f 1; }
pack() { tar --create --sort=name --format=gnu --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --directory "$1" .; }

# Puts a file under its digest and describes it, as the media type $2.
blob() {
    local digest size
    digest=$(digest_of "$1") size=$(stat --format=%s "$1")
    mv "$1" "$layout/blobs/sha256/$digest"
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s' "$2" "$digest" "$size"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
layout=$work/layout
mkdir -p "$layout/blobs/sha256"

pack "$folder" >"$work/layer.tar"
unpacked=$(digest_of "$work/layer.tar")
gzip --no-name "$work/layer.tar"
layer="$(blob "$work/layer.tar.gz" layer.v1.tar+gzip)}"

# The user by number, not by name: Kubernetes checks runAsNonRoot against it.
cat >"$work/config.json" <<END
{"architecture":"$architecture","os":"linux",
 "config":{"User":"65532:65532","Entrypoint":["$program"]${port:+,\"ExposedPorts\":{\"$port/tcp\":{\}\}}},
 "rootfs":{"type":"layers","diff_ids":["sha256:$unpacked"]}}
END
config="$(blob "$work/config.json" config.v1+json)}"

cat >"$work/manifest.json" <<END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":$config,"layers":[$layer]}
END
# Containerd goes by the first of the names, others by the second.
manifest="$(blob "$work/manifest.json" manifest.v1+json),\"annotations\":
 {\"io.containerd.image.name\":\"$name\",\"org.opencontainers.image.ref.name\":\"${name##*:}\"}}"

echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
echo "{\"schemaVersion\":2,\"manifests\":[$manifest]}" >"$layout/index.json"
mkdir -p "$(dirname "$archive")"
pack "$layout" >"$archive.new"
mv "$archive.new" "$archive"
