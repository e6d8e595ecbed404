#!/usr/bin/env bash
# Brings the programs of others that tests/foreign holds our bytes against, into .foreign: `make foreign`.
# What cannot be had here is said and left out; the tests that want it skip and say so.
set -uo pipefail
cd "$(dirname "$0")/.."
uv=${1:?the path of uv}
pinned=tests/foreign/pinned
mkdir -p .foreign

without() { echo "foreign: without $1: $2"; }

# Go's own packages for notes and transparency logs, as Debian ships them: no network but the package mirror's.
if [ ! -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ] || ! command -v go >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && apt-get install -qq -y --no-install-recommends golang-go golang-golang-x-mod-dev >/dev/null ||
      without "Go" "apt-get failed"
  else
    without "Go" "install golang-go and golang-golang-x-mod-dev (Debian), as root"
  fi
fi

if command -v npm >/dev/null; then
  mkdir -p .foreign/node && cp $pinned/package.json $pinned/package-lock.json .foreign/node/ &&
    npm ci --prefix .foreign/node --no-audit --no-fund --silent >/dev/null 2>&1 || without "the npm packages" "npm failed"
else
  without "the npm packages" "there is no npm"
fi

if [ ! -d .foreign/vectors/agent_evidence_vectors ]; then
  "$uv" pip install --quiet --require-hashes --no-deps --target .foreign/vectors -r $pinned/vectors.txt ||
    without "agent-evidence-vectors" "uv failed"
fi

if [ ! -x .foreign/scitt/bin/python ]; then
  "$uv" venv --quiet --clear --python "$(.venv/bin/python -c 'import sys; print(sys.executable)')" .foreign/scitt &&
    "$uv" pip install --quiet --require-hashes --python .foreign/scitt/bin/python -r $pinned/scitt.txt ||
    { without "scitt-cose" "uv failed"; rm -rf .foreign/scitt; }
fi

if [ ! -x .foreign/aics/bin/aics-tlog ]; then
  found=
  for python in python3.14 python3.13 python3.12 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && found=$python && break
  done
  if [ -z "$found" ]; then
    without "aics-tlog and aics-witness" "they need Python 3.12 or newer"
  else
    "$uv" venv --quiet --clear --python "$("$found" -c 'import sys; print(sys.executable)')" .foreign/aics &&
      "$uv" pip install --quiet --require-hashes --python .foreign/aics/bin/python -r $pinned/aics.txt ||
      without "aics-tlog and aics-witness" "uv failed"
  fi
fi
exit 0
