#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The scripts must give the same with pools of 16 sizes and with malloc.
#
#     check_interpreter.sh INTERPRETER
#
set -eu

pools=$("$1" | grep '^the scripts give [0-9]')
malloc=$("$1" --malloc | grep '^the scripts give [0-9]')
if [ "$pools" != "$malloc" ]; then
    echo "with pools $pools, with malloc $malloc" >&2
    exit 1
fi
