#!/usr/bin/env python3
"""The first ```c block of the README must be examples/quickstart.c.

usage: check_readme.py SOURCE
"""
import difflib
import re
import sys
from pathlib import Path


def main():
    source = Path(sys.argv[1])
    readme = (source / 'README.md').read_text()
    block = re.search(r'^```c\n(.*?)^```$', readme, re.MULTILINE | re.DOTALL)
    if not block:
        sys.exit('README.md has no ```c block')
    example = (source / 'examples' / 'quickstart.c').read_text()
    difference = list(difflib.unified_diff(block[1].splitlines(), example.splitlines(),
                                           'README.md', 'examples/quickstart.c', lineterm=''))
    print(*difference, sep='\n')
    sys.exit(bool(difference))


main()
