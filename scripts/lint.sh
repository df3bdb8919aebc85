#!/bin/sh
# Formatting, lints, documentation, licences. Runs every check and says at the end how many passed.
set -u
cd "$(dirname -- "$0")/.." || exit 1

passed=0
failed=0
skipped=0
SKIPPED=77 # what a check ends with that cannot be made here
check() { # NAME COMMAND...
    name=$1
    shift
    echo "== $name"
    status=0
    before=$(date +%s)
    "$@" || status=$?
    seconds=$(($(date +%s) - before))
    # Of CPU, its part of what make counts for the target.
    [ -z "${STEPS:-}" ] || echo "lint:$name" | tr ' ' '-' | sed "s/\$/ $seconds 0 0/" >>"$STEPS"
    case $status in
    0) passed=$((passed + 1)) ;;
    "$SKIPPED") skipped=$((skipped + 1)) ;;
    *)
        failed=$((failed + 1))
        echo "lint.sh: $name failed" >&2
        ;;
    esac
}

deny() {
    make --no-print-directory .cache/cargo-deny/bin/cargo-deny || return
    .cache/cargo-deny/bin/cargo-deny --workspace --all-features --log-level error check "$@"
}

# What decides which crates are linked and what is accepted of them. cargo-deny takes minutes to
# build: it runs where one of these is not as at its last success, of which deny.checked keeps the
# hashes.
DENIED="Cargo.lock Cargo.toml cli/Cargo.toml registry/Cargo.toml server/Cargo.toml deny.toml"
licences() {
    # shellcheck disable=SC2086 # a list
    if sha256sum $DENIED | cmp --quiet - deny.checked; then
        echo "unchanged since cargo-deny accepted them: $DENIED"
        return
    fi
    deny licenses bans sources || return
    # shellcheck disable=SC2086 # a list
    sha256sum $DENIED >deny.checked
    echo "accepted: deny.checked is new, commit it"
}

# The database of advisories is a git repository elsewhere: without a way to it there is nothing to
# check.
advisories() {
    if GIT_TERMINAL_PROMPT=0 timeout 20 git ls-remote --exit-code https://github.com/RustSec/advisory-db HEAD >/dev/null 2>&1; then
        deny advisories
    else
        echo "the database of advisories cannot be reached: not checked"
        return "$SKIPPED"
    fi
}

# The C++ interface and what is written with it, in each of its styles. The analyser follows calls
# through the programs that users read; those of the tests, long and run under sanitizers, it takes
# function by function, which costs a sixth.
tidy() {
    for file in tests/cpp/*.cpp tests/consumers/cmake/*.cpp examples/cpp/*.cpp; do
        flags=-fexceptions
        case $file in *expected.cpp) flags=-fno-exceptions ;; esac
        case $file in tests/cpp/*) flags="$flags -Xclang -analyzer-config -Xclang mode=shallow" ;; esac
        echo "$file -- -std=c++17 -Iinclude $flags"
    done | xargs --max-procs 2 --max-lines=1 .venv/bin/clang-tidy --quiet
}

# The folder of each build is the workspace's, so that what is compiled for all, above all macros
# and build scripts, is compiled once. Lints of a library alone name the workspace too: for a single
# package Cargo chooses other features of what it needs, and compiles all of it once more.
apart() { # FOLDER: a workspace of its own
    cargo fmt --manifest-path "$1/Cargo.toml" --check &&
        CARGO_TARGET_DIR=target cargo clippy --manifest-path "$1/Cargo.toml" --all-targets --locked -- -D warnings
}

check rustfmt cargo fmt --all --check
check clippy cargo clippy --workspace --all-targets --locked -- -D warnings
check "clippy without the model" cargo clippy --workspace --lib --no-default-features --locked -- -D warnings
check "clippy with the accurate bundle" cargo clippy --workspace --lib --features libvoiceflow/accurate-model --locked -- -D warnings
check "rustfmt and clippy of the schedules" apart tests/schedules
check "rustfmt and clippy of the races" apart tests/races
# Clippy has their flags where they are compiled: by `make test-fuzz`.
check "rustfmt of the fuzzers" cargo fmt --manifest-path fuzz/Cargo.toml --check
check "API documentation" make --no-print-directory docs
check "site of the documents" .venv/bin/python scripts/docs_site.py
check "licences, bans, sources" licences
check advisories advisories
check "Go: gofmt, vet, staticcheck" scripts/lint_go.sh
check ruff .venv/bin/ruff check .
check "ruff format" .venv/bin/ruff format --check .
check "prose of documents and comments" scripts/prose.sh --check
check clang-tidy tidy
check mypy .venv/bin/mypy --config-file bindings/python/pyproject.toml bindings/python/src bindings/python/hatch_build.py
check "mypy of voiceflow_batch" .venv/bin/mypy --config-file batch/pyproject.toml batch/src
check shellcheck .venv/bin/shellcheck scripts/*.sh deploy/gcp/*.sh tests/data/*.sh .ci/run

echo "lint: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
