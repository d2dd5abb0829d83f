#!/usr/bin/env bash
# Assembles the real UAA of the tests once into the user's cache and prints its folder.
# It starts nothing (run.sh does) and touches nothing outside the cache and Maven's own repository.
set -euo pipefail
cd "$(dirname "$0")"

cache="${TUO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator}/uaa"

# A change of the pins or of the assembly is a new folder; checkouts that agree share one.
assembly_key() {
  cat pom.xml build.sh | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16
}

need() {
  command -v "$1" >/dev/null 2>&1 && return
  echo "tests/uaa: '$1' is missing: $2" >&2
  exit 69 # EX_UNAVAILABLE of sysexits.h: lets a caller tell a missing tool from a failure
}

# The finished folder appears by one rename, so that no one ever sees half of it.
assemble() {
  local target=$1
  building=$(mktemp -d "$cache/.building.XXXXXX")
  trap 'rm -rf "$building"' EXIT # gone already when all went well
  mvn -Dstyle.color=never --quiet --batch-mode --no-transfer-progress --strict-checksums \
    --file pom.xml "-Dassembly=$building" process-resources >&2
  mv "$building"/unpacked/apache-tomcat-* "$building/tomcat"
  rm -rf "$building/unpacked" "$building/markers"
  mv "$building" "$target"
}

need java "the UAA that the tests and 'make demo ENVIRONMENT=uaa' run is a Java program (Java 17)"
target="$cache/$(assembly_key)"
if [ ! -d "$target" ]; then
  need mvn "Maven fetches the UAA and its Tomcat from Maven Central (about 75 MB, once)"
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  if command -v flock >/dev/null 2>&1; then flock 9; fi
  if [ ! -d "$target" ]; then assemble "$target"; fi
fi
echo "$target"
