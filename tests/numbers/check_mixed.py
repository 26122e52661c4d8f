#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program with VF_THREAD_INDEX and a core without it do not link, nor the other way round.

usage: check_mixed.py SOURCE COMPILER
"""
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from commands import require, run  # noqa: E402

MAIN = '''
#define VF_T int
#define VF_N 64
#include <veryfast/pool.h>
%s
int main(void)
{
    pool_int_64 *pool = pool_int_64_new(NULL);
    pool_int_64_free(pool, pool_int_64_push(pool, 1));
    pool_int_64_release(pool);
}
'''


def main():
    source, compiler = Path(sys.argv[1]), sys.argv[2].split()
    numbers = ['-include', source / 'tests/numbers/numbers.h']
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        text = directory / 'main.c'
        text.write_text(MAIN % 'unsigned number_of_thread(void);\n'
                               'unsigned number_of_thread(void) { return 7; }')
        run([source / 'dev', 'amalgamate', directory / 'veryfast'])
        for core in [], numbers:
            for program in [], numbers:
                objects = [directory / 'core.o', directory / 'main.o']
                run([*compiler, '-std=c11', '-O1', *core, '-c', directory / 'veryfast/veryfast.c',
                     '-o', objects[0]])
                run([*compiler, '-std=c11', '-O1', *program, f'-I{directory}', '-c', text,
                     '-o', objects[1]])
                result = subprocess.run([*map(str, compiler), *map(str, objects), '-pthread', '-o',
                                         str(directory / 'program')], capture_output=True, text=True)
                if core == program:
                    require(result.returncode == 0, result.stderr)
                    run([directory / 'program'])
                else:
                    require('vf_interface_1' in result.stderr, f'the linker says: {result.stderr}')


main()
