#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Looks at pools and small buffers with gdb, in C and C++, and compares with what they say.
Draws maps of pools, stops at each probe point, and does the same for pools in lldb.

usage: check_gdb.py SOURCE COMPILER...

The program prints a line for each thing, "name: what gdb shows". Skipped where gdb is missing or
may not trace a program.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

from commands import run

STOP = 'all_is_set_up'
POINTERS = {'fresh', 'used', 'capped', 'uncached', 'released', 'cache'}
LIVE = '#b5482f'  # in pictures
SKIP = 77


def gdb(program, *commands):
    words = ['gdb', '-batch', '-nx', '-ex', 'set print elements 0', '-ex', 'set print repeats 0']
    for command in commands:
        words += ['-ex', command]
    return subprocess.run([*words, str(program)], capture_output=True, text=True).stdout


def build(source, compiler, directory):
    program = directory / 'program'
    cpp = '++' in Path(compiler).name
    core, language = directory / 'veryfast.o', ['-x', 'c++', '-std=c++20'] if cpp else ['-std=c11']
    if not cpp:
        run([compiler, '-c', '-std=c11', '-g', '-O1', directory / 'veryfast' / 'veryfast.c', '-o',
             core])
    # a conversion between C and C++ is not what is tested here
    run([compiler, *language, '-g', '-O1', '-w', f'-I{directory}',
         source / 'tests' / 'gdb' / 'program.c', '-x', 'none', core, '-o', program, '-pthread'])
    return program


def check_probes(source, program):
    """Each probe that probe.h lists is there and reached, where the headers for them are. Its
    arguments have one size wherever it is, or perf does not take it."""
    text = (source / 'src' / 'common' / 'probe.h').read_text()
    names = re.findall(r'^ \*     (\w+)\(\w+, \w+\) ', text, re.M)
    notes = run(['readelf', '-n', program])
    there = set(re.findall(r'Provider: veryfast\s+Name: (\w+)', notes))
    if not there and not any(Path('/usr/include').glob('**/sys/sdt.h')):
        print('skipped: no probes, since there is no sys/sdt.h')
        return
    if there != set(names) or not names:
        yield f'the probes are {there}, not {names}'
    arguments = re.findall(r'Name: (\w+)\n.*\n\s+Arguments: (-?\d)@\S+ (-?\d)@', notes)
    for name in names:
        sizes = {(first, second) for other, first, second in arguments if other == name}
        if len(sizes) != 1:
            yield f'{name} has arguments of the sizes {sizes}'
        shown = gdb(program, f'break -probe-stap veryfast:{name}', 'run', 'print $_probe_argc')
        if not re.search(r'Breakpoint 1(\.\d)?, ', shown) or '$1 = 2' not in shown:
            yield f'{name} is not reached:\n{shown}'


def without_address(text):
    """Of an object: each run has it elsewhere."""
    return re.sub(r' at 0x[0-9a-f]+$', ' at an address', text)


def check(source, program):
    """The differences between what the program says and what gdb shows."""
    said = dict(line.split(': ', 1) for line in run([program]).splitlines())
    if len(said) < 12:
        yield f'the program says only {said}'
    script = source / 'tools' / 'veryfast-gdb.py'
    shown = gdb(program, f'source {script}', f'break {STOP}', 'run',
                *(f'print {name}' for name in said),
                'info veryfast')
    values = [line.split(' = ', 1)[1] for line in shown.splitlines() if line.startswith('$')]
    listed = [line.split(' ', 1)[1] for line in shown.splitlines() if line.startswith('0x')]
    if len(values) != len(said):
        yield f'gdb shows:\n{shown}'
    for (name, expected), value in zip(said.items(), values):
        if name in POINTERS - {'cache'}:
            expected = f'{name}: {expected}'
        if name == 'released':
            expected += '; released'
        if name == 'cache' or name not in POINTERS:
            expected = expected.removesuffix(' = {}')
        elif expected not in listed:
            yield f'info veryfast does not have {expected}, but {listed}'
        if name in POINTERS:
            value = value.split(' ', 1)[1]
        if without_address(value) != without_address(expected):
            yield f'{name}: gdb shows {value}, not {expected}'


