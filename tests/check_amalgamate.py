#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Amalgamates the library, and uses the files as one who has copied them would.

usage: check_amalgamate.py SOURCE COMPILER...

The core compiles alone with each C compiler, exports nothing without the prefix, and serves the
consumer, in C and C++, and the short examples, checked and not; the templates' own test files
compile with it. A C++ compiler that is given the core is told what to do.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from commands import require, run

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Wundef', '-Werror']
FILES = {'veryfast.h', 'veryfast.c', 'veryfast.hpp', 'pool.h', 'smallbuf.h', 'sized.h'}
LANGUAGES = {'c': ['-x', 'c', '-std=c11'], 'c++': ['-x', 'c++', '-std=c++17']}


def language_of(compiler):
    return 'c++' if '++' in Path(compiler).name else 'c'


def check_core(compiler, directory, core, side):
    run([compiler, '-c', '-std=c11', *WARNINGS, '-O2', *side, directory / 'veryfast' / 'veryfast.c',
         '-o', core])
    names = [line.split()[-1] for line in run(['nm', '-g', '--defined-only', core]).splitlines()]
    # the other one is <sys/sdt.h>'s
    stray = [name for name in names if not name.startswith('vf_') and name != '_.stapsdt.base']
    require(names and not stray, f'exported without prefix: {stray}')


def check_programs(source, compiler, directory, core, side):
    flags = [*LANGUAGES[language_of(compiler)], *WARNINGS, *side, f'-I{directory}']
    programs = {'tests/consumer/main.c': '.'}
    if language_of(compiler) == 'c':
        programs |= {'examples/quickstart.c': 'a spark at (1, 0)',
                     'examples/collect.c': 'damage of 60'}
    for name, output in programs.items():
        program = directory / 'program'
        run([compiler, *flags, source / name, '-x', 'none', core, '-o', program, '-pthread'])
        require(output in run([program]), f'{name} does not say {output}')


def check_core_as_cplusplus(compiler, directory):
    result = subprocess.run([compiler, '-fsyntax-only', '-x', 'c++',
                             directory / 'veryfast' / 'veryfast.c'], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    require(result.returncode != 0 and 'veryfast.c is in C' in result.stdout,
            f'{compiler} is not told that the core is in C:\n{result.stdout}')


def check_templates(source, compiler, directory):
    files = sorted((source / 'tests' / 'template' / 'ok').glob('*.c*'))
    require(files, 'no files to compile')
    flags = [*LANGUAGES[language_of(compiler)], *WARNINGS, f'-I{directory}', '-fsyntax-only']
    for path in files:
        if path.suffix == '.c' or language_of(compiler) == 'c++':
            run([compiler, *flags, path])


def main():
    source, compilers = Path(sys.argv[1]), sys.argv[2:]
    require(compilers, 'no compilers')
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        run([source / 'dev', 'amalgamate', directory / 'veryfast'])
        made = {path.name for path in (directory / 'veryfast').iterdir()}
        require(made == FILES, f'made are {made}, not {FILES}')
        core = directory / 'veryfast.o'
        for side in [], ['-DVF_CHECKED']:
            for compiler in sorted(compilers, key=language_of):
                if language_of(compiler) == 'c':
                    check_core(compiler, directory, core, side)
                check_programs(source, compiler, directory, core, side)
        for compiler in compilers:
            if language_of(compiler) == 'c++':
                check_core_as_cplusplus(compiler, directory)
            check_templates(source, compiler, directory)


main()
