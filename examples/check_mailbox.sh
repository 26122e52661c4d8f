#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Sends the same messages to small buffers and to arrays under mutexes, by one thread and by more:
# the results must be the same, and no gold may be lost. Arguments that make no sense are refused.
#
#     check_mailbox.sh MAILBOX
#
set -eu

mailbox=$1

. "$(dirname "$0")/check.sh"

# results OPTION...: what was delivered, to how many, the gold and the checksum.
results() {
    output=$(timed "$mailbox" "$@") || exit 1
    echo "$output" | sed -n '2,4p'
}

# compare ENTITIES FRAMES: all ways to do the same.
compare() {
    expected=$(results --entities "$1" --frames "$2" --mutex --threads 1)
    test "$(echo "$expected" | head -n 2 | cut -d ' ' -f 1 | paste -sd ' ')" = \
        "$(($1 * $2)) $(($1 * 1000))" || fail "messages or gold lost: $expected"
    for options in '--threads 1' '--threads 2' '--threads 4' '--threads 100' '--mutex --threads 4'
    do
        # The options are words of their own.
        # shellcheck disable=SC2086
        actual=$(results --entities "$1" --frames "$2" $options)
        test "$actual" = "$expected" || fail "$actual with $options, $expected without"
    done
}

compare 20000 12
compare 300 70 # each entity is in the crowd at least once
compare 1 3    # most slices are empty

"$mailbox" --entities 20000 --frames 12 | grep -q '^[1-9][0-9]* of 20000 mailboxes spilled' ||
    fail 'no mailbox spills: that shows nothing'

refuses "$mailbox" '--frames 0' '--threads 0' '--threads 1025' '--entities 0' '--entities -1' \
    '--entities 4294967296' '--frames 12x' '--frames' '--nonsense' 'nonsense'
