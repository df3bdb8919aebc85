#!/bin/sh
# Makes a target folder of Cargo's that has all that another has, but for the packages of this
# workspace: what they need is compiled in it already, and they themselves can be compiled with
# other features beside it. Files are links to those of the other folder, which Cargo does not write
# anew.
#
#   scripts/link_compiled.sh target/debug target/tested/debug
set -eu
[ $# = 2 ] && [ -d "$1" ] || {
    echo "link_compiled.sh: expected a folder of Cargo's and a new one, got '$*'" >&2
    exit 2
}
rm -rf "$2.new"
mkdir -p "$2.new"
for part in .fingerprint build deps; do
    cp --archive --link "$1/$part" "$2.new/"
done
# The shared and the static form of the library are called the same whatever its features.
find "$2.new" -mindepth 2 -maxdepth 2 -name '*voiceflow*' -exec rm -rf {} +
mv "$2.new" "$2"
