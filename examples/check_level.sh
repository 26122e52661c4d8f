#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Plays the same levels with pools, with one that is trimmed, and with malloc: the entities must be
# the same, and the memory that is held after each level as much as after the one before.
#
#     check_level.sh LEVEL
#
set -eu

level=$1

. "$(dirname "$0")/check.sh"

# play OPTION...: what a game of six levels prints.
play() {
    output=$(timed "$level" --levels 6 --entities 100000 "$@") || exit 1
    echo "$output" | grep '^level' || fail "no levels with $*"
}

# flat LEVELS SLACK: is no more held after the last level than after the second, SLACK bytes aside?
# (The first sets up what a pool keeps.)
flat() {
    echo "$1" | sed -n 's/.*after it \([0-9]*\) bytes.*/\1/p' | awk -v slack="$2" '
        NR == 2 { second = $1 }
        END { exit NR != 6 || $1 > second + slack }'
}

entities=
for options in '' '--threads 1' '--trim' '--trim --threads 7' '--malloc'; do
    # The options are words of their own.
    # shellcheck disable=SC2086
    levels=$(play $options)
    case $options in
    # a thread that has called meanwhile has a cache, and may keep a batch for the object in it
    --trim*) slack=65536 ;;
    *) slack=0 ;;
    esac
    flat "$levels" $slack || fail "memory grows from level to level with $options: $levels"
    entities=$(echo "$entities$levels" | grep -o '[0-9]* alive, checksum [0-9a-f]*' | sort -u)
done
test "$(echo "$entities" | wc -l)" -eq 1 || fail "not the same entities: $entities"

"$level" --levels 2 --entities 1 >/dev/null # most threads have nothing to do
