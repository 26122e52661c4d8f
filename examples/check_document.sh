#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Edits the same document with pools and with malloc: it must come out the same, and another with
# another seed. Arguments that make no sense are refused.
#
#     check_document.sh DOCUMENT
#
set -eu

document=$1

. "$(dirname "$0")/check.sh"

# result OPTION...: how many elements, and the checksum.
result() {
    output=$(timed "$document" --elements 20000 --edits 300 "$@") || exit 1
    echo "$output" | sed -n 's/^\([0-9]* elements, [0-9]* texts\) .*/\1/p; /^checksum /p'
}

expected=$(result --malloc)
test "$(echo "$expected" | wc -l)" -eq 2 || fail "no result: $expected"
actual=$(result)
test "$actual" = "$expected" || fail "$actual with pools, $expected without"
test "$(result --seed 2)" != "$expected" || fail 'the seed changes nothing'

refuses "$document" '--elements 9' '--edits -1' '--seed x' '--nonsense' 'nonsense'
