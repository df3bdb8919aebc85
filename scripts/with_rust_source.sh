#!/bin/sh
# Runs a command with a Rust whose own source is installed, which -Zbuild-std compiles: the one in
# use, or else the first of rustup's that has it.
#
#   scripts/with_rust_source.sh cargo test -Zbuild-std …
#
# Ends with 2 where there is none.
set -eu

has_source() { # TOOLCHAIN, or nothing for the one in use
    test -d "$(env ${1:+RUSTUP_TOOLCHAIN="$1"} rustc --print sysroot)/lib/rustlib/src/rust/library"
}

if has_source; then
    exec "$@"
fi
for toolchain in $(rustup toolchain list 2>/dev/null | cut -d ' ' -f 1); do
    if has_source "$toolchain"; then
        export RUSTUP_TOOLCHAIN="$toolchain"
        exec "$@"
    fi
done
echo "the source of Rust is not here, in none of the toolchains: rustup component add rust-src" >&2
exit 2
