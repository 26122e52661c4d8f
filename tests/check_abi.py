#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the shared library's interface with the one that is kept, by libabigail.

usage: check_abi.py SOURCE [--write]

tests/libveryfast.abi is the interface of this number, on x86-64 with gcc: the types of the headers
and the exported functions. Functions may be added. Any other change is one that programs which were
compiled before must bear (fields are appended where the size goes with the call), and then the file
is written anew, or one for which the number must change. Before a number is released there are no
such programs: a difference is only shown. Skipped where libabigail, gcc or liburcu is missing.
"""
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import run

SKIP = 77
PARTS = ['--no-corpus-path', '--no-comp-dir-path', '--no-show-locs', '--no-parameter-names',
         '--no-write-default-sizes', '--drop-private-types', '--exported-interfaces-only']


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIP)


def build(source, directory):
    result = subprocess.run(
        ['meson', 'setup', directory, source, '--buildtype=debugoptimized',
         '-Ddefault_library=shared', '-Dchecked=disabled', '-Depoch=enabled'],
        capture_output=True, text=True, env={**os.environ, 'CC': 'gcc'})
    if result.returncode != 0:
        skip(f'it cannot be built here:\n{result.stdout}')
    run(['ninja', '-C', directory])
    return directory / 'src' / 'libveryfast.so'


def main():
    source = Path(sys.argv[1]).resolve()
    kept = source / 'tests' / 'libveryfast.abi'
    for tool in 'abidw', 'abidiff', 'gcc', 'meson':
        if shutil.which(tool) is None:
            skip(f'no {tool}')
    if platform.machine() != 'x86_64':
        skip('the interface that is kept is that of x86-64')
    with tempfile.TemporaryDirectory() as temporary:
        library = build(source, Path(temporary) / 'build')
        now = kept if sys.argv[2:] == ['--write'] else Path(temporary) / 'now.abi'
        run(['abidw', *PARTS, '--headers-dir', source / 'include', '--out-file', now, library])
        text = re.sub(r" path='[^']*?(src/[^']*)'", r" path='\1'", now.read_text())
        now.write_text(text)  # not where it was built
        result = subprocess.run(['abidiff', '--no-added-syms', kept, now],
                                capture_output=True, text=True)
    print(result.stdout, result.stderr)
    changelog = (source / 'CHANGELOG.md').read_text()
    broken = result.returncode & 3  # an error of the tool, or of its usage
    if result.returncode and not broken and not re.search(r'^## \[\d', changelog, re.M):
        skip('nothing is released yet; ./dev abi keeps the interface as it is now')
    sys.exit(result.returncode != 0)


main()
