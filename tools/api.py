#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes what Doxygen is to read: the headers as a program sees them, and the pages.

usage: api.py SOURCE DIRECTORY

A template's instance is pool_T_N or smallbuf_T_N there. A prototype without a comment stays so, and
is Doxygen's to complain of. In the pages, what is not part of the reference is named rather than
linked to.
"""
import re
import sys
from pathlib import Path

from uses import uses

INSTANCES = {'P': 'pool_T_N', 'S': 'smallbuf_T_N'}
TEMPLATES = {'pool.h': INSTANCES['P'], 'smallbuf.h': INSTANCES['S']}
LICENCE = re.compile(r'^/\* SPDX-License-Identifier: .* \*/\n')
PLAIN = ['veryfast.h', 'sized.h', 'checked.h', 'veryfast.hpp', 'pool.hpp',
         'smallbuf.hpp', 'ranges.hpp', 'allocator.hpp']
FREE = '#include <veryfast/detail/pool_free.h>\n'  # declares vf_free, for pool.h too
HEAD = re.compile(r'/\*\n \* [\w.]+ - (.*\n(?: \*.*\n)*?) \*/\n')
# What a template declares: a type (but for the bank, a part of the buffer), or a function.
DECLARATION = re.compile(r'(?:^/\*((?:(?!\*/)[^{])*?) ?\*/\n)?'
                         r'^(?:(typedef struct vf_self(?!_bank)\w*) (?:\{|vf_self_\w+;)|.*\bvf_fn (.*\);)$)',
                         re.MULTILINE)


def header(path):
    """Its text, without the line of its licence."""
    return LICENCE.sub('', path.read_text())


def comment_lines(block):
    return [re.sub(r'^ \* ?', '', line) for line in block.splitlines()]


def sentence(text):
    """With a capital, unless it begins with a name."""
    return text[0].upper() + text[1:] if re.match(r'[a-z]+[ ,;]', text) else text


def mention(text):
    """Functions by their full names, so that Doxygen links them."""
    def full(match):
        return f'{INSTANCES[match[1]]}_{match[2]}' + (match[3] or '()')
    return re.sub(r'\b([PS])_([a-z]\w*)\b(\(.*?\))?', full, text)


def plain_text(line):
    line = re.sub(r'([<>#%@\\]|\*(?=\w))', r'\\\1', mention(line))
    return line.replace(' .. ', '&nbsp;..&nbsp;')  # not the end of a sentence


def indented(lines):
    """A list, names with what they mean, or something to be shown as it is."""
    if re.match(r' +\d\. ', lines[0]):
        yield from (plain_text(line) for line in lines)
    elif re.match(r' +VF_\w+(\(p\))?  ', lines[0]):
        yield '<dl>'
        for line in lines:
            name, text = re.match(r'(?: {2}(VF_\S+))? +(.*)', line).groups()
            if name:
                yield f'<dt>`{name}`</dt><dd>'
            yield plain_text(text)
        yield '</dl>'
    else:
        yield from ('    ' + line.removeprefix('  ').removeprefix('  ') for line in lines)


def documentation(lines):
    """A Doxygen comment."""
    out, block, verbatim = [], [], False
    for line in [*lines, '']:
        verbatim = verbatim and out[-1] != '@endcode' or line == '@code{.c}'
        if verbatim or line.startswith('@par '):
            out.append(re.sub(r'/\*.*\*/', '', line).rstrip())  # no comment within one
            continue
        if line.startswith('  '):
            block.append(line)
            continue
        if block:
            out += indented(block)
            block = []
        out.append(plain_text(line))
    return '/**\n' + ''.join(f' * {line}'.rstrip() + '\n' for line in out[:-1]) + ' */\n'


THREADS = ('Any thread', 'Exclusive access', 'One thread at a time', 'One drainer',
           'The thread that', 'The drainer of', 'The child', 'No other thread', 'No other call',
           'From the begin', 'As S_flip', 'As for P_each')
RETURNS = ('The result is', 'True', 'False', 'NULL:', '0:')
COST = ('Costs', 'Takes no lock', 'Lock-free', 'Without VF_DROP it costs', 'No atomic operation')


def sentences(text):
    return re.split(r'(?<=[.)]) (?=[A-Z(])', text)


def fields(lines):
    """A function's description, in which the result, the threads that may call, errors and cost are
    parts of their own: by how their sentences begin, which is the same in all headers."""
    parts = {'': [], 'Returns': [], 'Threads': [], 'Errors': [], 'Cost': []}
    for paragraph in re.split(r'\n\n+', '\n'.join(lines).strip('\n')):
        if re.search(r'^ {2}', paragraph, re.M):  # a list or code, as it is
            parts[''].append(paragraph)
            continue
        kept, place = [], ''
        for text in sentences(' '.join(paragraph.split())):
            if text.startswith(THREADS):
                place = 'Threads'
            elif text.startswith(COST):
                place = 'Cost'
            elif place == '' and (kept or parts['']):  # the first sentence says what it is
                if re.search(r'\bE(NOMEM|INVAL|AGAIN)\b|[Nn]ever fails', text):
                    parts['Errors'].append(text)
                    continue
                if text.startswith(RETURNS):
                    parts['Returns'].append(text)
                    continue
            (parts[place] if place else kept).append(text)
        if kept:
            parts[''].append(' '.join(kept))
    out = '\n\n'.join(parts.pop(''))
    for name, texts in parts.items():
        if texts:
            out += f'\n\n@par {name}\n' + ' '.join(texts)
    return out.lstrip('\n').split('\n')


def example(source, use):
    """The use of a function, and where it is from."""
    path, code = use
    return ['', '@par Example', f'In `{path.relative_to(source)}`:', '', '@code{.c}', *code,
            '@endcode']


def file_documentation(text, *more):
    """The head of a header, whose first line is its name and a phrase."""
    first, *lines = comment_lines(' * ' + HEAD.match(text)[1])
    lines = [sentence(first), *more, *lines]
    return '/**\n * @file\n' + documentation(lines).removeprefix('/**\n')


def template_header(source, text, kind):
    """Its types and its prototypes, by the names of an instance, each behind its comment."""
    used, instance = uses(source), TEMPLATES[kind]
    yield file_documentation(text, f'On this page its instance is {instance}.')
    yield '#include "veryfast.h"\n'
    for comment, struct, prototype in DECLARATION.findall(text):
        lines = [re.sub(r'^ \*? ?', '', line) for line in comment.splitlines()]
        code = prototype or f'{struct} {struct.split()[-1]};'
        function = re.search(r'\bvf_self_(\w+)\(', code)
        code = re.sub(r'\b(VF_T|vf_t|vf_value|vf_moved|vf_exactly)\b', 'T', code.replace('vf_self_name', instance).replace('vf_self', instance))
        lines = lines if lines[0] else lines[1:]
        if function and comment:
            lines = fields(lines) + (example(source, used[kind, function[1]])
                                     if (kind, function[1]) in used else [])
        yield (documentation(lines) if comment else '') + code.replace('T const', 'const T') + '\n'


FUNCTION = re.compile(r'^/\*\n?((?:(?!\*/).)*)\*/\n(?=(?:VF_API|VF_STATIC_CALL|static inline) [^;{]*?\b(vf_\w+)\()',
                      re.M | re.S)


def plain_functions(source, text):
    """The text, with the parts of each function's description, and a use of it."""
    used = uses(source)

    def function(match):
        lines = [re.sub(r'^ \*? {0,2}', '', line) for line in match[1].strip('\n').split('\n')]
        use = example(source, used[match[2]]) if match[2] in used else []
        return documentation(fields(lines) + use).rstrip('\n') + '\n'
    return FUNCTION.sub(function, text)


