#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs test programs and requires that each runs as many tests as its source has.

usage: check_ran.py PROGRAM SOURCE [PROGRAM SOURCE ...]
"""
import re
import subprocess
import sys
from pathlib import Path


def tests_in(source):
    """Tests in a source file, with those that each of its own headers brings, at each inclusion."""
    count = 0
    for line in source.read_text().splitlines():
        count += line.startswith('Test(')
        header = re.match(r'#\s*include "(test_\w+\.h)"', line)
        if header and (source.parent / header[1]).exists():  # test_common.h has none, and is elsewhere
            count += tests_in(source.parent / header[1])
    return count


def tests_run(program):
    result = subprocess.run([program], capture_output=True, text=True)
    plain = re.sub(r'\x1b\[[0-9;]*m', '', result.stdout + result.stderr)
    tested = re.search(r'Synthesis: Tested: (\d+)', plain)
    if not tested:
        sys.exit(f'{program} did not come to its end:\n{plain}')
    return int(tested[1])


def main():
    failed = False
    for program, source in zip(sys.argv[1::2], sys.argv[2::2]):
        expected, actual = tests_in(Path(source)), tests_run(program)
        if expected != actual or expected == 0:
            print(f'{source} has {expected} tests, {program} ran {actual}')
            failed = True
    sys.exit(failed)


main()
