#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles the sources with musl-gcc as it is, without the kernel's headers, and opens a plug-in.

usage: check_musl.py SOURCE

The plug-in has the library inside, or beside it: musl's loader has no room for what would be
initial-exec there. Skipped where there is no musl-gcc.
"""
import os
import shutil
import sys
import tempfile
from pathlib import Path

from commands import require, run

SKIP = 77
FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-pthread']


def compile_core(source, directory, flags):
    directory.mkdir()
    for path in sorted((source / 'src').glob('*/*.c')):
        if path.parent.name == 'checked' and '-DVF_CHECKED' not in flags:
            continue
        run(['musl-gcc', *FLAGS, *flags, '-fvisibility=hidden', f'-I{source}/include', '-c', path,
             '-o', directory / f'{path.parent.name}_{path.stem}.o'])
    return sorted(directory.glob('*.o'))


def main():
    source = Path(sys.argv[1])
    if shutil.which('musl-gcc') is None:
        print('skipped: no musl-gcc')
        sys.exit(SKIP)
    consumer = source / 'tests' / 'consumer'
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)

        def link(name, text, *rest):
            path = directory / name
            run(['musl-gcc', *FLAGS, f'-I{source}/include', consumer / text, '-o', path, *rest])
            return path

        inside = compile_core(source, directory / 'inside', ['-fPIC', '-DVF_STATIC'])
        library = directory / 'libveryfast.so'
        run(['musl-gcc', '-shared', '-o', library,
             *compile_core(source, directory / 'beside', ['-fPIC'])])
        beside = [f'-L{directory}', '-lveryfast']
        host = link('host', 'host.c', '-rdynamic', *inside)
        env = {**os.environ, 'LD_LIBRARY_PATH': str(directory)}
        for name, rest in {'inside.so': inside, 'beside.so': beside}.items():
            plugin = link(name, 'plugin.c', '-shared', '-fPIC', *rest)
            said = run([host, plugin, 'own'], env=env)
            require(said == 'fine\n', f'{name}: {said}')
        compile_core(source, directory / 'checked', ['-DVF_CHECKED'])
        for name in 'consumer', 'static':
            run([link(name, 'main.c', *inside, *['-static'] * (name == 'static'))])


main()
