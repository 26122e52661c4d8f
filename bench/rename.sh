#!/bin/sh
# SPDX-License-Identifier: MIT
# rename.sh ARCHIVE PREFIX OUTPUT - a copy of a static library in which every symbol that it defines
# has a prefix, so that several replacements of malloc fit into one program and none replaces it.
set -eu
map=$(mktemp)
trap 'rm -f "$map"' EXIT
nm --defined-only --extern-only "$1" 2>/dev/null |
    awk -v prefix="$2" 'NF == 3 && $2 != "U" { print $3, prefix $3 }' | sort -u >"$map"
objcopy --redefine-syms="$map" "$1" "$3"
