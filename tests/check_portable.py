#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is a compiler's own is spelt in a few files, and the system is asked in src/platform only.

usage: check_portable.py SOURCE

Attributes, pragmas and builtin functions: so that MSVC has a word for each. Headers and functions of
POSIX, Linux and Windows: so that another system is one folder.
"""
import re
import sys
from pathlib import Path

COMPILER = re.compile(r'__attribute__|__builtin_|__atomic_|__sync_|__declspec|__thread\b|'
                      r'# *pragma\b|_Pragma|__pragma|_Interlocked\w+|__GNUC__|_MSC_VER')
COMPILER_FILES = {
    'include/veryfast/detail/config.h', 'include/veryfast/detail/atomic_gnu.h',
    'include/veryfast/detail/atomic_msvc.h', 'src/platform/compiler.h',
    'include/veryfast/detail/name.h',  # a system header to gcc: only the file itself can say so
    'src/common/probe.h',              # what <sys/sdt.h> expands to
}
SYSTEM = re.compile(r'# *include <(?!veryfast/|urcu/|valgrind/|sys/sdt\.h|assert|ctype|errno|inttypes|'
                    r'limits|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|intrin\.h|'
                    r'[a-z_]+>)|\bpthread_\w+\(|\b_WIN32\b|\b__linux__\b')
SYSTEM_FILES = {'include/veryfast/detail/config.h'}
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)


def main():
    source = Path(sys.argv[1]).resolve()
    paths = sorted([*(source / 'src').glob('*/*.[ch]'), *(source / 'include').rglob('*.h*')])
    faults = []
    for path in paths:
        name = str(path.relative_to(source))
        text = COMMENT.sub(lambda found: '\n' * found[0].count('\n'), path.read_text())
        for number, line in enumerate(text.splitlines(), 1):
            if name not in COMPILER_FILES and COMPILER.search(line):
                faults.append(f'{name}:{number}: a compiler\'s own word: {line.strip()}')
            if (name not in SYSTEM_FILES and not name.startswith('src/platform/')
                    and SYSTEM.search(line)):
                faults.append(f'{name}:{number}: a system\'s own: {line.strip()}')
    print('\n'.join(faults) or f'{len(paths)} files')
    sys.exit(bool(faults) or len(paths) < 50)


main()
