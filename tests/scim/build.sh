#!/usr/bin/env bash
# Installs a SCIM client, its compliance check and a SCIM server once into the user's cache and prints their folder.
# It starts nothing (run.sh does) and touches nothing outside the cache and pip's own.
set -euo pipefail
cd "$(dirname "$0")"

cache="${TUO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator}/scim"

# A change of the pins or of the installation is a new folder; checkouts that agree share one.
installation_key() {
  cat requirements.txt build.sh | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16
}

missing() {
  echo "tests/scim: $1 is missing: the SCIM compliance check is a Python program (Python 3.10 or newer with venv)" >&2
  exit 69 # EX_UNAVAILABLE of sysexits.h: lets a caller tell a missing tool from a failure
}

# A virtual environment knows its own path, so it cannot be moved into its place: a mark says that it is whole.
install() {
  local target=$1
  rm -rf "$target"
  python3 -m venv "$target" >&2 || missing "the module venv of Python"
  "$target/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt >&2
  touch "$target/.whole"
}

command -v python3 >/dev/null 2>&1 || missing "'python3'"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || missing "a Python of at least 3.10"
target="$cache/$(installation_key)"
if [ ! -e "$target/.whole" ]; then
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  if command -v flock >/dev/null 2>&1; then flock 9; fi
  if [ ! -e "$target/.whole" ]; then install "$target"; fi
fi
echo "$target"
