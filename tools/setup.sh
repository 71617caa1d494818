#!/bin/sh
# Make the virtual environment with everything that is needed, once and after each change.
#
#     tools/setup.sh [EXTRA]        EXTRA: dev, bench (they add up)
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $1"; say "hint: $2"; exit 1; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is older than 3.11" "set PYTHON to a newer one: make setup PYTHON=python3.13"

# Debian keeps the headers and venv in packages of their own.
if ! "$python" -c 'import ensurepip, os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; then
    say "installing python3-dev and python3-venv"
    root=; [ "$(id -u)" = 0 ] || root=sudo
    { $root apt-get update -qq && $root apt-get install -y -qq python3-dev python3-venv >/dev/null; } ||
        fail "$python lacks its headers or its venv" "as root: apt-get install python3-dev python3-venv"
fi
command -v "${CC:-gcc}" >/dev/null || fail "there is no C compiler" "as root: apt-get install gcc"

[ -x .venv/bin/python ] || "$python" -m venv .venv
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }
say "installing eactors into .venv"
pip install ".[${1:-dev}]"
