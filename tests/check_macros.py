#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the preprocessor's macros before and after the headers.

usage: check_macros.py INCLUDE COMPILER...

Nothing without a VF_ or vf_ prefix may be defined or undefined, and an instance may leave nothing
behind at all beyond what the headers define that have no parameters.
"""
import subprocess
import sys
from pathlib import Path

SYSTEM = '#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n'
CPP_SYSTEM = ''.join(f'#include <{name}>\n'
                     for name in ('cstddef', 'exception', 'new', 'type_traits'))
PLAIN = ['veryfast.h', 'detail/atomic.h', 'detail/config.h', 'detail/cplusplus.h', 'detail/name.h',
         'detail/names.h', 'detail/pool_core.h', 'detail/pool_free.h']
FIRST = '#define VF_T int\n#define VF_N 8\n#include <veryfast/pool.h>\n'
INSTANCES = '''
struct foo { int a; };
#define VF_T struct foo
#define VF_N 16
#define VF_DROP(p) ((void)(p))
#define VF_ALIGN 64
#define VF_CACHE_ALIGNED
#define VF_ON_ALLOC(p) ((void)(p))
#define VF_ON_FREE(p) ((void)(p))
#include <veryfast/pool.h>
#define VF_T char *
#define VF_N 16
#define VF_NAME names
#define VF_DECLARE
#define VF_KEEP
#include <veryfast/pool.h>
#define VF_NAME names
#define VF_DEFINE
#include <veryfast/pool.h>
'''
KEPT = '''
#define VF_T int
#define VF_N 16
#define VF_DROP(p) ((void)(p))
#define VF_KEEP
#include <veryfast/pool.h>
'''


def macros(compiler, include, text):
    language = 'c++' if '++' in Path(compiler).name else 'c'
    system = SYSTEM + (CPP_SYSTEM if language == 'c++' else '')
    result = subprocess.run([compiler, '-x', language, '-E', '-dM', f'-I{include}', '-'],
                            input=system + text, capture_output=True, text=True, check=True)
    return dict(line[len('#define '):].partition(' ')[::2] for line in result.stdout.splitlines())


def ours(name):
    return name.startswith(('VF_', 'vf_'))


def check(compiler, include):
    before = macros(compiler, include, '')
    plain = macros(compiler, include, ''.join(f'#include <veryfast/{name}>\n' for name in PLAIN))
    first = macros(compiler, include, FIRST)
    yield 'defined without our prefix', [n for n in first if n not in before and not ours(n)]
    yield 'undefined or changed', [n for n in before if before[n] != first.get(n)]
    more = macros(compiler, include, FIRST + INSTANCES)
    for after in first, more:
        yield 'left behind by an instance', [n for n in after if plain.get(n) != after[n]]
        yield 'taken away by an instance', [n for n in plain if n not in after]
    kept = set(macros(compiler, include, FIRST + KEPT)) - set(first)
    yield 'not as VF_KEEP keeps it', kept ^ {'VF_T', 'VF_N', 'VF_DROP(p)'}
    if not any(map(ours, first)):
        yield 'no macro seen at all', ['VF_VERSION']


def main():
    failed = False
    for compiler in sys.argv[2:]:
        for what, names in check(compiler, sys.argv[1]):
            if names:
                failed = True
                print(f'{compiler}: {what}: {" ".join(sorted(names))}')
    sys.exit(failed)


main()
