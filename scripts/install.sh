#!/bin/sh
# Installs the library, its headers, and what pkg-config and CMake need to find them, all by their
# own place: the prefix can be moved.
#
#   PREFIX/lib/libvoiceflow.so.<abi>.<version>   with links libvoiceflow.so.<abi> and libvoiceflow.so
#   PREFIX/include/voiceflow.h                   C
#   PREFIX/include/voiceflow.hpp, voiceflow/     C++
#   PREFIX/lib/pkgconfig/voiceflow.pc            cc … $(pkg-config --cflags --libs voiceflow)
#   PREFIX/lib/cmake/voiceflow/                  find_package(voiceflow), target voiceflow::voiceflow
#   PREFIX/share/doc/voiceflow/                  licences: ours, and of all that is linked or installed with it;
#                                                THIRD-PARTY-NOTICES.txt lists the crates
#   PREFIX/share/voiceflow/installed.txt         the list of all this, for scripts/uninstall.sh
#
#   PREFIX/bin/voiceflow                         where a command line is given
#   PREFIX/lib/libonnxruntime.so.<version>       where an ONNX Runtime is given: the library looks there
#   PREFIX/lib/libvoiceflow.a                    where a static library is given, with voiceflow-static.pc and the
#                                                target voiceflow::static
#
#   scripts/install.sh                               builds a release and installs the library
#   scripts/install.sh LIBRARY [PROGRAM [RUNTIME]]   installs what is already built
#   PREFIX=/usr/local              where it goes
#   DESTDIR=                       put before PREFIX, for packagers
#   LIBDIR=lib                     in PREFIX, for packagers, such as lib/x86_64-linux-gnu
#   RUNTIME_DIR=$LIBDIR            where ONNX Runtime goes; beside $LIBDIR also $LIBDIR/voiceflow is looked at
#   STATIC_LIBRARY=                the static library, as `make static` builds it
#   NOTICES=                       licences of models that are compiled in, files that go into PREFIX/share/doc/voiceflow
set -eu

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
prefix=${PREFIX:-/usr/local}
target=${DESTDIR:-}$prefix
libdir=${LIBDIR:-lib}
runtime_dir=${RUNTIME_DIR:-$libdir}
static=${STATIC_LIBRARY:-}

version=$(sed -n 's/^version = "\([0-9][^"]*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
abi=$(sed -n 's/^const ABI: u32 = \([0-9]*\);$/\1/p' "$root/build.rs")
[ -n "$version" ] || fail "no version in Cargo.toml"
[ -n "$abi" ] || fail "no ABI number in build.rs"

if [ $# -gt 0 ]; then
    library=$1
else
    (cd "$root" && cargo build --release --package libvoiceflow --locked)
    library=${CARGO_TARGET_DIR:-$root/target}/release/libvoiceflow.so
fi
# shellcheck disable=SC2086 # a list of files
for file in "$library" "${2:-}" "${3:-}" "$static" ${NOTICES:-}; do
    [ -z "$file" ] || [ -f "$file" ] || fail "$file: no such file"
done
for file in LICENSE ThirdPartyNotices.txt; do
    [ -z "${3:-}" ] || [ -f "$(dirname "$3")/$file" ] || fail "$(dirname "$3"): expected $file of ONNX Runtime beside its library"
done

umask 022
list=$target/share/voiceflow/installed.txt
mkdir -p "$target/share/voiceflow"

installed() { # PATH UNDER THE PREFIX
    grep -qxF "$1" "$list" 2>/dev/null || echo "$1" >>"$list"
}
# A new file each time: a program that runs with the old one keeps it.
put() { # SOURCE PATH MODE
    mkdir -p "$(dirname "$target/$2")"
    cp "$1" "$target/$2.new"
    chmod "$3" "$target/$2.new"
    mv -f "$target/$2.new" "$target/$2"
    installed "$2"
}
link() { # CONTENT PATH
    ln -sf "$1" "$target/$2"
    installed "$2"
}
fill() { # TEMPLATE PATH
    mkdir -p "$(dirname "$target/$2")"
    sed "s|@VERSION@|$version|g; s|@ABI@|$abi|g; s|@LIBDIR@|$libdir|g; s|@UP@|$up|g" \
        "$root/scripts/install/$1" >"$target/$2"
    installed "$2"
}

# From $LIBDIR to the prefix.
up=$(echo "$libdir" | sed 's|[^/]\{1,\}|..|g')
installed share/voiceflow/installed.txt
real=libvoiceflow.so.$abi.$version
put "$library" "$libdir/$real" 755
link "$real" "$libdir/libvoiceflow.so.$abi"
link "libvoiceflow.so.$abi" "$libdir/libvoiceflow.so"
for header in "$root"/include/voiceflow.h "$root"/include/voiceflow.hpp "$root"/include/voiceflow/*.hpp; do
    put "$header" "include/${header#"$root"/include/}" 644
done
fill voiceflow.pc.in "$libdir/pkgconfig/voiceflow.pc"
fill voiceflow-config.cmake.in "$libdir/cmake/voiceflow/voiceflow-config.cmake"
fill voiceflow-config-version.cmake.in "$libdir/cmake/voiceflow/voiceflow-config-version.cmake"
if [ -n "$static" ]; then
    put "$static" "$libdir/libvoiceflow.a" 644
    fill voiceflow-static.pc.in "$libdir/pkgconfig/voiceflow-static.pc"
fi
for notice in "$root/LICENSE-MIT" "$root/LICENSE-APACHE" ${NOTICES:-}; do
    put "$notice" "share/doc/voiceflow/$(basename "$notice")" 644
done
put "$root/packaging/notices/libvoiceflow-cli.txt" share/doc/voiceflow/THIRD-PARTY-NOTICES.txt 644
[ -z "${2:-}" ] || put "$2" bin/voiceflow 755
if [ -n "${3:-}" ]; then
    put "$3" "$runtime_dir/$(basename "$3")" 755
    for notice in LICENSE ThirdPartyNotices.txt; do
        put "$(dirname "$3")/$notice" "share/doc/voiceflow/onnxruntime/$notice" 644
    done
fi
echo "$target/$libdir/$real"
