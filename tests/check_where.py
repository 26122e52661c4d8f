#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds the lines in reports of a real misuse with veryfast-where, and compares with the source.

usage: check_where.py WHERE SOURCE PROGRAM...

The programs are tests/checked/sanitized.c, linked in several ways; or under a sanitizer that has
been told to leave symbols alone.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import require, run

SYMBOLISERS = ['addr2line', 'llvm-symbolizer']
# Names that are hard to find in a line.
NAMES = ['job', 'a job (at home)', 'look at (this', 'h\udcff\u00e9']
STRANGE = (b'no end +0x1, +0x, (+0x2 at /+0x3) at /tmp+0x12 \xff\xfe at /no/such/file+0x12\r\n\n'
           b'at main+0x1 at ')


def lines_of(source):
    """Those of the push, the first and the second free."""
    lines = source.read_text().splitlines()
    push = next(i for i, line in enumerate(lines, 1) if 'things[i] = pool_thing_16_push(' in line)
    begin = next(i for i, line in enumerate(lines, 1) if line.startswith('static void free_twice('))
    require(all('pool_thing_16_free(' in lines[begin + i] for i in (1, 2)),
            f'{source}: where are the frees?')
    return push, begin + 2, begin + 3


def report_of(program):
    result = subprocess.run([program, 'free-twice'], stderr=subprocess.PIPE)
    report = b'\n'.join(line for line in result.stderr.split(b'\n') if b': double free of' in line)
    require(report.count(b'+0x') == 3, f'{program} says: {result.stderr}')
    return report + b'\n'


def where(script, report, tools):
    """With these symbolisers to be found, and no others."""
    with tempfile.TemporaryDirectory() as directory:
        for tool in tools:
            os.symlink(shutil.which(tool), Path(directory, tool))
        result = subprocess.run([sys.executable, script], input=report, env={'PATH': directory},
                                stdout=subprocess.PIPE, check=True)
    return result.stdout


def check_lines(source, text):
    push, first, second = (f'at \\S*/{source.name}:{line}' for line in lines_of(source))
    expected = (f'veryfast: pool_thing_16 0x\\w+: double free of 0x\\w+ at free_twice {second}, '
                f'allocated at main {push}, freed at free_twice {first}\n')
    require(re.fullmatch(expected, text.decode(errors='surrogateescape')),
            f'{text}\nis not: {expected}')


def check_unknown(script, report, tools):
    text = where(script, report, tools)
    require(text == report, f'{report}\nbecame: {text}')


def check_names(script, source, program, tools):
    with tempfile.TemporaryDirectory() as directory:
        for name in NAMES:
            copy = Path(directory, name, 'with a space')
            copy.parent.mkdir()
            shutil.copy(program, copy)
            check_lines(source, where(script, report_of(copy), tools))
        report = report_of(copy)
        run(['strip', copy])
        check_unknown(script, report, tools)
        copy.unlink()
        check_unknown(script, report, tools)


def check_files(script, source, report):
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, 'report')
        file.write_bytes(report)
        check_lines(source, run([sys.executable, script, file]).encode())
    for arguments in [['/no/such/file'], ['-h'], ['a', 'b']]:
        result = subprocess.run([sys.executable, script, *arguments], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True)
        require(result.returncode == 1 and 'veryfast-where' in result.stderr and
                'Traceback' not in result.stderr, f'{arguments}: {result}')


def main():
    script, source = sys.argv[1], Path(sys.argv[2])
    there = [tool for tool in SYMBOLISERS if shutil.which(tool)]
    require(there, f'none of {SYMBOLISERS} is installed')
    for program in sys.argv[3:]:
        report = report_of(program)
        for tools in [there, *([tool] for tool in there)]:
            check_lines(source, where(script, report, tools))
        check_unknown(script, report, [])
        check_unknown(script, STRANGE, there)
        check_names(script, source, program, there)
        check_files(script, source, report)


main()
