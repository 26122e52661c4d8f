#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Logs with each policy, by one thread and by more: no line may get lost but those that are counted
# as dropped, and where threads wait for room none is dropped. What is in the file is what was
# written. Arguments that make no sense are refused.
#
#     check_logger.sh LOGGER
#
set -eu

logger=$1
file=$(mktemp)
trap 'rm -f "$file"' EXIT

. "$(dirname "$0")/check.sh"

for options in '--threads 1' '--threads 4' '--threads 3 --room 1' '--threads 20 --room 100' \
    '--threads 4 --mutex' '--threads 3 --room 1 --mutex'; do
    # The options are words of their own.
    # shellcheck disable=SC2086
    output=$(timed "$logger" --lines 3000 --file "$file" $options) || exit 1
    test "$(echo "$output" | grep -c ' in order; ')" -eq 3 || fail "with $options: $output"
    threads=$(echo "$options" | cut -d ' ' -f 2)
    echo "$output" | grep -q "^wait-for-room: $((3000 * threads)) lines written, 0 dropped" ||
        fail "lines are dropped that had time: $output"
    written=$(echo "$output" | awk '/lines written/ {sum += $2} END {print sum}')
    test "$(wc -l <"$file")" -eq "$written" || fail "the file has other lines: $output"
done

refuses "$logger" '--threads 0' '--threads 1025' '--lines 0' '--room 0' '--lines 12x' '--lines' \
    '--nonsense' 'nonsense'
