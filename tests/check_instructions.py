#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of a pool's fast paths, for the machines whose compilers are here.

usage: check_instructions.py INCLUDE [--show]

Compiles instructions/paths.c, and walks through what comes out from each function's entry to its
return, with no conditional branch taken: that is the fast path. It may be no longer than written
down below, return included, and must not call, lock, or wait for an order of memory (but P_get,
which acquires what it finds). --show only prints the counts. Other compilers and other versions are not looked at: theirs may be one more.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PATHS = ('alloc', 'free', 'cache_alloc', 'cache_free', 'get', 'free_found', 'free_any')

# compiler, with its options: its disassembler, and the most instructions of each path
COMPILERS = {
    'gcc-12': ('objdump', (13, 14, 8, 9, 18, 27, 23)),
    'clang-14': ('objdump', (11, 13, 7, 9, 18, 25, 24)),
    'clang-19': ('objdump', (11, 13, 7, 9, 19, 26, 24)),
    'aarch64-linux-gnu-gcc-12': ('aarch64-linux-gnu-objdump', (15, 17, 8, 8, 20, 31, 25)),
    'riscv64-linux-gnu-gcc-12': ('riscv64-linux-gnu-objdump', (15, 16, 8, 8, 22, 31, 32)),
    'arm-linux-gnueabihf-gcc-12': ('arm-linux-gnueabihf-objdump', (17, 18, 8, 10, 23, 33, 28)),
    's390x-linux-gnu-gcc-12': ('s390x-linux-gnu-objdump', (16, 20, 8, 9, 17, 30, 28)),
    'clang-19 --target=x86_64-w64-windows-gnu': ('x86_64-w64-mingw32-objdump',
                                                 (13, 15, 7, 9, 19, 29, 25)),
}

RETURN = re.compile(r'ret|bx lr|pop\s.*pc|br %r14')
JUMP = re.compile(r'(?:jmp|b|j)(?:\.[nw])?$')
CALL = re.compile(r'call|blx?$|blr$|jal|bra?sl?$')
# what acquires, where the processor's order of memory is weak
ACQUIRES = re.compile(r'ldar$|lda$|dmb|fence$')
# of x86: locked; of ARM: what orders, and exclusive or atomic; of RISC-V and of s390x: the same
WAITS = re.compile(r'lock|xchg|[lms]fence|ld(?:a|x|apr|add|clr|set)[rbhx]*$|st(?:l|x|lx)[rbhp]*$|'
                   r'ldrex|strex|swp|cas|d[ms]b|isb|fence|amo|lr\.|sc\.|csy?g?$|la[anox]g?$|bcr')

LINE = re.compile(r'^\s*([0-9a-f]+):\s+(\S+)\s*(.*)')


def disassembled(text):
    """{function: [(address, instruction, operands), ...]}"""
    functions, lines = {}, []
    for line in text.splitlines():
        begins = re.match(r'^[0-9a-f]+ <(\w+)>:', line)
        found = LINE.match(line)
        if begins:
            lines = functions[begins.group(1)] = []
        elif found:
            lines.append((int(found.group(1), 16), found.group(2), found.group(3)))
    return functions


def fast_path(lines):
    """The instructions from the entry to the return, no conditional branch taken."""
    at = {address: i for i, (address, _, _) in enumerate(lines)}
    i, path = 0, []
    while len(path) <= len(lines):
        _, name, operands = lines[i]
        path.append((name, operands))
        if RETURN.match(f'{name} {operands}'):
            return path
        target = re.match(r'([0-9a-f]+)', operands) if JUMP.match(name) else None
        i = at[int(target.group(1), 16)] if target else i + 1
    raise ValueError('a loop')


def paths_of(compiler, disassembler, include):
    source = Path(__file__).with_name('instructions') / 'paths.c'
    with tempfile.TemporaryDirectory() as directory:
        built = f'{directory}/paths.o'
        subprocess.run([*compiler.split(), '-O2', '-fPIE', '-I', include, '-c', source, '-o', built],
                       check=True)
        text = subprocess.run([disassembler, '-d', '--no-show-raw-insn', built], check=True,
                              capture_output=True, text=True).stdout
    functions = disassembled(text)
    return [fast_path(functions[f'path_{path}']) for path in PATHS]


def wrong_with(path, most, acquires):
    if len(path) > most:
        yield f'{len(path)} instructions, at most {most} are right'
    for name, operands in path:
        if CALL.match(name) or WAITS.match(name) and not (acquires and ACQUIRES.match(name)):
            yield f'{name} {operands}'


def main():
    include, show = sys.argv[1], '--show' in sys.argv
    here = {compiler: known for compiler, known in COMPILERS.items()
            if shutil.which(compiler.split()[0]) and shutil.which(known[0])}
    failed = False
    for compiler, (disassembler, most) in here.items():
        paths = paths_of(compiler, disassembler, include)
        counts = ', '.join(f'{name} {len(path)}' for name, path in zip(PATHS, paths))
        print(f'{compiler}: {counts}')
        for name, path, limit in zip(PATHS, paths, most):
            for what in [] if show else wrong_with(path, limit, name == 'get'):
                failed = True
                print(f'{compiler}: {name}: {what}')
    sys.exit(1 if failed else 0 if here else 77)


main()
