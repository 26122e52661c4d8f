# SPDX-License-Identifier: MIT
"""Where the examples, or the pages, use a function: for the reference, one use of each."""
import re

INSTANCE = re.compile(r'((?:^#define VF_\w+.*\n)+)^#include <veryfast/(pool|smallbuf)\.h>', re.M)
MOST_LINES = 8


def instances(text):
    """The names of a program's instances, with the header that each is of."""
    for defines, kind in INSTANCE.findall(text):
        of = dict(re.findall(r'^#define VF_(\w+)(?:\(\w+\))? +(.*?)(?: +/\*.*)?$', defines, re.M))
        tag = of.get('T', '').split()[-1:]
        yield of.get('NAME', f'{kind}_{"".join(tag)}_{of.get("N")}'), kind


def statement(lines, i):
    """The lines of the statement that line i is a part of; of a block its head only."""
    first = last = i
    while first > 0 and not re.search(r'[;{}]( */\*.*\*/)?$|\*/$|^#|^$', lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and not re.search(r'[;{](?: */\*.*)?$', lines[last]):
        last += 1
    while lines[first].strip() in ('else', '} else'):
        first += 1
    return lines[first:last + 1]


def dedent(lines):
    least = min(len(line) - len(line.lstrip()) for line in lines)
    return [line[least:] for line in lines]


def uses(source):
    """{(header, function): (file, lines)}: one use of each, and of what is no template's by its name
    alone. The short programs come first, and the one that shows what no other does comes last."""
    found = {}
    examples = source / 'examples'
    last = examples / 'calls.c'
    short = [examples / 'quickstart.c', examples / 'collect.c', *sorted(examples.glob('cookbook/*.c'))]
    others = [path for path in sorted(examples.glob('*.c')) if path not in [*short, last]]
    for path in [*short, *others, *sorted((source / 'docs').glob('*.md')), last]:
        text = path.read_text()
        if path.suffix == '.md':
            text = '\n'.join(re.findall(r'^```c\n(.*?)^```$', text, re.M | re.S))
        lines = text.splitlines()
        calls = [(rf'\b{name}_([a-z]\w*)\(', f'{kind}.h') for name, kind in instances(text)]
        for pattern, header in [*calls, (r'\b(vf_[a-z]\w*)\(', None)]:
            for i, line in enumerate(lines):
                for function in re.findall(pattern, line.partition('/*')[0]):
                    part = statement(lines, i)
                    if len(part) <= MOST_LINES:
                        key = (header, function) if header else function
                        found.setdefault(key, (path, dedent(part)))
    return found
