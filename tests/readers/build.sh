#!/usr/bin/env bash
# Installs SAP's own readers of a Secret once into the user's cache and prints their folder: libraries for Node.js from npm
# in node_modules, the one for Java from Maven Central in java. It touches nothing outside the cache, npm's and Maven's own.
set -euo pipefail
cd "$(dirname "$0")"

cache="${TUO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator}/readers"

# A change of the pins or of the installation is a new folder; checkouts that agree share one.
installation_key() {
  cat package.json pom.xml build.sh | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16
}

need() {
  command -v "$1" >/dev/null 2>&1 && return
  echo "tests/readers: '$1' is missing: $2" >&2
  exit 69 # EX_UNAVAILABLE of sysexits.h: lets a caller tell a missing tool from a failure
}

# The finished folder appears by one rename, so that no one ever sees half of it.
assemble() {
  local target=$1
  building=$(mktemp -d "$cache/.building.XXXXXX")
  trap 'rm -rf "$building"' EXIT # gone already when all went well
  cp package.json "$building/"
  npm install --prefix "$building" --ignore-scripts --no-audit --no-fund --loglevel error >&2
  mvn -Dstyle.color=never --quiet --batch-mode --no-transfer-progress --strict-checksums \
    --file pom.xml "-Dassembly=$building/java" process-resources >&2
  mv "$building" "$target"
}

need node "SAP's libraries for Node.js read the Secret (Node.js 20 or newer)"
need java "SAP's library for Java reads the Secret (Java 17)"
target="$cache/$(installation_key)"
if [ ! -d "$target" ]; then
  need npm "npm fetches SAP's libraries for Node.js (about 30 MB, once)"
  need mvn "Maven fetches SAP's library for Java from Maven Central (once)"
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  if command -v flock >/dev/null 2>&1; then flock 9; fi
  if [ ! -d "$target" ]; then assemble "$target"; fi
fi
echo "$target"
