#!/bin/sh
# Keeps what the first release of an ABI number is, for the tests of the later ones:
#
#   tests/abi/libvoiceflow.so.<abi>.abi       functions and types, as libabigail describes them
#   tests/abi/programs-<abi>.tar.xz           the header and the C tests, which have to run as long as the number stands
#
# Run once for each number, with its first release; what is there already is never replaced.
set -eu

fail() {
    echo "freeze_abi.sh: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
abi=$(sed -n 's/^const ABI: u32 = \([0-9]*\);$/\1/p' "$root/build.rs")
[ -n "$abi" ] || fail "no ABI number in build.rs"
description=$root/tests/abi/libvoiceflow.so.$abi.abi
programs=$root/tests/abi/programs-$abi.tar.xz
[ ! -e "$description" ] || fail "$description: exists; ABI $abi is frozen"
[ ! -e "$programs" ] || fail "$programs: exists; ABI $abi is frozen"
command -v abidw >/dev/null 2>&1 || fail "abidw not found: install it, for example with apt-get install abigail-tools"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$root/tests/abi/interface.py" "$root/include/voiceflow.h" "$work/libvoiceflow.so"
abidw --no-corpus-path --no-comp-dir-path --no-show-locs --type-id-style hash "$work/libvoiceflow.so" >"$work/abi"
# The same bytes from the same files, whoever runs this.
tar --create --xz --file "$work/programs" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=a=rX,u+w \
    --directory "$root" include/voiceflow.h tests/c
mv "$work/abi" "$description"
mv "$work/programs" "$programs"
echo "$description"
echo "$programs"
