#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles each file of a directory, which must fail with the sentence in its first line.

usage: check_fail.py INCLUDE DIRECTORY COMPILER...

The comments at the head of a file say what is expected of all compilers:

    // expect: a part of what the compiler prints
    // once                 one error, and no second one after it
    // standards: c99 c++11 in place of C11 and C++17

A .c file is compiled as C and as C++, a .cpp file as C++.
"""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Wundef']


def compile_file(command, language, include, source, standards):
    standard = f"-std={dict(zip(['c', 'c++'], standards))[language]}"
    return subprocess.run(
        command + ['-x', language, standard, '-fsyntax-only', f'-I{include}', *WARNINGS, source],
        capture_output=True, text=True, env={**os.environ, 'LC_ALL': 'C'})


def check(compiler, language, include, source, comments):
    """What is wrong with how the file fails; an empty text if nothing is."""
    standards = [each.split()[1:] for each in comments if each.startswith('standards: ')]
    result = compile_file([compiler], language, include, source, *standards or [['c11', 'c++17']])
    expected = comments[0].removeprefix('expect: ')
    errors = re.findall(r'^.*\berror: .*$', result.stderr, re.MULTILINE)
    if result.returncode == 0:
        wrong = 'it compiles'
    elif expected not in result.stderr:
        wrong = f'it does not say: {expected}'
    elif 'once' in comments and len(errors) != 1:
        wrong = f'it has {len(errors)} errors for one mistake'
    else:
        return ''
    first = '\n'.join(result.stderr.splitlines()[:20])
    return f'{source.name} with {compiler} as {language}: {wrong}\n{first}\n'


def main():
    include, directory, compilers = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    jobs = []
    for source in sorted(directory.iterdir()):
        comments = re.findall(r'^// (.*)$', source.read_text(), re.MULTILINE)
        if not comments or not comments[0].startswith('expect: '):
            sys.exit(f'{source} does not say what to expect')
        for language in ['c++'] if source.suffix == '.cpp' else ['c', 'c++']:
            for compiler in compilers:
                if compiler.rpartition('/')[2].count('+') == language.count('+'):
                    jobs.append((compiler, language, include, source, comments))
    if not jobs:
        sys.exit('nothing to compile')
    with ThreadPoolExecutor(2) as pool:
        failures = [text for text in pool.map(lambda job: check(*job), jobs) if text]
    print(f'{len(jobs)} compiles, {len(failures)} not as expected', *failures, sep='\n')
    sys.exit(bool(failures))


main()
