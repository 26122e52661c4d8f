#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Plays the same swarm with the pool and with malloc, on one thread and on more: the checksum must
# be the same, and another for another seed.
#
#     check_swarm.sh SWARM
#
set -eu

swarm=$1

. "$(dirname "$0")/check.sh"

# checksum OPTION...: of a small swarm.
checksum() {
    output=$(timed "$swarm" --frames 40 --entities 20000 "$@") || exit 1
    echo "$output" | grep '^checksum [0-9a-f]\{16\}$' || fail "no checksum with $*"
}

expected=$(checksum --malloc --threads 1)
for options in '--threads 1' '--threads 2' '--threads 4' '--threads 100' '--malloc --threads 4'; do
    # The options are words of their own.
    # shellcheck disable=SC2086
    actual=$(checksum $options)
    test "$actual" = "$expected" || fail "$actual with $options, $expected without"
done
other=$(checksum --seed 2)
test "$other" != "$expected" || fail 'the seed changes nothing'

checksum --entities 1 >/dev/null # fewer entities than slices: some stay empty
