#!/bin/sh
# Builds the Debian packages of packaging/debian out of what is compiled already, by debhelper:
#
#   libvoiceflow1        the library, and ONNX Runtime in a folder that no other program looks at
#   libvoiceflow-dev     headers, pkg-config, CMake
#   libvoiceflow-tools   the command line
#
#   scripts/build_debs.sh LIBRARY PROGRAM RUNTIME FOLDER
#   ARCHITECTURE=               Debian's name of what both files are for; otherwise that of this machine
#   GLIBC=2.28                  the oldest that both files run with
#   NOTICES=                    licences of models that are compiled in
#   DEBFULLNAME=, DEBEMAIL=     who the packages are from; otherwise who made the last commit
#   SOURCE_DATE_EPOCH=          the time of the packages
set -eu

fail() {
    echo "build_debs.sh: $*" >&2
    exit 1
}

[ $# = 4 ] || fail "expected LIBRARY PROGRAM RUNTIME FOLDER, got $# arguments"
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
runtime_folder=$(dirname "$3")
mkdir -p "$4"
out=$(CDPATH='' cd -- "$4" && pwd)
for tool in dpkg-buildpackage dh; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool not found: scripts/install_tools.sh debs"
done

architecture=${ARCHITECTURE:-$(dpkg --print-architecture)}
version=$(sed -n 's/^version = "\([0-9][^"]*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
name=${DEBFULLNAME:-$(git -C "$root" log -1 --format=%an)}
email=${DEBEMAIL:-$(git -C "$root" log -1 --format=%ae)}
[ -n "$name" ] && [ -n "$email" ] || fail "expected a name and an address of whom the packages are from: DEBFULLNAME, DEBEMAIL"
date=$(date --utc --rfc-email --date "@${SOURCE_DATE_EPOCH:-$(date +%s)}")

mkdir -p "$root/.cache"
work=$(mktemp -d "$root/.cache/debs.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
source=$work/libvoiceflow-$version
mkdir "$source"
cp -R "$root/packaging/debian" "$source/debian"
cd "$source"
sed -i "s|@MAINTAINER@|$name <$email>|" debian/control
cat >debian/changelog <<LOG
libvoiceflow ($version) unstable; urgency=medium

  * Version $version of libvoiceflow; its CHANGELOG.md says what is new.

 -- $name <$email>  $date
LOG

# The texts of all that is not in THIRD-PARTY-NOTICES.txt. Debian has the Apache licence itself.
text() { # TITLE FILE
    printf '\n%s\n\n' "$1"
    sed 's/^/  /; s/[[:space:]]*$//' "$2"
}
{
    cat "$root/packaging/debian/copyright.in"
    text "libvoiceflow, where not Apache-2.0 is chosen:" "$root/LICENSE-MIT"
    text "ONNX Runtime:" "$runtime_folder/LICENSE"
    for notice in ${NOTICES:-}; do
        sed -e '/additional liability\.$/a \   The text is in /usr/share/common-licenses/Apache-2.0.' \
            -e '/^ *Apache License$/,/additional liability\.$/d' "$notice" >"$work/notice"
        text "The accurate bundle, $(basename "$notice" | sed 's/^LICENSE\.//'):" "$work/notice"
    done
} >debian/copyright
rm debian/copyright.in

libraries=lib/$(dpkg-architecture --host-arch "$architecture" --query DEB_HOST_MULTIARCH 2>/dev/null)
PREFIX=/usr DESTDIR=$work/staged LIBDIR=$libraries STATIC_LIBRARY='' NOTICES='' RUNTIME_DIR=$libraries/voiceflow "$root/scripts/install.sh" "$1" "$2" "$3" >/dev/null
# What `make uninstall` reads: dpkg has a list of its own.
rm -r "$work/staged/usr/share/voiceflow"

export GLIBC="${GLIBC:-2.28}"
STAGED=$work/staged dpkg-buildpackage --build=binary --no-sign --host-arch "$architecture" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "dpkg-buildpackage failed"; }
mv "$work"/*.deb "$out/"
ls "$out"/*"_${version}_"*.deb
