#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles the library for systems that are not here: object code only.

usage: check_targets.py SOURCE

Each by clang's own target; of the system's headers tests/stubs has what the library uses, and no
more, so that nothing of Linux' slips in. For macOS the examples and unit tests too, in C, since its
owners build them (.github/workflows/macos.yml). And what is copied into a program
(./dev amalgamate), for each system. How Android's thread-local variables are reached is looked for
in the code. Skipped where there is no clang of these.
"""
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commands import require, run

SKIP = 77
FLAGS = ['-std=c11', '-Wall', '-Wextra', '-Wshadow', '-Werror', '-nostdlibinc']
MACOS = 'arm64-apple-macos12'
# of windows-msvc both halves of atomic.h: clang knows the one, and MSVC the other
MSVC = [[], ['-DVF_ATOMICS_OF_MSVC']]
TARGETS = {
    'x86_64-pc-windows-msvc': (['msvc', 'c'], MSVC),
    'aarch64-pc-windows-msvc': (['msvc', 'c'], MSVC),
    MACOS: (['bsd', 'posix', 'c'], []),
    'x86_64-unknown-freebsd13': (['bsd', 'posix', 'c'], []),
    'x86_64-unknown-openbsd7.4': (['bsd', 'posix', 'c'], []),
    'aarch64-unknown-netbsd10': (['bsd', 'posix', 'c'], []),
    'aarch64-linux-android24': (['android', 'posix', 'c'], []),
    'aarch64-linux-android29': (['android', 'posix', 'c'], []),
    'wasm32-wasi': (['c'], []),
}
# What meson.build does not build there: of liburcu, of other systems, or in place of libc's functions.
NOT_ON_MACOS = re.compile(r'epoch|treiber|graph|windows|fenced|limited|fibres|flip_wait|test_map|'
                          r'between')
PROGRAM = '''
#define VF_T int
#define VF_N 64
#define VF_CACHE_ALIGNED
#include <veryfast/pool.h>
#define VF_T int
#define VF_N 8
#define VF_FLIP
#include <veryfast/smallbuf.h>
int use(pool_int_64 *pool, smallbuf_int_8 *buffer);
int use(pool_int_64 *pool, smallbuf_int_8 *buffer)
{
    int *object = pool_int_64_push(pool, 1);
    pool_int_64_free(pool, object);
    return smallbuf_int_8_push(buffer, 2);
}
'''


def sources(source, checked):
    for path in sorted((source / 'src').glob('*/*.c')):
        if checked or (path.parent.name != 'checked' and path.stem not in ('module', 'signals')):
            yield path


def programs(source):
    for pattern in ['examples/*.c', 'examples/cookbook/*.c', 'tests/support/allocator.c',
                    'tests/common/*.c', 'tests/pool/*.c', 'tests/smallbuf/*.c']:
        for path in sorted(source.glob(pattern)):
            if not NOT_ON_MACOS.search(path.stem):
                yield path


def compiles(clang, source, target, stubs, arguments):
    return [clang, f'--target={target}', *FLAGS,
            *(f'-I{source}/tests/stubs/{folder}' for folder in stubs),
            f'-I{source}/include', *arguments]


def check_android(clang, source, program):
    """Emulated before level 29, and then (by clang 16 or newer) the system's own: in a plug-in too,
    which cannot be opened if it wants room among those of the program (initial-exec)."""
    emulated = '__emutls_get_address'
    is_new = re.search(r'version (\d+)', run([clang, '--version']))[1] >= '16'
    for level, way in ('24', emulated), ('29', ':tlsdesc:' if is_new else emulated):
        target = f'aarch64-linux-android{level}'
        code = run(compiles(clang, source, target, TARGETS[target][0],
                            ['-O2', '-fPIC', '-S', program, '-o', '-']))
        ways = set(re.findall(r'__emutls_get_address|:tlsdesc:|:gottprel:|:tprel', code))
        require(way in ways and len(ways) == 1, f'{target}: {ways}')


def main():
    source = Path(sys.argv[1]).resolve()
    clang = next(filter(shutil.which, ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang']), None)
    if clang is None:
        print('skipped: no clang')
        sys.exit(SKIP)
    jobs = []
    with tempfile.TemporaryDirectory() as temporary:
        program = Path(temporary) / 'program.c'
        program.write_text(PROGRAM)
        run([source / 'dev', 'amalgamate', f'{temporary}/veryfast'])
        for target, (stubs, variants) in TARGETS.items():
            jobs_of = [(variant, [program, *sources(source, False)]) for variant in variants]
            jobs_of.append((['-DVF_CHECKED'], [program, *sources(source, True)]))
            for variant, paths in jobs_of:
                for path in paths:
                    jobs.append(compiles(clang, source, target, stubs,
                                         [*variant, '-c', path, '-o', '/dev/null']))
                jobs.append(compiles(clang, source, target, stubs,
                                     [*variant, '-fsyntax-only', f'{temporary}/veryfast/veryfast.c']))
        tests = ['-D_DEFAULT_SOURCE', '-DPROJECT_VERSION=""', f'-I{source}/src',
                 *(f'-I{source}/tests/{folder}' for folder in ['', 'support', 'shim'])]
        for path in programs(source):
            more = tests if source / 'tests' in path.parents else []
            jobs.append(compiles(clang, source, MACOS, ['program', *TARGETS[MACOS][0]],
                                 [*more, '-fsyntax-only', path]))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, jobs))
        check_android(clang, source, program)
    require(len(jobs) > 800, f'only {len(jobs)} files')
    print(f'{len(jobs)} files for {len(TARGETS)} targets')


main()
