#!/usr/bin/env python3
"""The ```c blocks of the README must be the short examples, to the letter.

usage: check_readme.py SOURCE
"""
import difflib
import re
import sys
from pathlib import Path

EXAMPLES = ['quickstart.c', 'collect.c']


def main():
    source = Path(sys.argv[1])
    readme = (source / 'README.md').read_text()
    blocks = re.findall(r'^```c\n(.*?)^```$', readme, re.MULTILINE | re.DOTALL)
    if len(blocks) != len(EXAMPLES):
        sys.exit(f'README.md has {len(blocks)} ```c blocks, not {len(EXAMPLES)}')
    bad = False
    for block, name in zip(blocks, EXAMPLES):
        example = (source / 'examples' / name).read_text()
        for line in difflib.unified_diff(block.splitlines(), example.splitlines(), 'README.md',
                                         f'examples/{name}', lineterm=''):
            print(line)
            bad = True
    sys.exit(bad)


main()
