#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requires that the tests have run nearly every line and branch, and that the rest is explained.

usage: check_coverage.py SOURCE_DIRECTORY BUILD_DIRECTORY

Measured is what gcov counted in all programs of the build, for src/ and for the templates below
include/veryfast/: a line that many programs or instances have has the sum of their counts. An
assertion's branches are not counted, nor those that only exceptions take.

tests/coverage.txt says why a line need not be reached: the file's name, and below it, indented, the
text of each such line, three spaces, two hyphens and the reason. Text that is missed several times
in a file is explained as often. A line that is explained may be reached all the same, since many
are by chance; but it must be there.
"""
import collections
import json
import re
import subprocess
import sys
from pathlib import Path

LINES, BRANCHES = 98, 92  # per cent, at least


class Line:
    def __init__(self):
        self.count = 0
        self.shapes = {}  # number of branches (other where a macro is empty): count of each

    def branches(self):
        return self.shapes[max(self.shapes)] if self.shapes else []


def measured(path):
    return path.parts[0] == 'src' or path.parts[:2] == ('include', 'veryfast')


def read_counts(source, build):
    """The files measured, as path: {number: Line}."""
    files = collections.defaultdict(lambda: collections.defaultdict(Line))
    data = sorted(str(path) for path in build.rglob('*.gcda'))
    output = subprocess.run(['gcov', '--json-format', '--stdout', '--branch-probabilities', *data],
                            cwd=build, stdout=subprocess.PIPE, text=True, check=True).stdout
    for unit in map(json.loads, output.splitlines()):
        for file in unit['files']:
            path = (build / unit['current_working_directory'] / file['file']).resolve()
            if not path.is_relative_to(source) or not measured(path.relative_to(source)):
                continue
            for record in file['lines']:
                line = files[path.relative_to(source)][record['line_number']]
                line.count += record['count']
                taken = [branch['count'] for branch in record['branches'] if not branch['throw']]
                old = line.shapes.setdefault(len(taken), [0] * len(taken))
                line.shapes[len(taken)] = [a + b for a, b in zip(old, taken)]
    return files


def read_reasons(path):
    """What the file explains: (file, text), once for each line."""
    listed, file = collections.Counter(), None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        if not line.startswith(' '):
            file = line
            continue
        text, separator, reason = line.strip().partition('   -- ')
        if file is None or not separator or not reason.strip():
            sys.exit(f'{path}:{number}: no file, or no reason')
        listed[file, text] += 1
    return listed


def gone(source, listed):
    """What is explained, and not in the source so often."""
    for (file, text), count in listed.items():
        path = source / file
        lines = path.read_text().splitlines() if path.is_file() else []
        if sum(line.strip() == text for line in lines) < count:
            yield f'explained, but gone: {file}: {text}'


def main():
    source, build = (Path(name).resolve() for name in sys.argv[1:])
    listed = read_reasons(source / 'tests/coverage.txt')
    missed, where = collections.Counter(), {}
    lines = lines_run = branches = branches_run = 0
    for path, counted in sorted(read_counts(source, build).items()):
        texts = (source / path).read_text().splitlines()
        here = collections.Counter()
        for number, line in sorted(counted.items()):
            text = texts[number - 1].strip()
            taken = [] if re.search(r'\bassert\(', text) else line.branches()
            here.update(lines=1, run=line.count > 0, branches=len(taken),
                        taken=sum(map(bool, taken)))
            if line.count == 0:
                missed[str(path), text] += 1
                where.setdefault((str(path), text), []).append(f'{path}:{number}: {text}')
        print(f'{str(path):44} {here["run"]:5} of {here["lines"]:5} lines '
              f'{here["taken"]:5} of {here["branches"]:5} branches')
        lines, lines_run = lines + here['lines'], lines_run + here['run']
        branches, branches_run = branches + here['branches'], branches_run + here['taken']
    if lines == 0:
        sys.exit('no counts: nothing has run')
    complaints = list(gone(source, listed))
    for what, run, of, least in (('lines', lines_run, lines, LINES),
                                 ('branches', branches_run, branches, BRANCHES)):
        print(f'{what}: {run} of {of}, {100 * run / of:.2f} %')
        if 100 * run < least * of:
            complaints.append(f'{what}: less than {least} %')
    for line, count in missed.items():
        if count > listed[line]:
            complaints += ('not run, not explained: ' + place for place in where[line])
    if complaints:
        sys.exit('\n'.join(complaints))


main()
