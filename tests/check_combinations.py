#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requires that each pair of a pool's features is in combinations.md, and lanes with each feature
of a small buffer, with tests that have both.

usage: check_combinations.py SOURCE

A pair has at least one test whose files speak of both features, or a reason behind "none:".
"""
import re
import sys
from itertools import combinations
from pathlib import Path

# feature: what a test says that has it
FEATURES = {'trim': r'trim\(', 'release': r'(?<!cache_)release\(',
            'destroy': r'(?<!barrier_)(?<!mutex_)(?<!attr_)destroy\(',
            'reserve': r'reserve\(', 'each': r'each\(',
            'walk': r'walk_(begin|part)\)?\(', 'handles': r'handle_of\)?\(',
            'held cache': r'cache_(new|alloc)\(',
            'cap': r'max_objects', 'deferred': r'free_deferred\(', 'memory': r'refus|fail_at',
            'ends': r'pthread_create\(|run_threads\(|\brun(_beside)?\(\w', 'fork': r'\bfork\(',
            'cancel': r'pthread_cancel\(', 'signals': r'sigaction|pthread_kill\('}
# What meets lanes in a small buffer.
LANES = {'lanes': r'^ *#\s*define VF_LANES',
         'writers': r'writer_open\)?\(', 'split': r'drain_split\)?\(',
         'readers': r'span\)?\(', 'exclusive push': r'push_exclusive\)?\(',
         'reserve': r'reserve\)?\(', 'cap': r'max_elements', 'memory': FEATURES['memory'],
         'trim': r'trim\)?\(', 'clear': r'clear\)?\(', 'ends': FEATURES['ends'],
         'fork': FEATURES['fork'], 'bulk': r'push_n(_index)?\)?\(',
         'flips': r'flip(_try|_begin)?\)?\('}
PLACES = ['common/{}.c', 'pool/{}.c', 'smallbuf/{}.c', 'stress/{}.c', 'explore/scenarios/{}.c',
          'checked/{}.c']


def text_of(tests, name):
    """What the test consists of; empty: there is none of that name."""
    if name == 'random_programs':
        return '\n'.join(path.read_text() for path in sorted((tests / 'random').glob('*.[ch]')))
    files = [tests / place.format(name) for place in PLACES]
    found = [path for path in files if path.exists()]
    # what a program is put together from
    found += [path.parent / header for path in found
              for header in re.findall(r'^#include "(\w+\.h)"', path.read_text(), re.M)
              if (path.parent / header).exists()]
    return '\n'.join(path.read_text() for path in found)


def faults(tests):
    rows = re.findall(r'^\| ([\w ]+) \| ([\w ]+) \| (.*) \|$',
                      (tests / 'combinations.md').read_text(), re.MULTILINE)
    pairs = {frozenset(row[:2]) for row in rows}
    for pair in [*combinations(FEATURES, 2), *(('lanes', of) for of in LANES if of != 'lanes')]:
        if frozenset(pair) not in pairs:
            yield f'{pair[0]} and {pair[1]} are not there'
    for one, other, how in rows:
        features = LANES if one == 'lanes' else FEATURES
        if one not in features:
            continue
        names = re.findall(r'`(\w+)`', how)
        if not names and not re.match(r'none: \w+ \w+', how):
            yield f'{one} and {other} have neither a test nor a reason'
        for name in names:
            text = text_of(tests, name)
            if not text:
                yield f'{one} and {other}: there is no test {name}'
            for feature in (one, other):
                if text and not re.search(features[feature], text, re.MULTILINE):
                    yield f'{one} and {other}: {name} has no {feature}'


def main():
    bad = [*faults(Path(sys.argv[1]) / 'tests')]
    print(*bad, sep='\n')
    sys.exit(bool(bad))


main()
