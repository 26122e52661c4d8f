#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the README and the pages in docs/ show must be true.

usage: check_readme.py SOURCE COMPILER...

The README's ```c and ```cpp blocks are the short examples, to the letter, from the first #include
on; its line that sets up a build chooses the directory lib on a Debian with or without dpkg-dev.
Those of each page in docs/, one behind the other, compile without a warning, ```cpp blocks as C++;
but those of the cookbook are parts of its programs. Links between pages lead somewhere. Each public
function has a use in an example or a page, which the reference shows.
"""
import difflib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'tools'))
from uses import uses

EXAMPLES = {'c': ['quickstart.c', 'collect.c'], 'cpp': ['quickstart.cpp']}
C = ['-x', 'c', '-std=c11']
CPP = ['-x', 'c++', '-std=c++17']
FLAGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Werror', '-fsyntax-only',
         '-DVF_HAS_EPOCH']


def blocks(text, language):
    return re.findall(rf'^```{language}\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)


def check_examples(source):
    for language, names in EXAMPLES.items():
        shown = blocks((source / 'README.md').read_text(), language)
        if len(shown) != len(names):
            yield f'README.md has {len(shown)} ```{language} blocks, not {len(names)}'
        for block, name in zip(shown, names):
            example = (source / 'examples' / name).read_text()
            example = example[example.index('#include'):]
            yield from difflib.unified_diff(block.splitlines(), example.splitlines(), 'README.md',
                                            f'examples/{name}', lineterm='')


def check_recipes(source):
    """Each block of the cookbook is a part of the program whose link stands before it."""
    page, name, blocks_seen, linked = source / 'docs' / 'cookbook.md', None, 0, set()
    for link, block in re.findall(r'\]\(\.\./examples/([\w/]+\.c)\)|^```c\n(.*?)^```$',
                                  page.read_text(), re.M | re.S):
        name = link or name
        linked.add(name)
        if block:
            blocks_seen += 1
            if block not in (source / 'examples' / name).read_text():
                yield f'cookbook.md: not a part of {name}:\n{block}'
    programs = {f'cookbook/{path.name}' for path in (source / 'examples' / 'cookbook').glob('*.c')}
    if not linked >= programs or blocks_seen < len(programs):
        yield f'cookbook.md has {blocks_seen} blocks of {linked}; there are {programs}'


def check_libdir(source, directory):
    """Where Meson finds no dpkg-architecture it would choose lib64, where nothing looks."""
    line = re.search(r'^    (meson setup build\b.*)$', (source / 'README.md').read_text(), re.M)
    if line is None:
        yield 'README.md does not say how to set up a build'
        return
    programs, build = directory / 'programs', directory / 'setup'
    programs.mkdir()
    for name in 'dpkg-architecture', 'cmake':
        (programs / name).write_text('#!/bin/sh\nexit 1\n')
        (programs / name).chmod(0o755)
    env = {**os.environ, 'PATH': f'{programs}:{os.environ["PATH"]}'}
    command = shlex.split(line[1].replace('build', str(build)))
    said = subprocess.run(command, cwd=source, env=env, capture_output=True, text=True)
    options = subprocess.run(['meson', 'introspect', str(build), '--buildoptions'],
                             capture_output=True, text=True).stdout
    libdir = [option['value'] for option in json.loads(options or '[]')
              if option['name'] == 'libdir']
    if libdir != ['lib']:
        yield f'{line[1]}: the libraries go to {libdir}\n{said.stdout}'


def headers_are_there(compiler, text):
    """Those of other libraries, which a page may need: liburcu, Boost."""
    names = re.findall(r'^#include <((?:urcu|boost)[^>]*)>', text, re.MULTILINE)
    probe = ''.join(f'#include <{name}>\n' for name in names)
    return subprocess.run([compiler, '-fsyntax-only', '-x', 'c', '-'], input=probe, text=True,
                          capture_output=True).returncode == 0


def check_page(source, page, compiler, directory):
    language = CPP if '++' in Path(compiler).name else C
    text = '\n'.join(blocks(page.read_text(), 'cpp' if language is CPP else 'c'))
    if not text:
        return
    if not headers_are_there(compiler, text):
        print(f'skipped: {page.name} with {compiler}: a header that it needs is missing')
        return
    path = directory / f'{page.stem}.block'
    path.write_text(text)
    command = [compiler, *language, *FLAGS, f'-I{source}/include', str(path)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        yield f'the blocks of {page.name} with {compiler}:\n{result.stderr}'


def check_links(page):
    for target in re.findall(r'\]\(([^)#]+)(?:#[^)]*)?\)', page.read_text()):
        if '://' not in target and not (page.parent / target).exists():
            yield f'{page.name} links to {target}, which is not there'


# What declares a public function.
PROTOTYPES = {'pool.h': r'^vf_(?:generic vf_)?fn .*?\bvf_self_(\w+)\(',
              'smallbuf.h': r'^vf_(?:generic vf_)?fn .*?\bvf_self_(\w+)\(',
              'veryfast.h': r'^(?:VF_API|static inline) [^;{]*?\b(vf_\w+)\(',
              'sized.h': r'^VF_STATIC_CALL [^;{]*?\b(vf_\w+)\(',
              'checked.h': r'^VF_API [^;{]*?\b(vf_\w+)\('}
OF_INLINE_CODE = {'vf_pool_stats_print_sized'}


def check_uses(source):
    used, n = uses(source), 0
    for header, prototype in PROTOTYPES.items():
        text = (source / 'include' / 'veryfast' / header).read_text()
        for name in set(re.findall(prototype, text, re.M)) - OF_INLINE_CODE:
            n += 1
            if (header, name) not in used and name not in used:
                yield f'no example or page uses {name} of {header}'
    if n < 80:
        yield f'only {n} functions are declared'


def main():
    source, compilers = Path(sys.argv[1]), sys.argv[2:]
    bad = [*check_examples(source), *check_recipes(source), *check_uses(source)]
    pages = sorted((source / 'docs').glob('*.md'))
    if not pages or not any(blocks(page.read_text(), 'c') for page in pages):
        bad.append('docs/ has no pages')
    with tempfile.TemporaryDirectory() as temporary:
        bad += check_libdir(source, Path(temporary))
        for page in pages:
            for compiler in compilers if page.stem != 'cookbook' else []:
                bad += check_page(source, page, compiler, Path(temporary))
    for page in [*source.glob('*.md'), *pages]:
        bad += check_links(page)
    print(*bad, sep='\n')
    sys.exit(bool(bad))


main()
