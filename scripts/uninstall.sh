#!/bin/sh
# Removes what scripts/install.sh has put under a prefix, as the list there says, with the folders
# of its own.
#
#   scripts/uninstall.sh
#   PREFIX=/usr/local              where it was installed to, or moved to
#   DESTDIR=                       put before PREFIX
set -eu

target=${DESTDIR:-}${PREFIX:-/usr/local}
list=$target/share/voiceflow/installed.txt
if [ ! -f "$list" ]; then
    echo "uninstall.sh: $list: no such file; expected the prefix of an installation" >&2
    exit 1
fi

paths=$(cat "$list")
echo "$paths" | while IFS= read -r path; do
    rm -f "$target/$path"
done
for folder in include/voiceflow lib/cmake/voiceflow share/doc/voiceflow/onnxruntime share/doc/voiceflow share/voiceflow; do
    rmdir "$target/$folder" 2>/dev/null || true # something else's file is in it
done
