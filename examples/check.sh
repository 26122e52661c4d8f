# SPDX-License-Identifier: MIT
# check.sh - what the checks of the examples have in common, to be sourced by them.

fail() {
    echo "$(basename "$0" .sh): $*" >&2
    exit 1
}

# timed PROGRAM OPTION...: what it prints. It must succeed, and end with its memory and time.
timed() {
    printed=$("$@") || fail "exit status $? with $*"
    echo "$printed" | tail -n 1 | grep -q '^time [0-9]*\.[0-9]* s$' || fail 'no time on last line'
    echo "$printed" | tail -n 2 | grep -q '^peak [0-9]* KiB$' || fail 'no memory before it'
    echo "$printed"
}

# refuses PROGRAM ARGUMENTS...: each of them, which may be several words, makes no sense to it.
refuses() {
    refusing=$1
    shift
    for options in "$@"; do
        status=0
        # shellcheck disable=SC2086 # words of their own
        output=$("$refusing" $options 2>&1) || status=$?
        test "$status" -eq 2 || fail "exit status $status with $options"
        echo "$output" | grep -q "^usage: $(basename "$refusing" .exe) " ||
            fail "no usage with $options"
    done
}
