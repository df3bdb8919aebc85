#!/bin/sh
# Installs the Debian packages that are needed and missing.
#
#   scripts/install_tools.sh build    what building, and fetching ONNX Runtime and weights, need
#   scripts/install_tools.sh test     what the tests need beside that
#   scripts/install_tools.sh page     what the test of the server's page needs
#   scripts/install_tools.sh charts   what the tests of the chart and the pipelines need
#   scripts/install_tools.sh images   what the test of the container images needs
#   scripts/install_tools.sh batch    what the tests of voiceflow_batch on its engines need
#   scripts/install_tools.sh debs     what building Debian packages needs
#   scripts/install_tools.sh debs-arm64  what building those of arm64 needs on another machine
#   scripts/install_tools.sh packages what the tests of all packages need
#   scripts/install_tools.sh docs     what the API documentation needs
set -eu

missing=
need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need gcc gcc
need cmake cmake
python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
case ${1:-} in
build) ;;
test)
    need g++ g++
    need nm binutils
    need ffmpeg ffmpeg
    need pkg-config pkg-config
    need valgrind valgrind
    need abidiff abigail-tools
    need xz xz-utils
    need go golang-go
    need flac flac
    need curl curl
    need strace strace
    need openssl openssl
    need promtool prometheus
    need minisign minisign
    ;;
page)
    need chromium chromium
    need npm npm
    need flac flac
    ;;
charts)
    need npm npm
    need go golang-go
    need flac flac
    need promtool prometheus
    ;;
images)
    need podman podman
    need buildah buildah
    need runc runc
    need mmdebstrap mmdebstrap
    need iptables iptables
    need dnsmasq dnsmasq-base
    [ -d /usr/lib/cni ] || missing="$missing containernetworking-plugins"
    [ -e /usr/lib/cni/dnsname ] || missing="$missing golang-github-containernetworking-plugin-dnsname"
    need prometheus prometheus
    need flac flac
    need openssl openssl
    ;;
batch)
    need java openjdk-17-jre-headless
    need ffmpeg ffmpeg
    ;;
debs | debs-arm64)
    need dpkg-buildpackage dpkg-dev
    need dh debhelper
    need fakeroot fakeroot
    if [ "$1" = debs-arm64 ]; then
        need aarch64-linux-gnu-objdump binutils-aarch64-linux-gnu
        [ -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 ] || missing="$missing libstdc++6-arm64-cross"
    fi
    ;;
packages)
    need lintian lintian
    need mmdebstrap mmdebstrap
    need qemu-aarch64 qemu-user
    need flac flac
    need readelf binutils
    need pkg-config pkg-config
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
    ;;
docs) need doxygen doxygen ;;
*)
    echo "install_tools.sh: expected build, test, page, charts, images, batch, debs, debs-arm64, packages or docs, got '${1:-}'" >&2
    exit 2
    ;;
esac

[ -n "$missing" ] || exit 0
# One of several at a time: apt-get fails where another holds its lock.
exec 9<"$0"
flock 9
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if ! command -v apt-get >/dev/null 2>&1 || ! ${as_root:-true} true 2>/dev/null; then
    echo "install_tools.sh: install these packages first:$missing" >&2
    exit 1
fi
# shellcheck disable=SC2086 # a list of packages
$as_root apt-get -qq update && $as_root apt-get -qq install --yes --no-install-recommends $missing
