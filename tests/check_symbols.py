#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the symbols that the shared library exports with the list of those that it should.

usage: check_symbols.py LIBRARY MAP...
"""
import re
import subprocess
import sys
from pathlib import Path


def exported(library):
    lines = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    # 0000000000001234 T name@@VERSION; the version's own name has the type A
    fields = [line.split() for line in lines]
    return {name.partition('@')[0] for *_, kind, name in fields if kind != 'A'}


def main():
    library, symbols = sys.argv[1], ''.join(Path(name).read_text() for name in sys.argv[2:])
    listed = set(re.findall(r'^\s+(vf_\w+);', symbols, re.MULTILINE))
    actual = exported(library)
    if 'vf_interface_1_checked' in listed:
        listed.remove('vf_interface_1')  # the headers' other side must not link
    for name in sorted(actual - listed):
        print(f'{name} is exported, and not listed')
    for name in sorted(listed - actual):
        print(f'{name} is listed, and not exported')
    sys.exit(actual != listed or not listed)


main()
