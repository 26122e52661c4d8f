#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layout of src/: a function is found by its name, and includes run one way.

usage: check_rooms.py SOURCE

A function vf_<part>_... of the library's own is defined in <part>.c. A room includes its own headers
and those of the rooms below it, and within all of src/ no two parts include one another, be it by
way of others. Calls of the templates (declared below include/) are named after what the program
calls; those are in the file of that name, which this does not look for. A static function has a
name that no other file's has, so that a debugger asked to stop there need not ask which.
"""
import re
import sys
from pathlib import Path

BELOW = {'platform': [], 'common': ['platform'], 'pool': ['common', 'platform'],
         'smallbuf': ['common', 'platform'], 'checked': ['pool', 'smallbuf', 'common', 'platform']}
FUNCTION = re.compile(r'^(?!static|extern|typedef|#)[\w *]*?\b(vf_\w+)\([^;]*?\)\n\{', re.M)
STATIC = re.compile(r'^(?:VF_\w+ )*static [^=;(]*?\b(\w+)\([^;{]*\)\n\{', re.M)
INCLUDE = re.compile(r'^# *include "([\w./]+)"', re.M)
POINTS = 'checks'  # pool/checks.h declares what only src/checked/ defines


def misplaced(path, text, calls):
    """Functions whose names say that they are in another file."""
    part = path.stem
    for name in FUNCTION.findall(text):
        own = re.match(rf'vf_{part}(s|es)?(_|$)', name)
        if not own and name not in calls and not name.startswith(f'vf_{POINTS}_'):
            yield f'{path}: {name} is not named after its file'


def includes(root, path, text):
    for name in INCLUDE.findall(text):
        yield (path.parent / name).resolve().relative_to(root)


def upward(part, included):
    if included.parts[0] not in [part.parts[0], *BELOW[part.parts[0]]]:
        yield f'{part} includes {included}, which is not below it'


def twice(statics):
    """Static functions that stand in two files."""
    for name, paths in sorted(statics.items()):
        if len(paths) > 1:
            yield f'{name} is a static function of {" and of ".join(map(str, sorted(paths)))}'


def circle(edges, begin):
    """A way from the part back to itself, or None."""
    ways, seen = [[begin]], set()
    while ways:
        way = ways.pop()
        for other in sorted(edges.get(way[-1], ())):
            if other == begin:
                return [*way, begin]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return None


def main():
    source = Path(sys.argv[1]).resolve()
    root = source / 'src'
    headers = ''.join(path.read_text() for path in (source / 'include').rglob('*.h'))
    calls = set(re.findall(r'\b(vf_\w+)\(', headers))
    faults, edges, statics = [], {}, {}
    for path in sorted(root.glob('*/*.[ch]')):
        text = path.read_text()
        part = path.relative_to(root).with_suffix('')
        faults += misplaced(path.relative_to(source), text, calls)
        for name in STATIC.findall(text):
            statics.setdefault(name, set()).add(path.relative_to(source))
        for included in includes(root, path, text):
            faults += upward(part, included)
            if included.with_suffix('') != part:
                edges.setdefault(str(part), set()).add(str(included.with_suffix('')))
    faults += twice(statics)
    faults += [f'a circle: {" -> ".join(way)}' for way in
               (circle(edges, part) for part in sorted(edges)) if way]
    print('\n'.join(faults) or f'{len(edges)} parts, each below those that include it')
    sys.exit(bool(faults) or len(edges) < 20)


main()
