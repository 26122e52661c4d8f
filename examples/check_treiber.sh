#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Plays with the stack and the set on one thread and on more: whatever goes in must come out, nothing
# may be left, and one thread does the same thing every time.
#
#     check_treiber.sh TREIBER
#
set -eu

treiber=$1

. "$(dirname "$0")/check.sh"

# play OPTION...: what the program prints, without the time.
play() {
    output=$(timed "$treiber" "$@") || exit 1
    test "$(echo "$output" | grep -c ' 0 live.* 0 deferred')" -eq 2 || fail "not all free with $*"
    echo "$output" | sed '$d'
}

# The lines that tell what was done.
first=$(play --threads 1 | grep 'pushed\|added')
again=$(play --threads 1 | grep 'pushed\|added')
test "$first" = "$again" || fail 'one thread does not do the same thing twice'
other=$(play --threads 1 --seed 2 | grep 'pushed\|added')
test "$first" != "$other" || fail 'the seed changes nothing'

for threads in 2 3 8; do
    play --threads $threads >/dev/null
done
play --threads 100 --operations 1000 >/dev/null # most find nothing left to do

"$treiber" --threads 0 >/dev/null 2>&1 && fail 'no threads at all'
exit 0
