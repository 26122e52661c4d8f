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

INSTANCES = {'P': 'pool_T_N', 'S': 'smallbuf_T_N'}
TEMPLATES = {'pool.h': INSTANCES['P'], 'smallbuf.h': INSTANCES['S']}
LICENCE = re.compile(r'^/\* SPDX-License-Identifier: .* \*/\n')
PLAIN = ['veryfast.h', 'sized.h', 'checked.h', 'veryfast.hpp', 'pool.hpp', 'allocator.hpp']
FREE = '#include <veryfast/detail/pool_free.h>\n'  # declares vf_free, for pool.h too
HEAD = re.compile(r'/\*\n \* [\w.]+ - (.*\n(?: \*.*\n)*?) \*/\n')
# What a template declares: a type (but for the bank, a part of the buffer), or a function.
DECLARATION = re.compile(r'(?:^/\*((?:(?!\*/)[^{])*?) ?\*/\n)?'
                         r'^(?:(typedef struct vf_self(?!_bank)\w*) \{|.*\bvf_fn (.*\);)$)',
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
    out, block = [], []
    for line in [*lines, '']:
        if line.startswith('  '):
            block.append(line)
            continue
        if block:
            out += indented(block)
            block = []
        out.append(plain_text(line))
    return '/**\n' + ''.join(f' * {line}'.rstrip() + '\n' for line in out[:-1]) + ' */\n'


def file_documentation(text, *more):
    """The head of a header, whose first line is its name and a phrase."""
    first, *lines = comment_lines(' * ' + HEAD.match(text)[1])
    lines = [sentence(first), *more, *lines]
    return '/**\n * @file\n' + documentation(lines).removeprefix('/**\n')


def template_header(text, instance):
    """Its types and its prototypes, by the names of an instance, each behind its comment."""
    yield file_documentation(text, f'On this page its instance is {instance}.')
    yield '#include "veryfast.h"\n'
    for comment, struct, prototype in DECLARATION.findall(text):
        lines = [re.sub(r'^ \*? ?', '', line) for line in comment.splitlines()]
        code = prototype or f'{struct} {struct.split()[-1]};'
        code = re.sub(r'\b(VF_T|vf_t|vf_value|vf_moved|vf_exactly)\b', 'T', code.replace('vf_self', instance))
        yield (documentation(lines if lines[0] else lines[1:]) if comment else '') \
            + code.replace('T const', 'const T') + '\n'


def plain_header(text):
    """Its comments as they are, those behind a member as belonging to it."""
    head = file_documentation(text)
    text = HEAD.sub('', text, count=1)
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

    parts = re.split(r'(^```.*?^```\n)', path.read_text(), flags=re.MULTILINE | re.DOTALL)
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
        (directory / name).write_text(plain_header(text))
    for name, instance in TEMPLATES.items():
        text = header(include / name)
        (directory / name).write_text('\n'.join(template_header(text, instance)))
    for path in [source / 'README.md', *(source / 'docs').glob('*.md')]:
        (directory / path.name).write_text(page(source, path))


main()
