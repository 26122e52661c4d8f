#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the library as a few files that are copied into a program and compiled with it.

usage: amalgamate.py SOURCE DIRECTORY

    veryfast.h   all that is included once       pool.h, smallbuf.h   the templates
    sized.h      pools of sizes known at run time
    veryfast.c   the core                                veryfast.hpp         for C++

The directory is best called veryfast: then a program includes <veryfast/pool.h> as it would from an
installed library.
"""
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^# *include (?:<(veryfast/[\w/.]+)>|"([\w/.]+)")\n', re.MULTILINE)
LICENCE = re.compile(r'^/\* SPDX-License-Identifier: .* \*/\n')
FEATURES = re.compile(r'^#define _(?:GNU|POSIX_C)_SOURCE\b.*\n', re.MULTILINE)
# name.h is a system header from its first line on, and with it what would follow
ONCE = ['veryfast.h', 'checked.h', 'detail/pool_core.h', 'detail/pool_free.h',
        'detail/smallbuf_core.h', 'detail/smallbuf_lane.h', 'detail/smallbuf_lane_flip.h',
        'detail/cplusplus.h', 'detail/names.h', 'detail/name.h']
APART = ['pool.h', 'smallbuf.h', 'sized.h', 'veryfast.hpp']


def read(path):
    """A file without the line of its licence, which the whole has once."""
    return LICENCE.sub('', path.read_text())


def expand(text, directories, seen):
    """The text with the library's own headers in place of their inclusion, guarded ones once. The
    last of the directories is that of the text."""

    def header(match):
        name = match[1] or match[2]
        path = next(d / name for d in directories if (d / name).exists()).resolve()
        if path in seen:
            return ''
        text = read(path)
        if re.search(r'^#ifndef VF_\w+_H(?:PP)?$', text, re.MULTILINE):
            seen.add(path)
        return expand(text, [directories[0], path.parent], seen)

    return INCLUDE.sub(header, text)


def statics(text):
    """The names that a source file keeps to itself, but those that are only declared."""
    found = re.findall(r'^static (?:[\w*]+[ *]+)+?\**(\w+)(?:\(|\[| =|;)', text, re.MULTILINE)
    return set(found)


def part(path, text, double):
    """A source file as a part of a larger one; names that others have as well become its own."""
    mine = sorted(statics(text) & double)
    own = f'vf_in_{path.parent.name}_{path.stem}'
    lines = [f'#define {name} {own}_{name}\n' for name in mine]
    lines += [text if not mine else '\n' + text]
    lines += [f'#undef {name}\n' for name in mine]
    return ''.join(lines)


def core(source, seen):
    build = (source / 'src' / 'meson.build').read_text()
    files = [source / 'src' / name for name in re.findall(r"'(\w+/\w+\.c)'", build)]
    count = {}
    for path in files:
        for name in statics(path.read_text()):
            count[name] = count.get(name, 0) + 1
    double = {name for name in count if count[name] > 1}
    texts = []
    for path in files:
        directories = [source / 'include', path.parent]
        text = FEATURES.sub('', expand(read(path), directories, seen))
        if path.stem in ('deferral', 'epoch', 'defer'):
            text = f'#ifdef VF_HAS_EPOCH /* needs liburcu-memb */\n{text}#endif\n'
        if path.parent.name == 'checked' or path.stem in ('module', 'signals'):
            text = f'#ifdef VF_CHECKED\n{text}#endif\n'
        texts.append(part(path, text, double))
    return '\n'.join(texts)


def head(source, name, sentence):
    licence = (source / 'LICENSE').read_text().rstrip().splitlines()
    made = 'Made by ./dev amalgamate from the sources of veryfast.'
    lines = [f'{name} - {sentence}', '', made, '', *licence]
    text = ''.join(f' * {line}'.rstrip() + '\n' for line in lines)
    return f'/* SPDX-License-Identifier: MIT */\n/*\n{text} */\n'


def write(source, directory):
    include = source / 'include' / 'veryfast'
    seen = set()
    once = ''.join(f'#include <veryfast/{name}>\n' for name in ONCE)
    (directory / 'veryfast.h').write_text(
        head(source, 'veryfast.h', 'what pool.h and smallbuf.h, beside it, have in common.')
        + '#pragma once\n' + expand(once, [source / 'include'], seen))
    # A template stays a file of its own, since it is included once for each instance.
    for name in APART:
        text = expand((include / name).read_text(), [source / 'include'], set(seen))
        first = text.index('\n#') + 1
        (directory / name).write_text(
            text[:first] + '#include "veryfast.h" /* and the licence */\n' + text[first:])
    (directory / 'veryfast.c').write_text(
        head(source, 'veryfast.c', 'the core, to be compiled with -std=c11 -pthread.')
        + '#ifdef __cplusplus\n#    error "veryfast.c is in C: compile it with a C compiler, and '
        + 'link its object file to the program in C++"\n#endif\n'
        + '#ifndef _GNU_SOURCE\n#    define _GNU_SOURCE\n#endif\n'
        + '#ifndef VF_STATIC\n#    define VF_STATIC /* what has it inside exports nothing of it */\n'
        + '#endif\n\n#include "veryfast.h"\n\n'
        + core(source, seen))


def main():
    source, directory = Path(sys.argv[1]), Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    write(source, directory)


main()
