#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requires that the programs which say that they make every call do, and that the table of all
functions has each.

usage: check_entry_points.py SOURCE

P_shared apart, whose pools never end (test_shared.c has it), the calls are those that pool.h,
smallbuf.h and sized.h declare.
"""
import re
import sys
from pathlib import Path

# What a template declares; and what sized.h defines.
PROTOTYPE = r'^\w.*\bvf_self_(\w+)\(.*\);$'
SIZED = r'^VF_STATIC_CALL [^\n(]*\bvf_sized_(\w+)\('
# header: how many it declares at least; programs, and how a call looks in them
HEADERS = {
    'pool.h': (20, {
        'docs/functions.md': r'`P_{}`',
        'tests/random/pool_type.h': r'\bCALL\(_{}\)\(',
        'tests/pool/test_failing_pool.c': r'\blongs_{}\(',
        'tests/common/test_errno.c': r'\blongs_{}\(',
        'tests/common/test_cancel.c tests/pool/test_epoch_cancel.c tests/pool/epoch_pool.h':
            r'\b(?:pool_int_50|numbers)_{}\('}),
    'sized.h': (22, {
        'tests/random/pool_sized.h tests/pool/test_epoch.c': r'\bvf_sized_{}\('}),
    'smallbuf.h': (26, {
        'docs/functions.md': r'`S_{}`',
        'tests/random/buffer_type.h': r'\bCALL\(_{}\)\(',
        'tests/smallbuf/test_failing_smallbuf_type.h': r'\bCALL\(_{}\)\(',
        'tests/common/test_errno.c': r'\b(?:type##|plain|flips|waits)_{}\(',
        'tests/common/test_cancel.c': r'\b(?:smallbuf_int_4|flips|waits)_{}\('}),
}


def main():
    source = Path(sys.argv[1])
    failed = False
    for header, (least, programs) in HEADERS.items():
        text = (source / 'include' / 'veryfast' / header).read_text()
        names = set(re.findall(SIZED if header == 'sized.h' else PROTOTYPE, text, re.MULTILINE))
        if len(names) < least:
            sys.exit(f'{header} declares only {sorted(names)}')
        for files, call in programs.items():
            program = '\n'.join((source / name).read_text() for name in files.split())
            for name in sorted(names - ({'shared'} if files.startswith('tests/') else set())):
                if not re.search(call.format(name), program):
                    print(f'{files}: does not call {name} of {header}')
                    failed = True
    sys.exit(failed)


main()
