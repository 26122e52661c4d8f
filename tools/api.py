#!/usr/bin/env python3
"""Writes the headers as Doxygen is to see them: what a program calls, under readable names.

usage: api.py SOURCE DIRECTORY

A template's instance is pool_T_N or smallbuf_T_N there. Functions become prototypes, each behind
its comment; one without a comment stays so, and is Doxygen's to complain of.
"""
import re
import sys
from pathlib import Path

TEMPLATES = {'pool': ('P', ['pool.h']),
             'smallbuf': ('S', ['smallbuf.h', 'detail/smallbuf_read.h',
                                'detail/smallbuf_writer.h', 'detail/smallbuf_flip.h'])}
FUNCTION = re.compile(r'(?:^/\*\n((?: \*.*\n)+?) \*/\n|^/\* (.*?) \*/\n)?'
                      r'(?:^#.*\n)*(?:^template.*\n)?(?:^#.*\n)*'
                      r'^vf_fn ([^{;]*?\))\n\{', re.MULTILINE)
TYPE = re.compile(r'^/\* ([^*]*?) \*/\ntypedef struct (vf_self\w*) \{', re.MULTILINE)


def comment_lines(block):
    return [re.sub(r'^ \* ?', '', line) for line in block.splitlines()]


def documentation(lines, plain):
    """A Doxygen comment. What is indented is shown as it is."""
    out = []
    for line in lines:
        if line.startswith('  '):
            out.append('    ' + line.lstrip(' ') if plain else '  ' + line)
        else:
            line = re.sub(r'([<>#%@\\]|\*(?=\w))', r'\\\1', line)
            out.append(line.replace(' .. ', '&nbsp;..&nbsp;'))  # not the end of a sentence
    return '/**\n' + ''.join(f' * {line}'.rstrip() + '\n' for line in out) + ' */\n'


class Template:
    def __init__(self, kind, letter):
        self.instance, self.letter = f'{kind}_T_N', letter

    def names(self, text):
        text = text.replace('vf_self', self.instance).replace('vf_value', 'T')
        text = text.replace('VF_T const', 'const T')
        return re.sub(r'\bVF_T\b', 'T', text)

    def mention(self, line):
        """Functions by their full names, so that Doxygen links them."""
        if line.startswith('  '):
            return line
        return re.sub(rf'\b{self.letter}_([a-z]\w*)\b(\(\))?', rf'{self.instance}_\1()', line)

    def page(self, texts):
        head = re.match(r'/\*\n((?: \*.*\n)+?) \*/\n', texts[0])
        lines = comment_lines(head[1])
        lines[0] = '@file'
        first = documentation(lines[1:], False).replace('/**\n', '/**\n * @file\n', 1)
        yield first + '#include "veryfast.h"\n'
        for text in texts:
            for match in TYPE.finditer(text):
                if match[2] == 'vf_self_bank':
                    continue  # a part of the buffer, not for its users
                yield documentation([match[1]], True) + \
                    f'typedef struct {self.names(match[2])} {self.names(match[2])};\n'
            for match in FUNCTION.finditer(text):
                yield self.function(match)

    def function(self, match):
        prototype = self.names(match[3]) + ';\n'
        block = match[1] or (' * ' + match[2] + '\n' if match[2] else None)
        if block is None:
            return prototype
        lines = [self.mention(line) for line in comment_lines(block)]
        # its own name, with which the comment begins, is the heading already
        lines[0] = re.sub(r'^\w+\(\): ', '', lines[0])
        if re.match(r'[a-z]+[ ,;]', lines[0]):
            lines[0] = lines[0][0].upper() + lines[0][1:]
        return documentation(lines, False) + prototype


def plain_header(text):
    """veryfast.h: its comments as they are, those behind a member as belonging to it."""
    text = re.sub(r'^( *)/\*\n', r'\1/**\n', text, flags=re.MULTILINE)
    text = re.sub(r'^( *)/\* ', r'\1/** ', text, flags=re.MULTILINE)
    text = re.sub(r'(\S.*)/\* ', r'\1/**< ', text)
    text = text.replace('/**\n * veryfast.h - ', '/**\n * @file\n * ', 1)
    text = re.sub(r'^VF_EXTERN.*\n|^#include <veryfast.*\n|VF_API ', '', text, flags=re.MULTILINE)
    return re.sub(r'(?<= )([PS])_([a-z]+)\b',
                  lambda m: ('pool' if m[1] == 'P' else 'smallbuf') + f'_T_N_{m[2]}()', text)


def main():
    include, directory = Path(sys.argv[1], 'include', 'veryfast'), Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'veryfast.h').write_text(plain_header((include / 'veryfast.h').read_text()))
    for kind, (letter, names) in TEMPLATES.items():
        texts = [(include / name).read_text() for name in names]
        (directory / f'{kind}.h').write_text('\n'.join(Template(kind, letter).page(texts)))


main()
