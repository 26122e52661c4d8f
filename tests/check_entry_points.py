#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requires that the programs which say that they make every call do, that the table of all
functions has each, and that the class templates lack none.

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
# What the class templates have in another way.
IN_ANOTHER_WAY = {
    'include/veryfast/pool.hpp include/veryfast/ranges.hpp': {
        'push': 'emplace',
        'walk_handle': 'handle of the iterator',
        'walk_part': 'walk',
        'walk_end': 'a walk that is not carried on holds nothing',
        'shared': 'a function with a static pool of its own, which the program may take apart'},
    'include/veryfast/smallbuf.hpp': {
        'flip_finish': 'VF_EPOCH is a parameter of the macros'},
}
# Where the core has another name for a call.
CORE = {'each': 'each_begin', 'free_handle': 'claim_handle', 'handle_of': 'publish', 'take': 'look'}
# header: how many it declares at least; programs, and how a call looks in them
HEADERS = {
    'pool.h': (20, {
        'docs/functions.md': r'`P_{}`',
        'include/veryfast/pool.hpp include/veryfast/ranges.hpp': r'\bvf_pool_call\({},',
        'tests/random/pool_type.h': r'\bCALL\(_{}\)\(',
        'tests/pool/test_failing_pool.c': r'\blongs_{}\(',
        'tests/common/test_errno.c': r'\blongs_{}\(',
        'tests/common/test_cancel.c tests/pool/test_epoch_cancel.c tests/pool/epoch_pool.h':
            r'\b(?:pool_int_50|numbers)_{}\('}),
    'sized.h': (22, {
        'tests/random/pool_sized.h tests/pool/test_epoch.c': r'\bvf_sized_{}\('}),
    'smallbuf.h': (26, {
        'docs/functions.md': r'`S_{}`',
        'include/veryfast/smallbuf.hpp': r'\bself_{}\(',
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
            but = set(IN_ANOTHER_WAY.get(files, ()))
            if header == 'pool.h' and files.startswith('tests/'):
                but = {'shared'}
            if but - names:
                sys.exit(f'{header} does not declare {sorted(but - names)}')
            for name in sorted(names - but):
                if files.endswith('.hpp'):
                    name = CORE.get(name, name)
                if not re.search(call.format(name), program):
                    print(f'{files}: does not call {name} of {header}')
                    failed = True
    if failed:
        print('To a class template it is added, with its line in docs/cpp.md and a test.')
    sys.exit(failed)


main()
