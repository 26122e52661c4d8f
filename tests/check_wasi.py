#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the library for WASI, where each program has one thread, and runs programs with it.

usage: check_wasi.py SOURCE MESON

The examples that need no more than the C library, unit tests that start no thread, by the stand-in
for Criterion, and a misuse that the checked library must see; in node, where it is there. And once
more by CMake, where that is there: installed, and found by another project. Skipped where clang has
nothing to link with.
"""
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commands import require, run

SKIP = 77
COMPILER = ['clang-19', '--target=wasm32-wasi', '-std=c11', '-O1', '-Wall', '-Wextra', '-Werror']
OPTIONS = ['-Dtests=disabled', '-Dexamples=disabled', '-Doptimization=1',
           '-Db_ndebug=false', '--default-library=static', '--werror']
EXAMPLES = {'quickstart': 'a spark at (1, 0)', 'calls': 'about 5 orders',
            'cookbook/hash_map': '50000 entries', 'cookbook/undo': '99 more are kept'}
TESTS = ['pool/test_options', 'pool/test_pool', 'pool/test_sized', 'smallbuf/test_failing_smallbuf',
         'smallbuf/test_smallbuf', 'smallbuf/test_smallbuf_flip', 'smallbuf/test_smallbuf_limits',
         'smallbuf/test_smallbuf_memory', 'smallbuf/test_smallbuf_refusal']
# In its fast calls node collects garbage, though nothing may move then (nodejs/node issue 53087).
NODE = ['node', '--no-warnings', '--no-turbo-fast-api-calls',
        '--experimental-wasi-unstable-preview1']
RUN = '''
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
const wasi = new WASI({ version: 'preview1', args: ['program'], returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const program = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
process.exitCode = wasi.start(program);
'''
MISUSE = '''
#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>

int main(void)
{
    pool_int_64 *pool = pool_int_64_new(NULL);
    int *object = pool_int_64_push(pool, 1);
    pool_int_64_free(pool, object);
    pool_int_64_free(pool, object);
}
'''

TOOLCHAIN = '''
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR llvm-ar-14)
'''
PROJECT = '''
cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(veryfast REQUIRED)
add_executable(quickstart {source}/examples/quickstart.c)
target_link_libraries(quickstart veryfast::veryfast)
'''


def skip_without_tools(directory):
    path = directory / 'nothing.c'
    path.write_text('#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
    if shutil.which('clang-19') is None or shutil.which('llvm-ar-14') is None or subprocess.run(
            [*COMPILER, path, '-o', directory / 'nothing'], capture_output=True).returncode != 0:
        print('skipped: no clang-19 that links for WASI, or no llvm-ar-14')
        sys.exit(SKIP)


def quickstart_by_cmake(source, directory):
    """The program, with a library that was installed first."""
    directory.mkdir()
    prefix, toolchain = directory / 'prefix', directory / 'wasi.cmake'
    toolchain.write_text(TOOLCHAIN)
    (directory / 'CMakeLists.txt').write_text(PROJECT.format(source=source))
    for project, build in (source, directory / 'library'), (directory, directory / 'user'):
        run(['cmake', '-S', project, '-B', build, f'-DCMAKE_TOOLCHAIN_FILE={toolchain}',
             '-DVERYFAST_CHECKED=OFF', f'-DCMAKE_INSTALL_PREFIX={prefix}',
             f'-Dveryfast_DIR={prefix}/lib/cmake/veryfast'])
        run(['cmake', '--build', build])
        if project == source:
            run(['cmake', '--install', build])
    return directory / 'user' / 'quickstart'


def main():
    source, meson = Path(sys.argv[1]).resolve(), sys.argv[2]
    has_node = shutil.which('node') is not None
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        directory = Path(temporary)
        skip_without_tools(directory)
        runner = directory / 'run.mjs'
        runner.write_text(RUN)
        build = directory / 'build'
        cross = f'--cross-file={source}/tests/cross/wasi.ini'
        run([meson, 'setup', cross, *OPTIONS, build, source])
        run(['ninja', '-C', build])

        def link(path, library, flags):
            program = directory / path.stem
            run([*COMPILER, f'-I{source}/include', *flags, path, build / 'src' / library,
                 '-o', program])
            return [*NODE, runner, program]

        def check(name, said, *flags):
            command = link(source / f'{name}.c', 'libveryfast.a', flags)
            if has_node:
                output = run(command)
                require(said in output, f'{name}: {output}')

        tests = ['-D_DEFAULT_SOURCE', f'-I{source}/src',
                 *(f'-I{source}/tests/{folder}' for folder in ['', 'support', 'shim']),
                 source / 'tests/support/allocator.c']
        jobs = [(f'examples/{name}', said) for name, said in EXAMPLES.items()]
        jobs += [(f'tests/{name}', 'Failing: 0', *tests) for name in TESTS]
        list(pool.map(lambda job: check(*job), jobs))
        if shutil.which('cmake') is not None:
            program = quickstart_by_cmake(source, directory / 'cmake')
            if has_node:
                output = run([*NODE, runner, program])
                require(EXAMPLES['quickstart'] in output, f'by CMake: {output}')
        misuse = directory / 'misuse.c'
        misuse.write_text(MISUSE)
        command = link(misuse, 'libveryfast-checked.a', ['-DVF_CHECKED'])
        if has_node:
            result = subprocess.run(command, capture_output=True, text=True)
            require(result.returncode != 0 and 'double free' in result.stderr, result.stderr)
    print(f'{len(jobs) + 1} programs{"" if has_node else ", not run: there is no node"}')


main()
