#!/bin/sh
# Installs the library, its header and its pkg-config file:
#
#   PREFIX/lib/libvoiceflow.so.<abi>.<version>   with links libvoiceflow.so.<abi> and libvoiceflow.so
#   PREFIX/include/voiceflow.h                   and voiceflow.hpp where there is one
#   PREFIX/lib/pkgconfig/voiceflow.pc            which finds its prefix by its own place
#
#   PREFIX/bin/voiceflow                         where a command line is given
#   PREFIX/lib/libonnxruntime.so.<version>       where an ONNX Runtime is given: the library looks there
#
#   scripts/install.sh                               builds a release and installs the library
#   scripts/install.sh LIBRARY [PROGRAM [RUNTIME]]   installs what is already built
#   PREFIX=/usr/local              where it goes
#   DESTDIR=                       put before PREFIX, for packagers
set -eu

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
prefix=${PREFIX:-/usr/local}
target=${DESTDIR:-}$prefix

version=$(sed -n 's/^version = "\([0-9][^"]*\)"$/\1/p' "$root/Cargo.toml" | head -n 1)
abi=$(sed -n 's/^const ABI: u32 = \([0-9]*\);$/\1/p' "$root/build.rs")
[ -n "$version" ] || fail "no version in Cargo.toml"
[ -n "$abi" ] || fail "no ABI number in build.rs"

if [ $# -gt 0 ]; then
    library=$1
else
    (cd "$root" && cargo build --release --package voiceflow --locked)
    library=${CARGO_TARGET_DIR:-$root/target}/release/libvoiceflow.so
fi
[ -f "$library" ] || fail "$library: no such file"

umask 022
mkdir -p "$target/lib/pkgconfig" "$target/include"
real=libvoiceflow.so.$abi.$version
# A new file each time: a program that runs with the old one keeps it.
cp "$library" "$target/lib/.$real.new"
chmod 755 "$target/lib/.$real.new"
mv -f "$target/lib/.$real.new" "$target/lib/$real"
ln -sf "$real" "$target/lib/libvoiceflow.so.$abi"
ln -sf "libvoiceflow.so.$abi" "$target/lib/libvoiceflow.so"
for header in "$root"/include/voiceflow.h*; do
    cp "$header" "$target/include/"
done
sed "s/@VERSION@/$version/" "$root/scripts/voiceflow.pc.in" >"$target/lib/pkgconfig/voiceflow.pc"
if [ -n "${2:-}" ]; then
    mkdir -p "$target/bin"
    install -m 755 "$2" "$target/bin/voiceflow"
fi
if [ -n "${3:-}" ]; then
    install -m 755 "$3" "$target/lib/"
fi
echo "$target/lib/$real"
