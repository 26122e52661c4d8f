#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the machine code of pool.hpp and smallbuf.hpp with that of the macros' templates.

usage: check_same_code.py INCLUDE COMPILER...

A call must have the instructions of the instance's call, whatever the order of its blocks.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = '''
#include <veryfast/veryfast.hpp>
struct order { long number; double price; ~order() { last = number; } static long last; };
#define VF_T       order
#define VF_N       64
#define VF_NAME    orders
#define VF_DROP(p) (p)->~order()
#define VF_KEEP
#include <veryfast/pool.h>
#define VF_NAME inbox
#include <veryfast/smallbuf.h>
typedef veryfast::pool<order, 64> pool;
typedef veryfast::small_buffer<order, 64> buffer;
#ifdef TEMPLATE
void *emplace(void *of, order &&value) { return static_cast<pool *>(of)->emplace(std::move(value)); }
void destroy(void *of, order *object) { static_cast<pool *>(of)->destroy(object); }
bool push(void *to, order &&value) { return static_cast<buffer *>(to)->push(std::move(value)); }
#else
struct holds { orders *pool; }; // as pool<T, N> does
void *emplace(void *of, order &&value)
{
    return orders_push(static_cast<holds *>(of)->pool, std::move(value));
}
void destroy(void *of, order *object) { orders_free(static_cast<holds *>(of)->pool, object); }
bool push(void *to, order &&value) { return inbox_push(static_cast<inbox *>(to), std::move(value)); }
#endif
'''


def code(compiler, include, directory, *flags):
    source, result = directory / 'calls.cpp', directory / 'calls.o'
    source.write_text(SOURCE)
    subprocess.run([compiler, '-std=c++17', '-O2', '-fno-exceptions', f'-I{include}', '-c', source,
                    '-o', result, *flags], check=True)
    text = subprocess.run(['objdump', '-d', '--no-show-raw-insn', result], check=True,
                          capture_output=True, text=True).stdout
    functions = re.split(r'^\w+ <(.*)>:\n', text, flags=re.MULTILINE)[1:]
    found = dict(zip(functions[::2], functions[1::2]))
    # addresses aside, and the names behind them; a condition may be asked either way round
    found = {name: re.sub(r'\tj(?!mp)\w+', '\tj', text) for name, text in found.items()}
    return {name: re.findall(r'^ +\w+:\t(\S+)', found[name], re.MULTILINE)
            for name in ('_Z7emplacePvO5order', '_Z7destroyPvP5order', '_Z4pushPvO5order')}


def main():
    include, compilers = sys.argv[1], sys.argv[2:]
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        for compiler in compilers:
            if '++' not in Path(compiler).name:
                continue
            ours = code(compiler, include, Path(temporary), '-DTEMPLATE')
            macros = code(compiler, include, Path(temporary))
            for name in ours:
                print(f'{compiler} {name}: {len(ours[name])} and {len(macros[name])} instructions')
                if sorted(ours[name]) != sorted(macros[name]):
                    failed = True
                    print(f'not the same: {ours[name]}\n{macros[name]}')
    sys.exit(failed)


main()
