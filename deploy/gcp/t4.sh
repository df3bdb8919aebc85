#!/usr/bin/env bash
# Measures `voiceflow bench` on a Google Cloud machine with a T4: creates the machine, installs,
# runs CPU, CUDA and TensorRT, fetches the JSON, prints a summary with the cost, deletes the
# machine.
#
#   make install && deploy/gcp/t4.sh --project PROJECT --spot
#
# The machine is deleted however this ends: a trap deletes it, and where even that cannot run (this
# computer loses its power), it deletes itself after --max-hours.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)

usage() {
    cat <<END
usage: t4.sh --project PROJECT [options]
  --zone ZONE          us-central1-a; one that has T4s
  --spot               a spot machine: cheaper, may be taken away at any time
  --max-hours N        1; whole hours, 1 to 24, after which the machine deletes itself
  --providers LIST     cpu,cpu-fp32,cuda,tensorrt; cpu is the model that ships, the others its float32 file
  --batches LIST       1,4,8,16; windows of a run
  --iterations N       200; runs that are timed of each batch
  --sla-p99 MS         10; longest P99 of a batch
  --prefix FOLDER      ./install; what \`make install\` made
  --model FILE         models/fast-cnn's newest model.fp32.onnx
  --out FOLDER         ./t4-results; must be empty or new
  --keep               leave the machine running, until --max-hours
  --dry-run            print each command, and run none
ends with 0; 1 where a step failed or a P99 is over the limit; 2 for wrong arguments
END
}

refuse() {
    echo "t4.sh: $*; --help lists the options" >&2
    exit 2
}
fail() {
    echo "t4.sh: $*" >&2
    exit 1
}

project='' zone=us-central1-a spot='' max_hours=1 providers=cpu,cpu-fp32,cuda,tensorrt batches=1,4,8,16
iterations=200 sla=10 prefix=$PWD/install out=$PWD/t4-results keep='' dry_run=''
models=("$root"/models/fast-cnn/*/model.fp32.onnx)
model=${models[-1]}
while [ $# -gt 0 ]; do
    option=$1
    shift
    case $option in
    --spot) spot=1 ;;
    --keep) keep=1 ;;
    --dry-run) dry_run=1 ;;
    --help | -h) usage && exit 0 ;;
    --project | --zone | --max-hours | --providers | --batches | --iterations | --sla-p99 | --prefix | --model | --out)
        [ $# -gt 0 ] || refuse "$option: expected a value"
        case $option in
        --project) project=$1 ;;
        --zone) zone=$1 ;;
        --max-hours) max_hours=$1 ;;
        --providers) providers=$1 ;;
        --batches) batches=$1 ;;
        --iterations) iterations=$1 ;;
        --sla-p99) sla=$1 ;;
        --prefix) prefix=$1 ;;
        --model) model=$1 ;;
        --out) out=$1 ;;
        esac
        shift
        ;;
    *) refuse "expected an option, got $option" ;;
    esac
done

# What reaches the machine's shell is checked here, so that nothing in it needs quotes.
[[ $project =~ ^[a-z][a-z0-9:.-]+$ ]] || refuse "--project: expected the id of a project, got \"$project\""
[[ $zone =~ ^[a-z]+-[a-z]+[0-9]+-[a-z]$ ]] || refuse "--zone: expected a zone such as us-central1-a, got \"$zone\""
if ! [[ $max_hours =~ ^[0-9]{1,2}$ ]] || ((10#$max_hours < 1 || 10#$max_hours > 24)); then
    refuse "--max-hours: expected 1 to 24, got \"$max_hours\""
fi
[[ $batches =~ ^[0-9]+(,[0-9]+)*$ ]] || refuse "--batches: expected numbers with commas, got \"$batches\""
[[ $iterations =~ ^[1-9][0-9]*$ ]] || refuse "--iterations: expected a number above 0, got \"$iterations\""
[[ $sla =~ ^[0-9]+(\.[0-9]+)?$ ]] || refuse "--sla-p99: expected milliseconds, got \"$sla\""
for provider in ${providers//,/ }; do
    case $provider in
    cpu | cpu-fp32 | cuda | tensorrt) ;;
    *) refuse "--providers: expected cpu, cpu-fp32, cuda or tensorrt, got \"$provider\"" ;;
    esac
done
if [ -z "$dry_run" ]; then
    command -v gcloud >/dev/null || fail "gcloud is not here: https://cloud.google.com/sdk/docs/install"
    [ -x "$prefix/bin/voiceflow" ] || fail "$prefix/bin/voiceflow: no such program; run \`make install\`, or give --prefix"
    [ -f "$model" ] || fail "$model: no such file; give --model"
    [ -z "$(ls -A "$out" 2>/dev/null)" ] || fail "$out: expected an empty folder or a new one; give --out"
fi

case $out in /*) ;; *) out=$PWD/$out ;; esac

# A name of its own, so that no other machine is ever deleted.
name=voiceflow-t4-$(date -u +%Y%m%d-%H%M%S)-$RANDOM
[ -z "$dry_run" ] || name=voiceflow-t4
where=(--project="$project" --zone="$zone")
most_s=$((10#$max_hours * 3600))
# Seconds between tries to reach a machine that starts.
retry_s=${T4_RETRY_S:-10}
staged='' began='' child=''

# Says a command, and runs it in the background, since bash runs no trap while it waits for a
# program in the foreground.
step() {
    printf '+ %s\n' "$(quoted "$@")" >&2
    timeout --kill-after=30 "$most_s" "$@" </dev/null &
    child=$!
    local status=0
    wait "$child" || status=$?
    child=''
    return "$status"
}
quoted() {
    local word flag line=''
    for word in "$@"; do
        flag=''
        if [[ $word =~ ^(--[a-z-]+=)(.*)$ ]]; then flag=${BASH_REMATCH[1]} word=${BASH_REMATCH[2]}; fi
        [[ $word =~ ^[A-Za-z0-9_./:=,@+-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
        line+=" $flag$word"
    done
    echo "${line# }"
}
on_machine() { # WHAT: a command line
    "$1" gcloud compute ssh "$name" "${where[@]}" --quiet --command="$2"
}

create=(gcloud compute instances create "$name" "${where[@]}" --quiet
    --machine-type=n1-standard-4 --accelerator="type=nvidia-tesla-t4,count=1" --maintenance-policy=TERMINATE
    # With the driver in it, of the branch that CUDA 13 asks for.
    --image-project=ubuntu-os-accelerator-images --image-family=ubuntu-accelerator-2404-amd64-with-nvidia-580
    --boot-disk-size=60GB --boot-disk-type=pd-balanced --no-service-account --no-scopes
    --labels=purpose=voiceflow-t4 --max-run-duration="${max_hours#0}h" --instance-termination-action=DELETE)
[ -z "$spot" ] || create+=(--provisioning-model=SPOT)
upload=(gcloud compute scp t4.tar.gz "$name:t4.tar.gz" "${where[@]}" --quiet)
unpack='tar -xzf t4.tar.gz && t4/on_machine.sh install'
bench="t4/on_machine.sh bench $providers $batches $iterations $sla"
fetch=(gcloud compute scp "$name:t4/results" "$out/" "${where[@]}" --recurse --quiet)
delete=(gcloud compute instances delete "$name" "${where[@]}" --quiet)
left=(gcloud compute instances list --project="$project" --filter="name=$name" --format='value(name)')

if [ -n "$dry_run" ]; then
    show() { quoted "$@"; }
    echo "# 1. A machine that deletes itself after $max_hours h."
    show "${create[@]}"
    echo "# 2. What it needs in one archive. The next command is repeated until the machine answers."
    show mkdir t4
    show cp -a "${prefix#"$PWD/"}" t4/prefix
    show cp "${model#"$root/"}" t4/model.fp32.onnx
    show cp deploy/gcp/on_machine.sh t4/
    show tar -czf t4.tar.gz t4
    on_machine show true
    show "${upload[@]}"
    echo "# 3. ONNX Runtime for CUDA and TensorRT, and the runs."
    on_machine show "$unpack"
    on_machine show "$bench"
    echo "# 4. The JSON, the summary, and the end of the machine."
    show mkdir -p "${out#"$PWD/"}"
    show "${fetch[@]/#"$PWD/"/}"
    [ -n "$keep" ] || show "${delete[@]}"
    [ -n "$keep" ] || show "${left[@]}"
    show python3 deploy/gcp/summary.py "${out#"$PWD/"}/results" --sla-p99 "$sla"
    exit 0
fi

# Runs at every end. Deleting is tried thrice; what is left is said aloud.
end() {
    local status=$? found
    trap - EXIT
    trap '' INT TERM HUP
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true
    [ -z "$staged" ] || rm -rf "$staged"
    [ -n "$began" ] || exit "$status"
    if [ -n "$keep" ]; then
        echo "t4.sh: $name keeps running for $max_hours h at most: $(quoted "${delete[@]}")" >&2
        exit "$status"
    fi
    for _ in 1 2 3; do
        step "${delete[@]}" && exit "$status"
        # It may never have come to be, or be gone already.
        if found=$("${left[@]}" </dev/null) && [ -z "$found" ]; then exit "$status"; fi
        sleep "$retry_s"
    done
    echo "t4.sh: $name may still be running, and deletes itself after $max_hours h. Delete it now: $(quoted "${delete[@]}")" >&2
    exit 1
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

staged=$(mktemp -d)
mkdir "$staged/t4"
cp -a "$prefix" "$staged/t4/prefix"
cp "$model" "$staged/t4/model.fp32.onnx"
cp "$here/on_machine.sh" "$staged/t4/"
tar -czf "$staged/t4.tar.gz" -C "$staged" t4
mkdir -p "$out"

began=$(date +%s)
step "${create[@]}" || fail "the machine could not be created: see docs/T4.md, \"When it does not work\""
reached=''
for _ in $(seq 30); do
    on_machine step true && reached=1 && break
    sleep "$retry_s"
done
[ -n "$reached" ] || fail "$name cannot be reached by ssh"
cd "$staged"
step "${upload[@]}" || fail "the upload failed"
on_machine step "$unpack" || fail "the installation on the machine failed"
benched=0
on_machine step "$bench" || benched=$?
# Also where a run failed: what it said lies in the folder.
step "${fetch[@]}" || fail "the results could not be fetched"
cd "$OLDPWD"

summary=(python3 "$here/summary.py" "$out/results" --sla-p99 "$sla" --seconds "$(($(date +%s) - began))")
[ -z "$spot" ] || summary+=(--spot)
"${summary[@]}" || exit 1
[ "$benched" = 0 ] || fail "the runs on the machine ended with status $benched"
