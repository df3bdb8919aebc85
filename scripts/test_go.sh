#!/bin/sh
# Tests the Go package and its examples with an installed library, in each way that brings other
# mistakes to light.
#
#   scripts/test_go.sh PREFIX
set -eu
cd "$(dirname -- "$0")/.."
[ -f "${1:-}/lib/pkgconfig/voiceflow.pc" ] || {
    echo "test_go.sh: expected a prefix with the library, got '${1:-}'" >&2
    exit 2
}
export PKG_CONFIG_PATH="$1/lib/pkgconfig" LD_LIBRARY_PATH="$1/lib"
# Go's cache knows a package by these flags and not by what pkg-config says: without them it links
# with the folder of another prefix, which may be gone.
export CGO_LDFLAGS="-O2 -g -L$1/lib"

echo "== Go, race detector"
(cd bindings/go && go test -count=1 -timeout=30m -race ./...)
(cd examples/go && go test -count=1 -timeout=30m -race ./httpservice)
# The others are programs of their own, which take no flags of a test along.
echo "== Go, examples"
(cd examples/go && go test -count=1 -timeout=30m .)
# What keeps, passes and ends handles and pointers; the rest of the tests would only repeat it, much
# slower.
(
    echo "== Go, checks of the pointers given to C, garbage collection around each call"
    cd bindings/go
    GOEXPERIMENT=cgocheck2 go test -count=1 -timeout=30m -tags=voiceflow_gc \
        -run "Clos|Dropped|Leaks|Own|Inference|Session|Galler|Enrollment|Names|Logger|Handler|Pieces|Taken" .
)
