#!/bin/sh
# Installs the Debian packages that set-up and tests need, those that are missing.
set -eu

missing=
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need gcc gcc
need g++ g++
need nm binutils
need pkg-config pkg-config
need valgrind valgrind
need go golang-go
python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"

[ -n "$missing" ] || exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if ! command -v apt-get >/dev/null 2>&1 || ! ${as_root:-true} true 2>/dev/null; then
    echo "install_tools.sh: install these packages first:$missing" >&2
    exit 1
fi
# shellcheck disable=SC2086 # a list of packages
$as_root apt-get -qq update && $as_root apt-get -qq install --yes --no-install-recommends $missing
