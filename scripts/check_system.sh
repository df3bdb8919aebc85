#!/bin/sh
# Checks that the library and the command line compile for a system that is not this one: all that
# the compiler says of the code, its warnings too, but no linking. Their C parts are compiled by
# zig. The standard library is that of the Rust in use, or else checked with them from its source,
# see scripts/fetch_rust.sh.
#
#   scripts/check_system.sh x86_64-apple-darwin      with cargo-zigbuild in PATH
set -eu

[ $# = 1 ] || { echo "check_system.sh: expected a target of Rust, got $# arguments" >&2; exit 2; }
command -v cargo-zigbuild >/dev/null || { echo "check_system.sh: cargo-zigbuild is not in PATH: make systems" >&2; exit 2; }
cd "$(dirname -- "$0")/.."
target=$1
rustc=$(scripts/fetch_rust.sh "$target")
set -- --locked --package libvoiceflow --package libvoiceflow-cli --target "$target"
if [ ! -d "$("$rustc" --print target-libdir --target "$target")" ]; then
    set -- "$@" -Zbuild-std=std,panic_unwind -Zwarnings
    # Only nightly knows -Z otherwise.
    export RUSTC_BOOTSTRAP=1
fi
# Warnings of this project's own code fail; those of other crates are not shown.
RUSTC=$rustc CARGO_BUILD_WARNINGS=deny exec cargo-zigbuild check "$@"
