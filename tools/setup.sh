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
install() {
    say "installing $1"
    root=; [ "$(id -u)" = 0 ] || root=sudo
    # shellcheck disable=SC2086 - several packages
    { $root apt-get update -qq && $root apt-get install -y -qq $1 >/dev/null; } || fail "$2" "as root: apt-get install $1"
}
if ! "$python" -c 'import ensurepip, os, sysconfig; assert os.path.exists(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; then
    install "python3-dev python3-venv" "$python lacks its headers or its venv"
fi
command -v "${CC:-gcc}" >/dev/null || fail "there is no C compiler" "as root: apt-get install gcc"
openssl3='#include <openssl/evp.h>
#if OPENSSL_VERSION_MAJOR < 3
#error
#endif'
printf '%s\n' "$openssl3" | "${CC:-gcc}" -E - >/dev/null 2>&1 || install libssl-dev "OpenSSL 3 or its headers are missing"

[ -x .venv/bin/python ] || "$python" -m venv .venv
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }
say "installing eactors into .venv"
pip install ".[${1:-dev}]"
