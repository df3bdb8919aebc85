#!/bin/sh
# The form of the prose: Markdown wrapped at 100 columns. Writes the files anew, or with --check says which would change.
# docs/C_API.md is left out: `make header` makes it out of the header, whose lines are those of src/ffi.
set -eu
cd "$(dirname -- "$0")/.."

# shellcheck disable=SC2046 # a list
.venv/bin/mdformat "$@" $(git ls-files '*.md' ':!docs/C_API.md')
