#!/bin/bash
# The shell of make's recipes where STEPS names a file: runs a command of a recipe and appends the
# target's name with the seconds that it took, then those of CPU (user, system) that it and its
# children took.
#
#   scripts/step.sh step:TARGET -c COMMAND
set -u
target=${1#step:}
shift
# What make asks while it reads the makefile belongs to no target.
[ -n "$target" ] || exec /bin/sh "$@"
TIMEFORMAT="$target %R %U %S"
{ time /bin/sh "$@" 2>&3 3>&-; } 3>&2 2>>"$STEPS"