def check_map(source, program, directory):
    """The map of a pool counts what gdb says of it; the picture has a piece for each run."""
    picture = directory / 'map.svg'
    for name in 'used', 'capped', 'fresh':
        shown = gdb(program, f'source {source / "tools" / "veryfast-gdb.py"}', f'break {STOP}',
                    'run', f'veryfast-map {name}', f'veryfast-map {name} {picture}')
        title = re.search(rf'^{name}: (\d+) batches of (\d+) .*; (.*) fresh$', shown, re.M)
        if title is None:
            yield f'veryfast-map {name}:\n{shown}'
            continue
        live, cached, depot = (int(number) for number in re.findall(r'(\d+) [lcd]', title[3]))
        cells = ''.join(re.findall(r'^ +(?:0x[0-9a-f]+ )?([#c. ]*)$', shown[title.end():], re.M))
        counts = cells.count('#'), cells.count('c'), cells.count('.')
        if counts != (live, cached, depot):
            yield f'veryfast-map {name} has {counts} of {title[0]}:\n{shown}'
        drawn = xml.etree.ElementTree.parse(picture).getroot()
        path, = (path.get('d') for path in drawn.iter('{http://www.w3.org/2000/svg}path')
                 if path.get('stroke') == LIVE)
        cells = sum(int(width) for width in re.findall(r'h(\d+)', path)) // 6 - 2  # the legend's
        if cells != live:
            yield f'the picture of {name} has {cells} live slots, not {live}'


def check_lldb(source, program):
    """lldb lists the same pools, where there is one that has Python, and draws the same map."""
    places = [*sorted(Path('/usr/lib').glob('llvm-*/lib/python3*/*-packages')),
              '/usr/lib/python3/dist-packages']
    env = {**os.environ, 'PYTHONPATH': ':'.join(map(str, places))}  # Debian's looks elsewhere
    words = ['lldb', '--batch', '--no-lldbinit', '-o', 'script print(1 + 1)']
    if shutil.which('lldb') is None or '\n2' not in subprocess.run(
            words, env=env, capture_output=True, text=True).stdout:
        print('skipped: no lldb that has Python')
        return
    script = source / 'tools' / 'veryfast_lldb.py'
    for command in [f'command script import {script}', f'breakpoint set -n {STOP}', 'run',
                    'veryfast', 'veryfast-map used']:
        words += ['-o', command]
    shown = subprocess.run([*words, program], env=env, capture_output=True, text=True).stdout
    _, _, listed = shown.partition('(lldb) veryfast\n')
    for line in run([program]).splitlines():
        if ' batches of ' in line and not re.search(rf'^0x[0-9a-f]+ {line}(; released)?$', listed,
                                                    re.M):
            yield f'lldb does not list {line}, but {listed}'
    if not re.search(r'^ +0x[0-9a-f]+ #+$', listed, re.M):
        yield f'lldb draws no map: {listed}'


def main():
    source, compilers = Path(sys.argv[1]), sys.argv[2:]
    if shutil.which('gdb') is None or 'exited normally' not in gdb('/bin/true', 'run'):
        print('skipped: no gdb, or one that may not trace')
        sys.exit(SKIP)
    bad = []
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        run([source / 'dev', 'amalgamate', directory / 'veryfast'])
        for compiler in sorted(compilers, key=lambda compiler: '++' in compiler):
            program = build(source, compiler, directory)
            found = [*check(source, program)]
            if compiler == compilers[0]:
                found += check_probes(source, program)
                found += check_map(source, program, directory)
                found += check_lldb(source, program)
            bad += [f'{compiler}: {text}' for text in found]
    print(*bad, sep='\n')
    sys.exit(bool(bad) or not compilers)


main()
