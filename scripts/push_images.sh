#!/bin/sh
# Pushes images by docker, and prints each one's digest as a line of a step's outputs.
#
#   scripts/push_images.sh digest=REGISTRY/NAME:TAG [digest-gpu=…]
set -eu

[ $# -gt 0 ] || {
    echo "push_images.sh: expected OUTPUT=IMAGE, got nothing" >&2
    exit 2
}
for pair in "$@"; do
    output=${pair%%=*}
    image=${pair#*=}
    docker push --quiet "$image" >&2
    pushed=$(docker image inspect --format '{{index .RepoDigests 0}}' "$image")
    case $pushed in
    *@sha256:*) echo "$output=${pushed##*@}" ;;
    *)
        echo "push_images.sh: $image: expected a digest, got '$pushed'" >&2
        exit 1
        ;;
    esac
done