def plain_header(source, text):
    """Its comments as they are, those behind a member as belonging to it."""
    head = file_documentation(text)
    text = plain_functions(source, HEAD.sub('', text, count=1))
    text = re.sub(r'^/\* -{4} .*\n', '', text, flags=re.MULTILINE)
    text = re.sub(r'^( *)/\*\n', r'\1/**\n', text, flags=re.MULTILINE)
    text = re.sub(r'^( *)/\* ', r'\1/** ', text, flags=re.MULTILINE)
    text = re.sub(r'(\S.*)/\* ', r'\1/**< ', text)
    text = re.sub(r'^VF_EXTERN.*\n|^#include <veryfast.*\n', '', text, flags=re.MULTILINE)
    text = re.sub(r'VF_API |static inline VF_UNUSED |VF_STATIC_CALL ', '', text)
    return head + mention(text)


def anchor(path, heading):
    """An identifier of a heading, from what a link on the hosting site calls it."""
    words = re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
    return f'{path.stem.lower()}_{words}'


def page(source, path):
    """A page, in which links lead to other pages, to headers of the reference, or nowhere."""
    def link(match):
        picture, words = match[1], ' '.join(match[2].split())  # Doxygen wants them in one line
        target, _, heading = match[3].partition('#')
        if '://' in target:
            return match[0]
        file = (path.parent / target).resolve().relative_to(source) if target else path
        if picture:
            return f'![{words}]({file.name})'  # where Doxygen puts what it finds in IMAGE_PATH
        if file.suffix == '.md' and heading:
            return f'@ref {anchor(file, heading)} "{words.replace("`", "")}"'
        if file.name == 'README.md':
            return f'[{words}](index.html)'
        if file.suffix == '.md':
            return f'[{words}]({file.name})'
        if file.parent == Path('include', 'veryfast'):
            return f'[{words}]({file.name.replace(".", "_8")}.html)'  # as Doxygen calls it
        return f'`{file}`' if words.strip('`') in str(file) else f'{words} (`{file}`)'

    text = path.read_text()
    if text.count('\n## ') > 2:  # a table of contents, below the title
        text = text.replace('\n', '\n\n[TOC]\n', 1)
    parts = re.split(r'(^```.*?^```\n)', text, flags=re.MULTILINE | re.DOTALL)
    for i in range(0, len(parts), 2):  # what is no code
        parts[i] = re.sub(r'(!?)\[([^]]+)\]\(([^)]+)\)', link, parts[i])
        parts[i] = re.sub(r'^(##+ )(.*)$', lambda match: f'{match[0]} {{#{anchor(path, match[2])}}}',
                          parts[i], flags=re.MULTILINE)
    return ''.join(parts)


def main():
    source, directory = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    include = source / 'include' / 'veryfast'
    directory.mkdir(parents=True, exist_ok=True)
    for name in PLAIN:
        text = header(include / name)
        if FREE in text:
            free = header(include / 'detail' / 'pool_free.h')
            text = text.replace(FREE, free[free.index('/*\n * Gives back'):free.index('VF_NAMES_END')])
        (directory / name).write_text(plain_header(source, text))
    for name in TEMPLATES:
        text = header(include / name)
        (directory / name).write_text('\n'.join(template_header(source, text, name)))
    for path in [source / 'README.md', *(source / 'docs').glob('*.md')]:
        (directory / path.name).write_text(page(source, path))


main()
