#!/bin/sh
# Writes what is linked into the library and into the command line, as CycloneDX 1.5 in JSON:
#
#   dist/voiceflow.cdx.json       the library
#   dist/voiceflow-cli.cdx.json   the command line
#
# Fails where the list is not the one that Cargo links. ONNX Runtime is not in it: it is loaded, not linked.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
mkdir -p dist
host=$(rustc --version --verbose | sed -n 's/^host: //p')
# The tool writes beside each manifest, and is given a name that no file of the tree has.
name=bom-$$
trap 'rm -f "$name.json" "cli/$name.json"' EXIT
PATH="$root/.cache/cargo-cyclonedx/bin:$PATH" cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$host" \
    --no-build-deps --override-filename "$name"

for package in voiceflow voiceflow-cli; do
    folder=.
    [ "$package" = voiceflow ] || folder=cli
    file=dist/$package.cdx.json
    mv "$folder/$name.json" "$file"
    cargo tree --locked --quiet --package "$package" --edges normal,no-proc-macro --target "$host" --prefix none \
        --format '{p}' | awk '{ sub(/^v/, "", $2); print $1 "@" $2 }' | sort -u >"$file.linked"
    python3 - "$file" "$file.linked" "$package" <<'PY'
import json
import sys

file, linked, package = sys.argv[1:]
with open(file) as opened:
    bom = json.load(opened)
with open(linked) as opened:
    expected = set(opened.read().split())
if (bom.get("bomFormat"), bom.get("specVersion")) != ("CycloneDX", "1.5"):
    sys.exit(f"{file}: expected CycloneDX 1.5, found {bom.get('bomFormat')} {bom.get('specVersion')}")
main = bom["metadata"]["component"]
listed = {f"{part['name']}@{part['version']}" for part in [main, *bom["components"]]}
missing = sorted(expected - listed)
if missing:
    sys.exit(f"{file}: expected everything that is linked, {', '.join(missing)} is missing")
for part in bom["components"]:
    if not part.get("licenses") or not part.get("purl"):
        sys.exit(f"{file}: {part['name']}: expected a licence and a package URL, found none")
print(f"{file}: {len(expected)} packages linked, {len(listed)} listed")
PY
    rm "$file.linked"
done
