#!/bin/sh
#
# Plays the same levels with pools, with one that is trimmed, and with malloc: the entities must be
# the same, and the memory that is held after each level as much as after the first.
#
#     check_level.sh LEVEL
#
set -eu

level=$1

fail() {
    echo "check_level: $*" >&2
    exit 1
}

# play OPTION...: what a game of six levels prints.
play() {
    output=$("$level" --levels 6 --entities 100000 "$@") || fail "exit status $? with $*"
    echo "$output" | tail -n 1 | grep -q '^time [0-9]*\.[0-9]* s$' || fail 'no time on last line'
    echo "$output" | grep '^level' || fail "no levels with $*"
}

# different PATTERN: how many different things the levels on the standard input say there.
different() {
    grep -o "$1" | sort -u | wc -l
}

everything=
for options in '' '--threads 1' '--trim' '--trim --threads 7' '--malloc'; do
    # The options are words of their own.
    # shellcheck disable=SC2086
    levels=$(play $options)
    everything="$everything
$levels"
    # the first level sets up what a trimmed pool keeps
    kept=$(echo "$levels" | tail -n +2 | different 'after it [0-9]* bytes')
    test "$kept" -eq 1 || fail "memory is not the same after each level with $options: $levels"
done
alike=$(echo "$everything" | different '[0-9]* alive, checksum [0-9a-f]*')
test "$alike" -eq 1 || fail "not the same entities: $everything"

"$level" --levels 2 --entities 1 >/dev/null # most threads have nothing to do
