#!/usr/bin/env bash
# What t4.sh runs on the machine with the T4.
#
#   on_machine.sh install                                     ONNX Runtime for CUDA and TensorRT
#   on_machine.sh bench PROVIDERS BATCHES ITERATIONS SLA_MS   each provider into results/PROVIDER.json
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

RUNTIME=1.31.1

install() {
    # The driver of the image needs a minute after the first start.
    for _ in $(seq 30); do
        nvidia-smi >/dev/null 2>&1 && break
        sleep 10
    done
    nvidia-smi || { echo "on_machine.sh: the driver does not answer" >&2 && exit 1; }
    sudo apt-get update -qq
    sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
    python3 -m venv venv
    # TensorRT 10: ONNX Runtime's library for it asks for libnvinfer.so.10. NVIDIA keeps its wheels
    # in a registry of its own.
    venv/bin/pip install --quiet --extra-index-url https://pypi.nvidia.com \
        "onnxruntime-gpu[cuda,cudnn]==$RUNTIME" "tensorrt-cu13>=10,<11"
    packages=$(venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    # The packages of CUDA, cuDNN and TensorRT keep their libraries in folders of their own.
    folders=$(find "$packages/nvidia" "$packages/tensorrt_libs" -name 'lib*.so.*' -printf '%h\n' | sort -u | paste -sd:)
    {
        echo "export VOICEFLOW_ORT_LIBRARY=$packages/onnxruntime/capi/libonnxruntime.so.$RUNTIME"
        echo "export LD_LIBRARY_PATH=$folders"
    } >environment
}

bench() { # PROVIDERS BATCHES ITERATIONS SLA_MS
    # shellcheck source=/dev/null # written by install
    . ./environment
    mkdir -p results engines
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv >results/gpu.csv 2>&1 || true
    lscpu >results/cpu.txt
    for provider in ${1//,/ }; do
        # The eight bits of the model that is compiled in are for CPUs.
        model=(--model model.fp32.onnx)
        [ "$provider" != cpu ] || model=()
        status=0
        prefix/bin/voiceflow bench --provider "${provider%-fp32}" --require-provider "${model[@]}" --cache engines \
            --batch "$2" --iterations "$3" --sla-p99 "$4" --json >"results/$provider.json" 2>"results/$provider.err" || status=$?
        echo "$provider: status $status"
        # Without figures it did not run; a P99 over the limit has them, and is the summary's to
        # say.
        [ -s "results/$provider.json" ] || rm "results/$provider.json"
    done
}

case ${1:-} in
install) install ;;
bench) shift && bench "$@" ;;
*) echo "on_machine.sh: expected install or bench, got \"${1:-}\"" >&2 && exit 2 ;;
esac
