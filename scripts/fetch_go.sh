#!/bin/sh
# Sees to it that there is a Go which can build bindings/go: the one of the system, where it is new
# enough or fetches a newer one by itself (1.21 and later do); else one in .cache/go, which the
# system's Go fetches as a module and checks.
set -eu
cd "$(dirname -- "$0")/.."

version=1.24.13
have=$(go version | sed -n 's/.* go1\.\([0-9]*\).*/\1/p')
wanted=$(sed -n 's/^go 1\.\([0-9]*\).*/\1/p' bindings/go/go.mod)
[ "${have:-0}" -lt "$wanted" ] || exit 0
if [ "${have:-0}" -ge 21 ] && [ "$(go env GOTOOLCHAIN)" != local ]; then
    exit 0
fi

module=golang.org/toolchain@v0.0.1-go$version.$(go env GOOS)-$(go env GOARCH)
modules=$(mktemp -d)
trap 'chmod -R u+w "$modules"; rm -rf "$modules"' EXIT
GOMODCACHE="$modules" GOFLAGS='' go mod download "$module"
rm -rf .cache/go
mkdir -p .cache
cp -R "$modules/$module" .cache/go
chmod -R u+w .cache/go
# What a module cannot hold: programs, and modules inside.
chmod +x .cache/go/bin/* .cache/go/pkg/tool/*/*
find .cache/go -name _go.mod | while read -r file; do
    mv "$file" "${file%_go.mod}go.mod"
done
.cache/go/bin/go version
