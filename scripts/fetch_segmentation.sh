#!/bin/sh
# Puts pyannote segmentation-3.0 as ONNX into .models/segmentation-3.0.onnx of this checkout, with
# its notice beside it, from the package `diarization` on crates.io. A second run does nothing. The
# file appears whole or not at all. Licence of the model: MIT, Copyright (c) 2023 CNRS.
#
#   scripts/fetch_segmentation.sh       prints the path of the file
#   CARGO=path/to/cargo                 the Cargo that downloads, 1.82 or later
set -eu

version=0.1.0
sha256=057ee564753071c0b09b5b611648b50ac188d50846bff5f01e9f7bbf1591ea25

fail() {
    echo "fetch_segmentation.sh: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cargo=${CARGO:-cargo}
target=$root/.models/segmentation-3.0.onnx
if [ -f "$target" ]; then
    echo "$target"
    exit 0
fi

command -v "$cargo" >/dev/null 2>&1 || fail "$cargo not found: install Rust, or name Cargo by CARGO="
mkdir -p "$root/.models"
work=$(mktemp -d "$root/.models/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# To describe a package Cargo unpacks it, and it alone: a build would bring its hundred dependencies
# too. An empty workspace keeps the one of this checkout out of it.
echo '[workspace]' >"$work/Cargo.toml"
(cd "$work" && "$cargo" info --quiet --registry crates-io "diarization@$version" >/dev/null) ||
    fail "cargo could not download diarization $version"

package=
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"diarization-$version"; do
    [ -f "$folder/models/segmentation-3.0.onnx" ] && package=$folder
done
[ -n "$package" ] || fail "diarization $version is not in ${CARGO_HOME:-$HOME/.cargo}/registry/src"

cp "$package/models/segmentation-3.0.onnx" "$work/model"
echo "$sha256  $work/model" | sha256sum --check --status ||
    fail "segmentation-3.0.onnx: expected sha256 $sha256, found $(sha256sum "$work/model" | cut -d ' ' -f 1)"
cp "$package/NOTICE" "$root/.models/segmentation-3.0.NOTICE"
mv "$work/model" "$target"
echo "$target"
