#!/usr/bin/env bash
# Brings the checkers that aren't among the tests' Python packages into .cache/checkers, each in one version: checkov in an
# environment of its own, tflint and actionlint built with Go. One that can't be had is named, and is no error:
# tools/check.py decides what that means.
#
# Usage: tools/checkers.sh [CHECK...], with the names of tools/check.py: then of these checks alone.

set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/.cache/checkers
checks=("$@")
mkdir -p "$folder/bin" "$folder/log"

# Installs checker $1 by the command after it, unless the version $2 is there already, or its check isn't asked for.
bring() {
  local name=$1 version=$2
  ((${#checks[@]} == 0)) || [[ " ${checks[*]} " == *" $name "* ]] || return 0
  [[ $(cat "$folder/$name.version" 2>/dev/null) == "$version" ]] && return
  printf 'checkers: installing %s\n' "$name"
  if "${@:3}" >"$folder/log/$name" 2>&1 </dev/null; then
    printf '%s' "$version" >"$folder/$name.version"
  else
    printf "checkers: %s can't be had here: %s\n" "$name" "$(tail -n 1 "$folder/log/$name")" >&2
  fi
}

checkov() {
  rm -rf "$folder/checkov"
  .venv/bin/python -m venv "$folder/checkov" &&
    "$folder/checkov/bin/python" -m pip install --quiet --disable-pip-version-check -r tools/checkov.txt && return
  # Half of it would be taken for all.
  rm -rf "$folder/checkov"
  return 1
}

with_go() {
  if command -v go; then
    # Go checks what it downloads against its public log of checksums.
    GOBIN=$folder/bin CGO_ENABLED=0 go install "$1"
  else
    echo "Go isn't on the PATH"
    return 1
  fi
}

bring checkov "$(cat tools/checkov.txt .venv/installed | sha256sum)" checkov
bring tflint v0.64.0 with_go github.com/terraform-linters/tflint@v0.64.0
bring actionlint v1.7.12 with_go github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
