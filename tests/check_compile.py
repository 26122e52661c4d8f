#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles each file of a directory, and each header alone, with all warnings as errors.

usage: check_compile.py INCLUDE DIRECTORY COMPILER...

C files are compiled as C11, C17 and C23 and as C++17 and C++20, .cpp files as the latter two and
C++23, and without exceptions and RTTI. The headers for C++ are also compiled without
<memory_resource>, which libc++ has from version 16 on.
"""
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARNINGS = ['-Werror', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Wundef',
            '-Wunused', '-Wredundant-decls']
STANDARDS = {'c': ['c11', 'c17', 'c2x'], 'c++': ['c++17', 'c++20']}


def compile_file(compiler, language, flags, include, source):
    warnings = WARNINGS + (['-Wmissing-prototypes'] if language == 'c' else ['-Wold-style-cast'])
    result = subprocess.run(
        [compiler, '-x', language, *flags, *warnings, f'-I{include}', source],
        capture_output=True, text=True)
    if result.returncode == 0:
        return ''
    first = '\n'.join(result.stderr.splitlines()[:20])
    return f'{source} with {compiler} {" ".join(flags)}:\n{first}\n'


def header_sources(include, directory):
    """A file for each header that can be included alone: it must bring what it needs, twice."""
    for header in sorted(Path(include, 'veryfast').rglob('*.h*')):
        if '#ifndef vf_kind' in header.read_text():
            continue  # a part of a template
        if header.name == 'atomic_msvc.h':
            continue  # needs MSVC's <intrin.h>: tests/check_windows.py
        name = header.relative_to(include)
        suffix = '.cpp' if header.suffix == '.hpp' else '.c'
        parameters = '#define VF_T int\n#define VF_N {}\n' if header.parent.name == 'veryfast' \
            and header.name in ('pool.h', 'smallbuf.h') else ''
        source = directory / (str(name).replace('/', '_') + suffix)
        twice = ''.join(parameters.format(n) + f'#include <{name}>\n' for n in (1, 2))
        source.write_text(twice + 'typedef int not_empty;\n')
        yield source


def without(header, compiler, directory):
    """The compiler's flags by which its C++ library has no such header."""
    said = subprocess.run([compiler, '-E', '-v', '-x', 'c++', '/dev/null'], capture_output=True,
                          text=True, check=True).stderr
    flags = ['-nostdinc++']
    for place in re.search(r'search starts here:\n((?: .*\n)+)End', said)[1].split('\n'):
        place = Path(place.strip())
        if (place / header).exists():
            copy = directory / Path(compiler).name
            copy.mkdir()
            for entry in place.iterdir():
                if entry.name != header:
                    (copy / entry.name).symlink_to(entry)
            place = copy
        elif 'c++' not in place.parts:
            continue
        flags += ['-isystem', str(place)]
    return flags


def jobs_without_resources(include, sources, compilers, directory):
    for compiler in compilers:
        if '++' in Path(compiler).name:
            flags = without('memory_resource', compiler, directory)
            for source in sources:
                if source.suffix == '.cpp':
                    yield compiler, 'c++', ['-std=c++17', *flags, '-fsyntax-only'], include, source


def jobs(include, sources, compilers):
    for source in sources:
        for compiler in compilers:
            language = 'c++' if '++' in Path(compiler).name else 'c'
            if source.suffix == '.cpp' and language == 'c':
                continue
            for standard in STANDARDS[language][1:]:
                flags = [f'-std={standard}', '-fsyntax-only']
                yield compiler, language, flags, include, source
            if source.suffix == '.cpp':
                flags = ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fsyntax-only']
                yield compiler, language, flags, include, source
                flags = ['-std=c++2b', '-fsyntax-only']
                yield compiler, language, flags, include, source
            # the first standard; and some warnings come only with optimisation
            flags = [f'-std={STANDARDS[language][0]}', '-O2', '-S', '-o', '/dev/null']
            yield compiler, language, flags, include, source
            yield compiler, language, [*flags, '-DVF_CHECKED'], include, source


def main():
    include, directory, compilers = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    with tempfile.TemporaryDirectory() as temporary:
        headers = list(header_sources(include, Path(temporary)))
        sources = [*sorted(directory.glob('*.c')), *sorted(directory.glob('*.cpp')), *headers]
        all_jobs = [*jobs(include, sources, compilers),
                    *jobs_without_resources(include, headers, compilers, Path(temporary))]
        with ThreadPoolExecutor(2) as pool:
            failures = [text for text in pool.map(lambda job: compile_file(*job), all_jobs) if text]
    print(f'{len(all_jobs)} compiles, {len(failures)} failures', *failures, sep='\n')
    sys.exit(bool(failures) or not all_jobs)


main()
