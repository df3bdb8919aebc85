#!/bin/sh
# The form of the prose, wrapped at 100 columns: Markdown, and the comments of code. Writes the
# files anew, or with --check says which would change. docs/C_API.md is left out: `make header`
# makes it out of the header, whose lines are those of src/ffi.
set -u
cd "$(dirname -- "$0")/.." || exit 1

status=0
# shellcheck disable=SC2046 # a list
.venv/bin/mdformat "$@" $(git ls-files '*.md' ':!docs/C_API.md') || status=1
.venv/bin/python scripts/wrap_comments.py "$@" || status=1
exit "$status"
