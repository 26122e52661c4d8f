#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compares wordcount's counts with those of standard tools on the same files, with the pool and with
# malloc: first on a tree made to be awkward, then on real headers.
#
#     check_wordcount.sh WORDCOUNT
#
set -eu
export LC_ALL=C

wordcount=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/wordcount.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

. "$(dirname "$0")/check.sh"

# repeat TEXT COUNT: the text that many times, without a line end.
repeat() {
    awk -v text="$1" -v count="$2" 'BEGIN { while (count-- > 0) printf "%s", text }'
}

# The files of a tree that a reader of words may stumble over.
make_tree() {
    mkdir -p "$1/deep/er/and/deeper" "$1/empty" "$1/a name
of two lines"
    : >"$1/nothing"
    printf 'no line end' >"$1/deep/unended"
    printf 'One line and ONE end\n' >"$1/deep/er/and/deeper/ended"
    printf 'a-b_c d4e\r\n\tf\000g\200h\377\303\251i @[`{ Z' >"$1/a name
of two lines/and a blank"
    printf 'alone' >"$1/deep/er/starts_here"
    cp "$wordcount" "$1/binary"

    # Words around the ends of the reader's blocks, which are a power of two of bytes.
    for before in 4090 8187 65530 65533 65535 65536 131068 131072 262139; do
        { repeat ' ' "$before"; echo 'boundary crossing words'; } >"$1/before_$before"
        { repeat ' ' "$before"; printf 'boundary'; } >"$1/ends_$before"
    done
    repeat 'twelve bytes' 100000 >"$1/many_blocks"

    # Words around the most that a node has room for, and those as long as blocks, and longer.
    for length in 1 2 30 31 32 33 34 63 64 65 4096 65535 65536 65537 131072 1000000; do
        { repeat x "$length"; echo; repeat X "$length"; } >"$1/long_$length"
    done
    { repeat y 70000; printf 'a '; repeat y 70000; printf b; } >"$1/nearly_the_same"

    # Links: those that lead out of the tree and back into it count nothing either.
    echo elsewhere >"$work/outside"
    ln -s "$work/outside" "$1/way_out"
    ln -s . "$1/loop"
    ln -s .. "$1/deep/loop"
    ln -s nowhere "$1/dangling"
    mkfifo "$1/pipe" 2>"$work/ignored" || true
}

# What standard tools count: on each line a word's count, its files, the word.
expect() {
    find "$1" -type f -exec sh -c '
        for file; do
            tr "A-Z" "a-z" <"$file" | tr -cs "a-z" "\n" | sort | uniq -c
        done' sh {} + |
        awk 'NF == 2 { count[$2] += $1; files[$2]++ }
             END { for (word in count) print count[word], files[word], word }' | sort
}

# compare TREE LEAST: counts are as expected, and there are at least so many different words.
compare() {
    expect "$1" >"$work/expected"
    test "$(wc -l <"$work/expected")" -ge "$2" || fail "too few words in $1 to show anything"
    for options in '' --malloc '--threads 1' '--threads 7'; do
        # The options are words of their own.
        # shellcheck disable=SC2086
        "$wordcount" $options --top 1000000000 "$1" >"$work/output" ||
            fail "exit status $? with '$options' on $1"
        awk 'NF == 3 && $1 ~ /^[0-9]+$/ && $2 ~ /^[0-9]+$/ { print $1, $2, $3 }' "$work/output" |
            sort >"$work/counted"
        cmp "$work/expected" "$work/counted" || fail "wrong counts with '$options' on $1"
        tail -n 1 "$work/output" | grep -q '^time [0-9]*\.[0-9]* s$' || fail 'no time on last line'
    done
}

make_tree "$work/tree"
compare "$work/tree" 30
if [ -d /usr/include/linux ]; then
    compare /usr/include/linux 100
fi

"$wordcount" "$work/tree/empty" >"$work/output" || fail "exit status $? on an empty directory"
grep -q '^0 words, 0 different, in 0 files of 0 bytes$' "$work/output" || fail 'an empty directory'

"$wordcount" --top 1 "$work/tree/loop/deep/er/starts_here" >"$work/output" ||
    fail "exit status $? on a single file"
grep -q '^ *1 *1  alone$' "$work/output" || fail 'a single file'

status=0
"$wordcount" "$work/nowhere" >"$work/output" 2>"$work/errors" || status=$?
test "$status" -eq 1 || fail "exit status $status on a directory that does not exist"
grep -q nowhere "$work/errors" || fail 'a directory that does not exist goes unreported'

# What cannot be read is reported and skipped, and the rest is counted; nothing stops the superuser.
if [ "$(id -u)" -ne 0 ]; then
    mkdir "$work/locked" "$work/locked/folder"
    echo secret >"$work/locked/file"
    echo open >"$work/locked/other"
    chmod 000 "$work/locked/file" "$work/locked/folder"
    status=0
    "$wordcount" "$work/locked" >"$work/output" 2>"$work/errors" || status=$?
    chmod 700 "$work/locked/folder"
    test "$status" -eq 1 || fail "exit status $status with unreadable files"
    grep -q locked/file "$work/errors" || fail 'an unreadable file goes unreported'
    grep -q locked/folder "$work/errors" || fail 'an unreadable directory goes unreported'
    grep -q '^1 words, 1 different, in 1 files of 5 bytes$' "$work/output" ||
        fail 'files beside unreadable ones'
fi
