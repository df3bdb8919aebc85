#!/bin/sh
# Puts the pinned ONNX Runtime into .runtime/onnxruntime-<version>/ of this checkout, from the wheel
# on PyPI. A second run does nothing. The folder appears whole or not at all.
#
#   scripts/fetch_runtime.sh            prints the path of libonnxruntime.so.<version>
#   VOICEFLOW_RUNTIME_ARCH=aarch64      fetches for another architecture, into .runtime/onnxruntime-<version>-aarch64/
#   PYTHON=python3.12                   the Python whose pip downloads; its own version does not matter
set -eu

version=1.31.1
sha256_x86_64=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
sha256_aarch64=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3

fail() {
    echo "fetch_runtime.sh: $*" >&2
    exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=${PYTHON:-python3}
host=$(uname -m)
arch=${VOICEFLOW_RUNTIME_ARCH:-$host}
[ "$arch" = arm64 ] && arch=aarch64
case $arch in
x86_64) sha256=$sha256_x86_64 ;;
aarch64) sha256=$sha256_aarch64 ;;
*) fail "no wheel is pinned for $arch: expected x86_64 or aarch64" ;;
esac

target=$root/.runtime/onnxruntime-$version
[ "$arch" = "$host" ] || target=$target-$arch
library=$target/libonnxruntime.so.$version
if [ -f "$library" ]; then
    echo "$library"
    exit 0
fi

command -v "$python" >/dev/null 2>&1 || fail "$python not found: install Python 3, or name one by PYTHON="
"$python" -m pip --version >/dev/null 2>&1 || fail "$python has no pip: install it (python3-pip, or $python -m ensurepip)"

mkdir -p "$root/.runtime"
work=$(mktemp -d "$root/.runtime/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

wheel=$work/onnxruntime-$version-cp311-cp311-manylinux_2_28_$arch.whl
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version 3.11 --implementation cp --abi cp311 --platform "manylinux_2_28_$arch" \
    --dest "$work" "onnxruntime==$version" >&2 ||
    fail "pip could not download onnxruntime==$version for $arch"
[ -f "$wheel" ] || fail "pip did not give the expected wheel $(basename "$wheel")"

"$python" - "$wheel" "$sha256" "$work/unpacked" "$version" >&2 <<'PY' || fail "the wheel was not unpacked"
import hashlib, os, shutil, sys, zipfile

wheel, expected, folder, version = sys.argv[1:]
with open(wheel, "rb") as file:
    found = hashlib.sha256(file.read()).hexdigest()
if found != expected:
    sys.exit(f"{os.path.basename(wheel)}: expected sha256 {expected}, found {found}")
os.mkdir(folder)
with zipfile.ZipFile(wheel) as archive:
    for name in (
        f"onnxruntime/capi/libonnxruntime.so.{version}",
        "onnxruntime/LICENSE",
        "onnxruntime/ThirdPartyNotices.txt",
    ):
        with archive.open(name) as source, open(os.path.join(folder, os.path.basename(name)), "wb") as target:
            shutil.copyfileobj(source, target)
PY

# One rename makes the folder appear; when another run was first, its folder is as good.
rm -f "$wheel"
mv -T "$work/unpacked" "$target" 2>/dev/null || [ -f "$library" ] || fail "cannot create $target"
echo "$library"
