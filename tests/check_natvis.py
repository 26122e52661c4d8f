#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The views for Visual Studio name what is there.

usage: check_natvis.py SOURCE

No Visual Studio runs here. But the file is XML of the known elements; each type in it is a struct or
a class of the library; a name that an expression begins with is a member of that type, and one that
comes behind "." or "->" a member of some type.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

NAMESPACE = '{http://schemas.microsoft.com/vstudio/debugger/natvis/2010}'
ELEMENTS = {'AutoVisualizer', 'Type', 'AlternativeType', 'DisplayString', 'Expand', 'ExpandedItem',
            'Item', 'Synthetic', 'ArrayItems', 'Size', 'ValuePointer', 'LinkedListItems',
            'HeadPointer', 'NextPointer', 'ValueNode', 'CustomListItems', 'Variable', 'Loop', 'Exec',
            'Break'}
EXPRESSIONS = {'ExpandedItem', 'Item', 'Size', 'ValuePointer', 'HeadPointer', 'NextPointer',
               'ValueNode', 'Exec'}
OF_THE_LANGUAGE = {'const', 'char', 'void', 'int', 'long', 'unsigned', 'size_t', 'sizeof', 'this'}
FORMATS = r',(?:sb|na)$'
STRUCT = re.compile(r'^(?:template <[^;{}]*?> )?(?:typedef )?(?:static )?'
                    r'(?:struct|class) (\w+)[^;{}()]*\{', re.M)


def body(text, begin):
    """To the brace that closes what is open at begin."""
    depth, end = 1, begin
    while depth > 0:
        depth += {'{': 1, '}': -1}.get(text[end], 0)
        end += 1
    return text[begin:end - 1]


def structs(source):
    """The members of each struct, as far as one can tell without a compiler."""
    found = {}
    for path in [*(source / 'include').rglob('*.h*'), *(source / 'src').rglob('*.[ch]')]:
        text = re.sub(r'/\*.*?\*/', '', path.read_text(), flags=re.S)
        for match in STRUCT.finditer(text):
            names = re.findall(r'\b(\w+)(?:\[[^]]*\])*\s*(?:;|,|= \{\};)', body(text, match.end()))
            found.setdefault(match[1], set()).update(names)
    return found


def expressions(element):
    """Those of an element and of what is in it, but for the types in it."""
    tag = element.tag.removeprefix(NAMESPACE)
    texts = [element.get(name) for name in ('Condition', 'InitialValue')]
    texts += re.findall(r'\{([^{}]*)\}', f'{element.get("Name")}{element.text}') \
        if tag in ('DisplayString', 'Item') else []
    texts += [element.text] if tag in EXPRESSIONS else []
    yield from (re.sub(FORMATS, '', text.strip()) for text in texts if text)
    for child in element:
        yield from expressions(child)


def check_type(element, known):
    name = element.get('Name')
    for other in element.iter(f'{NAMESPACE}AlternativeType'):
        if re.sub('<.*', '', other.get('Name')) != re.sub('<.*', '', name):
            yield f'{other.get("Name")} is not {name} with other arguments'
    own = re.sub(r'<.*', '', name).split('::')[-1]
    if own not in known:
        yield f'{name} is no type of the library'
        return
    variables = {each.get('Name') for each in element.iter(f'{NAMESPACE}Variable')}
    everywhere = set().union(*known.values())
    for text in expressions(element):
        words = re.sub(r'\$T\d', '', re.sub(r'\b(0x[0-9a-f]+|\d+)(u?ll)?\b', '', text))
        for link, word in re.findall(r'(\.|->)?\b([A-Za-z_]\w*)', words):
            if not link and word in variables | OF_THE_LANGUAGE | set(known):
                continue
            if word not in (everywhere if link else known[own]):
                yield f'{name}: {word} in "{text}"'


def main():
    source = Path(sys.argv[1])
    known = structs(source)
    known['vf_self_name'] |= {'inline_'}  # by a macro
    root = ElementTree.parse(source / 'tools' / 'veryfast.natvis').getroot()
    bad = [f'unknown element {each.tag}' for each in root.iter()
           if each.tag.removeprefix(NAMESPACE) not in ELEMENTS]
    types = root.findall(f'{NAMESPACE}Type')
    for each in types:
        bad += check_type(each, known)
    print('\n'.join(bad) or f'{len(types)} types')
    sys.exit(bool(bad) or len(types) < 9)


main()
