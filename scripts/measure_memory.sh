#!/bin/sh
# Prints how much memory `voiceflow diarize` takes for a recording of many hours: the conversation of the examples
# over and over. Needs ffmpeg, python3 and a release build.
#
#   scripts/measure_memory.sh                       three hours
#   scripts/measure_memory.sh 8 --hop 2.5           eight hours; further arguments are for `voiceflow diarize`
#   VOICEFLOW=/usr/bin/voiceflow scripts/measure_memory.sh
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
hours=${1:-3}
[ $# -eq 0 ] || shift
voiceflow=${VOICEFLOW:-$root/target/release/voiceflow}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ffmpeg -nostdin -hide_banner -loglevel error -stream_loop -1 -i "$root/examples/data/conversation.flac" \
    -t "$((hours * 3600))" -c:a flac "$work/long.flac"
python3 - "$hours" "$voiceflow" diarize --format rttm "$@" "$work/long.flac" <<'PYTHON'
import resource, subprocess, sys, time

start = time.monotonic()
rttm = subprocess.run(sys.argv[2:], check=True, stdout=subprocess.PIPE, text=True).stdout
took = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{sys.argv[1]} h: {took:.0f} s, peak resident memory {peak:.0f} MiB, {len(rttm.splitlines())} turns")
PYTHON
