#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Trades the same orders with pools and with malloc: the same must come out, and another with another
# seed. Arguments that make no sense are refused.
#
#     check_orderbook.sh ORDERBOOK
#
set -eu

orderbook=$1

. "$(dirname "$0")/check.sh"

result() {
    output=$(timed "$orderbook" --orders 30000 "$@") || exit 1
    echo "$output" | sed -n '/ traded, /p; /^checksum /p'
}

expected=$(result --malloc)
test "$(echo "$expected" | wc -l)" -eq 2 || fail "no result: $expected"
actual=$(result)
test "$actual" = "$expected" || fail "$actual with pools, $expected without"
test "$(result --seed 2)" != "$expected" || fail 'the seed changes nothing'

refuses "$orderbook" '--orders 1' '--seed x' '--nonsense'
