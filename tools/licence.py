#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each source file names its licence in its first line, or in the one behind `#!`.

usage: licence.py SOURCE [--check]

Adds the line where it is missing; with --check it only says where.
"""
import sys
from pathlib import Path

LINE = 'SPDX-License-Identifier: MIT'
C = {'.c', '.h', '.hpp', '.cpp', '.map'}
SCRIPTS = {'.py', '.sh', '.build', '.cmake', '.in'}
NAMES = {'CMakeLists.txt', 'meson_options.txt'}


def line_of(path, text):
    """The line that the file must have, or None: it is no source."""
    if path.suffix in C:
        return f'/* {LINE} */\n'
    if path.suffix in SCRIPTS or path.name in NAMES or text.startswith('#!'):
        return f'# {LINE}\n'
    return None


def with_line(text, line):
    first, rest = '', text
    if text.startswith('#!'):
        first, _, rest = text.partition('\n')
        first += '\n'
    return text if rest.startswith(line) else first + line + rest


def sources(root):
    """All files but what is built, and what is the version control's."""
    for top in sorted(root.iterdir()):
        if top.name.startswith('build') or top.name == '.git':
            continue
        yield from [top] if top.is_file() else sorted(top.rglob('*'))


def main():
    root, check = Path(sys.argv[1]), sys.argv[2:] == ['--check']
    seen, missing = 0, 0
    for path in sources(root):
        if not path.is_file() or path.is_symlink() or '__pycache__' in path.parts:
            continue
        text = path.read_bytes().decode(errors='surrogateescape')
        line = line_of(path, text)
        if line is None:
            continue
        seen += 1
        if with_line(text, line) != text:
            missing += 1
            print(f'{path}: ' + ('has no line of its licence' if check else 'has its line now'))
            if not check:
                path.write_bytes(with_line(text, line).encode(errors='surrogateescape'))
    sys.exit(seen == 0 or (check and missing > 0))


main()
