#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command, which must fail and say what is expected of it.

usage: check_report.py SENTENCE FUNCTION COMMAND...

The sentence is to be in what it prints to stderr, and so is the name of the function at fault.
"""
import subprocess
import sys


def main():
    sentence, function, *command = sys.argv[1:]
    result = subprocess.run(command, capture_output=True, text=True)
    for expected in (sentence, function):
        if expected not in result.stderr:
            sys.exit(f'{result.stderr}\nnot said: {expected}')
    if result.returncode == 0:
        sys.exit(f'{result.stderr}\nit did not fail')


if __name__ == '__main__':
    main()
