#!/bin/sh
# Runs the fuzzers of fuzz/: libFuzzer with AddressSanitizer, built by the stable compiler.
# cargo-fuzz is not needed, but finds its own layout there.
#
#   scripts/fuzz.sh [TARGET...]    every target where none is named
#   FUZZ_SECONDS=20                time for each target; its corpus is run once in any case
#   FUZZ_SEED=1                    the same changes of inputs each time; others each time where it is not given
#   FUZZ_JOBS=2                    targets that run at once
#   FUZZ_HANG=20                   seconds after which an input is one that hangs
#   FUZZ_FINDINGS=.cache/fuzz      where new inputs (corpus/) and findings (findings/) go
#   FUZZ_PROFILE=dev               compiled in less time and linted by clippy on the way, in the folder of the
#                                  workspace's tests, whose macros and build scripts serve; else `release`
#
# Ends with 1 where a target found something: a crash, a hang, a leak, or more than 2 GiB. What
# crashes in ONNX Runtime, which is not ours to mend and not compiled for the sanitizer, is counted
# and kept apart (runtime-*).
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
seconds=${FUZZ_SECONDS:-20}
jobs=${FUZZ_JOBS:-2}
out=${FUZZ_FINDINGS:-$root/.cache/fuzz}
host=$(rustc --version --verbose | sed -n 's/^host: //p')
all=$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' fuzz/Cargo.toml)
# shellcheck disable=SC2086 # a list
[ $# -gt 0 ] || set -- $all
mkdir -p "$out/findings" "$out/logs"
# The target `c_api` goes to a folder of its own.
out=$(CDPATH='' cd -- "$out" && pwd)

profile=${FUZZ_PROFILE:-release}
case $profile in
dev)
    export CARGO_TARGET_DIR="$root/target" RUSTC_WORKSPACE_WRAPPER=clippy-driver
    programs=$CARGO_TARGET_DIR/$host/debug
    ;;
release)
    export CARGO_TARGET_DIR="$root/target/fuzz"
    programs=$CARGO_TARGET_DIR/$host/release
    ;;
*)
    echo "fuzz.sh: FUZZ_PROFILE: expected dev or release, got '$profile'" >&2
    exit 2
    ;;
esac
# The flags of cargo-fuzz. `--target` keeps them from the programs that only build.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg fuzzing -Zsanitizer=address \
-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --quiet --profile "$profile" --locked --manifest-path fuzz/Cargo.toml --target "$host"

export VOICEFLOW_ORT_LIBRARY="${VOICEFLOW_ORT_LIBRARY:-$root/.runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1}"

one() { # TARGET
    target=$1
    corpus=$out/corpus/$target
    log=$out/logs/$target.log
    mkdir -p "$corpus"
    set -- "$corpus"
    [ ! -d "fuzz/corpus/$target" ] || set -- "$@" "$root/fuzz/corpus/$target"
    case $target in
    audio) set -- "$@" "$root/tests/data/audio" ;;
    graph | model) set -- "$@" "$root/tests/data/models" ;;
    esac
    status=0
    ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:detect_odr_violation=0 \
        LSAN_OPTIONS="suppressions=$root/fuzz/leaks.txt:print_suppressions=0" \
        "$programs/$target" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout="${FUZZ_HANG:-20}" -rss_limit_mb=2048 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="$out/findings/$target-" "$@" >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    if [ "$status" != 0 ] && grep -q '^ *#[0-9] .*libonnxruntime' "$log"; then
        file=$(sed -n 's/^artifact_prefix=.*Test unit written to //p' "$log" | tail -n 1)
        [ -z "$file" ] || mv "$file" "$out/findings/runtime-$(basename "$file")"
        echo "$target: ${runs:-?} runs, ended by a fault in ONNX Runtime"
        return 0
    fi
    if [ "$status" != 0 ]; then
        echo "$target: FOUND something after ${runs:-?} runs; the end of $log:"
        tail -n 40 "$log"
        return 1
    fi
    echo "$target: ${runs:-?} runs, nothing found"
}

# A line for each target; xargs would need this function exported.
failed=0
running=
for target in "$@"; do
    one "$target" >"$out/logs/$target.result" 2>&1 &
    running="$running $!:$target"
    # shellcheck disable=SC2086 # a list
    set -- $running
    if [ $# -ge "$jobs" ]; then
        wait "${1%%:*}" || failed=1
        cat "$out/logs/${1#*:}.result"
        running=${running# "$1"}
    fi
done
for pair in $running; do
    wait "${pair%%:*}" || failed=1
    cat "$out/logs/${pair#*:}.result"
done
exit "$failed"
