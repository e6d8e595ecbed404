#!/usr/bin/env bash
# Makes the environments in which Interlock is tested under frameworks for agents, one each in .frameworks: `make frameworks`.
# A folder of tests/frameworks with a pyproject.toml is one. What cannot be had here is said and left out; its tests skip and say so.
set -uo pipefail
cd "$(dirname "$0")/.."
uv=${1:?the path of uv}
shift
python=$(.venv/bin/python -c 'import sys; print(sys.executable)')

for project in tests/frameworks/*/pyproject.toml; do
  folder=$(dirname "$project") name=$(basename "$(dirname "$project")")
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  made=.frameworks/$name
  # What Interlock itself wants may have changed, too.
  want=$(cat "$folder/pyproject.toml" "$folder/uv.lock" pyproject.toml | sha256sum)
  [ -x "$made/bin/python" ] && [ "$(cat "$made/.made" 2>/dev/null)" = "$want" ] && continue
  if UV_PROJECT_ENVIRONMENT=$PWD/$made "$uv" sync --quiet --frozen --project "$folder" --python "$python"; then
    echo "$want" >"$made/.made"
  else
    echo "frameworks: without $name: uv failed"
    rm -rf "$made"
  fi
done
exit 0
