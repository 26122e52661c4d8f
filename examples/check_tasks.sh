#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the same tasks with pools and with malloc, on one thread and on more: the same must come out.
# Arguments that make no sense are refused.
#
#     check_tasks.sh TASKS
#
set -eu

tasks=$1

. "$(dirname "$0")/check.sh"

result() {
    output=$(timed "$tasks" --depth 6 --rounds 5 "$@") || exit 1
    echo "$output" | grep '^checksum [0-9a-f]\{16\}$' || fail "no checksum with $*"
}

expected=$(result --malloc --threads 1)
for options in '--threads 1' '--threads 2' '--threads 7' '--malloc --threads 3'; do
    # shellcheck disable=SC2086 # words of their own
    actual=$(result $options)
    test "$actual" = "$expected" || fail "$actual with $options, $expected without"
done

refuses "$tasks" '--depth 99' '--threads 0' '--nonsense'
