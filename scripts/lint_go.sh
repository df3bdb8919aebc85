#!/bin/sh
# Formatting and lints of the Go package and its examples. The header is enough for them: nothing is
# linked.
set -eu
cd "$(dirname -- "$0")/.."

export CGO_CFLAGS="-I$PWD/include" CGO_LDFLAGS=-Wl,--unresolved-symbols=ignore-all PKG_CONFIG=true
unformatted=$(gofmt -l bindings/go examples/go)
[ -z "$unformatted" ] || {
    echo "gofmt would change: $unformatted" >&2
    exit 1
}
python3 scripts/go_dlopen.py --check
for module in bindings/go examples/go; do
    (
        cd "$module"
        go vet ./...
        go vet -tags voiceflow_gc ./...
        go vet -tags dlopen ./...
        go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
    )
done
