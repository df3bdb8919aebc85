#!/bin/sh
# Finds a Rust that compiles for another architecture or system: the one in use where it has the
# standard library for it, or else that of Debian's rustc-web, unpacked into .cache. For another
# architecture of Linux that has the library of its package. For other systems the source of the
# standard library is enough, which `cargo check -Zbuild-std` reads: that of the Rust in use
# (`rustup component add rust-src`) or of Debian's. Nothing is installed.
#
#   scripts/fetch_rust.sh aarch64-unknown-linux-gnu    prints the path of a rustc
#   scripts/fetch_rust.sh aarch64-apple-darwin         also for x86_64-apple-darwin, x86_64-pc-windows-gnu
set -eu

fail() {
    echo "fetch_rust.sh: $*" >&2
    exit 2
}

[ $# = 1 ] || fail "expected a target of Rust, got $# arguments"
target=$1
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if [ -d "$(rustc --print target-libdir --target "$target" 2>/dev/null)" ]; then
    command -v rustc
    exit 0
fi
otherwise="\`rustup target add $target\`, or a machine of that kind"
own=$(dpkg --print-architecture 2>/dev/null || true)
folder=$root/.cache/rust-$target
case $target in
aarch64-unknown-linux-gnu) other=arm64 ;;
x86_64-unknown-linux-gnu) other=amd64 ;;
aarch64-apple-darwin | x86_64-apple-darwin | x86_64-pc-windows-gnu)
    if [ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then
        command -v rustc
        exit 0
    fi
    other=$own
    folder=$root/.cache/rust-source
    ;;
*) fail "the Rust in use has no standard library for $target: $otherwise" ;;
esac
if [ -x "$folder/rustc" ]; then
    echo "$folder/rustc"
    exit 0
fi
command -v apt-get >/dev/null 2>&1 || fail "the Rust in use has no standard library for $target, and there is no apt-get: $otherwise"

mkdir -p "$root/.cache"
work=$(mktemp -d "$root/.cache/rust.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# Lists of packages of its own: the system keeps its architectures.
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/files"
cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/cache";
APT::Architectures { "$own"; "$other"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
export APT_CONFIG="$work/apt.conf"
apt-get -qq update >&2 || fail "apt-get update failed"
dependency() { # PACKAGE PREFIX: what it depends on that begins so
    apt-cache depends "$1" | sed -n "s/^ *Depends: \($2[^ ]*\)$/\1/p" | head -n 1
}
standard=$(dependency libstd-rust-web-dev libstd-rust-web-)
[ -n "$standard" ] || fail "the Rust in use has no standard library for $target, and apt-get has no rustc-web: $otherwise"
llvm=$(dependency "$standard" libllvm)
if [ "$other" = "$own" ]; then
    library=rust-web-src
else
    library=libstd-rust-web-dev:$other
fi
(cd "$work/files" && apt-get -qq download rustc-web "$standard" "$llvm" "libstd-rust-web-dev:$own" "$library" >&2) ||
    fail "apt-get could not download rustc-web for $own and $library"
for file in "$work"/files/*.deb; do
    dpkg-deb --extract "$file" "$work/unpacked"
done

libraries=$(dirname "$(find "$work/unpacked/usr/lib" -name 'librustc_driver-*.so' -not -type l | head -n 1)")
cat >"$work/unpacked/rustc" <<RUSTC
#!/bin/sh
LD_LIBRARY_PATH="$folder${libraries#"$work/unpacked"}\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "$folder/usr/bin/rustc" --sysroot "$folder/usr" "\$@"
RUSTC
chmod +x "$work/unpacked/rustc"
if [ "$library" = rust-web-src ]; then
    # Where rustc's own component has it.
    source=$(dirname "$(dirname "$(find "$work/unpacked/usr/src" -path '*/library/Cargo.lock' | head -n 1)")")
    mkdir -p "$work/unpacked/usr/lib/rustlib/src"
    ln -sfn "../../../src/$(basename "$source")" "$work/unpacked/usr/lib/rustlib/src/rust"
fi
# One rename makes the folder appear.
mv -T "$work/unpacked" "$folder"
[ "$library" = rust-web-src ] || [ -d "$("$folder/rustc" --print target-libdir --target "$target")" ] || fail "Debian's Rust has no standard library for $target: $otherwise"
echo "$folder/rustc"
