#!/usr/bin/env bash
# Brings what the tests or the demo need: system packages (as root on Debian or Ubuntu, saying which), the Python
# environment, the npm packages and the AWS provider inside the clone. What it can't bring it names, in one line, and starts
# nothing.
#
# Usage: tools/set-up.sh test|demo|bench

set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:?usage: tools/set-up.sh test|demo|bench}

stop() {
  printf 'set-up: %s\n' "$*" >&2
  exit 1
}

[[ $(uname -s) == Linux ]] || stop "this needs Linux (namespaces, file attributes); here is $(uname -s)"
if [[ $purpose == demo && $EUID != 0 ]]; then
  stop 'the emulated notebook instances need root (network and mount namespaces): run sudo make demo'
fi
command -v terraform >/dev/null || command -v tofu >/dev/null ||
  stop 'neither terraform nor tofu is on the PATH: install Terraform 1.5 or newer (https://developer.hashicorp.com/terraform/install) or OpenTofu (https://opentofu.org/docs/intro/install/)'

# A Python from 3.11 on, with venv: the distribution's own where it will do, since it is built with all optimisations, and one
# built by hand often isn't (it takes half as long again); else the newest; or the one that PYTHON names.
find_python() {
  local name names=(/usr/bin/python3 python3.13 python3.12 python3.11 python3)
  [[ ! ${PYTHON:-} ]] || names=("$PYTHON")
  for name in "${names[@]}"; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11) or sys.version_info >= (3, 14))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

# Each command that is needed, and the Debian package that brings it.
missing=()
need() { command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 || -x /sbin/$1 ]] || missing+=("$2"); }
find_python >/dev/null || missing+=(python3 python3-venv)
[[ -x /usr/bin/python3 ]] || missing+=(python3)
need node nodejs
need npm npm
need ip iproute2
need unshare util-linux
need chattr e2fsprogs
need jq jq
need curl curl
need iptables iptables
need nft nftables
# The report is looked at in a browser: one that tests/support/browser.py knows.
[[ $purpose != test ]] || command -v chromium-browser google-chrome >/dev/null || need chromium chromium
[[ -e /usr/bin/aws ]] || missing+=(awscli)

if ((${#missing[@]})); then
  if [[ $EUID == 0 ]] && command -v apt-get >/dev/null; then
    printf 'set-up: installing %s\n' "${missing[*]}"
    apt-get update -qq
    # awscli is not in every release; the tests that want it say so.
    for package in "${missing[@]}"; do
      DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" >/dev/null || [[ $package == awscli ]] ||
        stop "apt-get could not install $package"
    done
  elif [[ ${missing[*]} != awscli ]]; then
    stop "missing: ${missing[*]}; on Debian or Ubuntu run apt-get install ${missing[*]}"
  fi
fi
python=$(find_python) || stop 'Python 3.11, 3.12 or 3.13 with venv is missing; Debian 12 and Ubuntu 24.04 bring it as python3 and python3-venv'

# Nothing is left outside the clone, also where this is interrupted.
mkdir -p .cache/set-up
TMPDIR=$PWD/.cache/set-up
export TMPDIR
trap 'kill $(jobs -p) 2>/dev/null || :; rm -rf .cache/set-up' EXIT

# Of pyproject.toml, what the packages are made from; not the settings of tools.
wanted=$({ cat tests/requirements.txt constraints.txt && sed '/^\[tool\.pytest/,$d' pyproject.toml && "$python" -c 'import sys; print(sys.base_prefix, sys.version)'; } | sha256sum)

# Takes a quarter of pip's processor time. uv reads none of pip's settings: where they name an index, pip itself has to install.
install_with_uv() {
  local uv=(.venv/bin/uv pip install --quiet --python .venv/bin/python --cache-dir "$TMPDIR/uv")
  [[ $(.venv/bin/python -m pip config list) != *index* ]] &&
    "${pip[@]}" --only-binary :all: -c constraints.txt uv &&
    "${uv[@]}" "${packages[@]}" &&
    "${uv[@]}" "${this[@]}"
}

install_python_packages() {
  printf 'set-up: installing the Python packages of constraints.txt into .venv (about half a minute)\n'
  rm -rf .venv
  "$python" -m venv .venv
  local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile)
  local packages=(-r tests/requirements.txt -c constraints.txt) this=(--no-deps --no-build-isolation --editable .)
  if ! install_with_uv; then
    printf 'set-up: pip installs them, without uv (about a minute)\n'
    "${pip[@]}" "${packages[@]}"
    "${pip[@]}" "${this[@]}"
  fi
  # On all processors, where an installer would use one; not what is large and that no test imports. Some carry templates
  # that don't compile.
  local unused='antlr4|aws_xray_sdk|bson|cfnlint|graphql|gridfs|joserfc|localstack/services/(cloudformation|stepfunctions)'
  unused+='|localstack/testing|moto/stepfunctions|mpmath|mypy|mypy_boto3_[a-z0-9]+|mypyc|networkx|opensearchpy|pip'
  unused+='|pyasn1_modules|pygments/(lexers|styles)|pymongo|samtranslator|setuptools|sympy|.*/tests?'
  .venv/bin/python -m compileall -q -j 0 -x "/site-packages/($unused)/" .venv/lib >/dev/null &
  # Beside it, what each of several test processes would do else: the tests compiled, and their assertions rewritten.
  [[ $purpose != test ]] || .venv/bin/pytest -n 0 --collect-only -qq >/dev/null || :
  wait "$!" || :
  printf '%s' "$wanted" >.venv/installed
}

install_npm_packages() {
  local folder wanted
  for folder in tests/emulator/iam_judge tests/clients/js; do
    [[ -f $folder/package-lock.json ]] || continue
    wanted=$(sha256sum <"$folder/package-lock.json")
    if [[ $(cat "$folder/node_modules/installed" 2>/dev/null) != "$wanted" ]]; then
      printf 'set-up: installing the npm packages of %s\n' "$folder"
      (cd "$folder" && npm ci --silent --no-audit --no-fund)
      printf '%s' "$wanted" >"$folder/node_modules/installed"
    fi
  done
}

# A stamp holds what was installed, so that a second run has nothing to do.
install_npm_packages &
npm=$!
if [[ $(cat .venv/installed 2>/dev/null) != "$wanted" ]]; then
  install_python_packages
fi
wait "$npm"
PYTHONPATH=tests/support .venv/bin/python tools/get_provider.py || stop "the AWS provider can't be downloaded"
