#!/usr/bin/env python3
"""Makes the reference, in which no symbol may be without documentation.

usage: check_docs.py SOURCE

All functions that the headers declare must be in it, under their full names. Skipped where Doxygen
is missing.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIP = 77
PROTOTYPE = re.compile(r'^\w.*\bvf_self_(\w+)\(.*\);$', re.MULTILINE)
LEAST = {'pool': 18, 'smallbuf': 22}


def doxygen(source, directory):
    text = (source / 'docs' / 'Doxyfile').read_text().replace('build/docs', str(directory))
    (directory / 'Doxyfile').write_text(text)
    result = subprocess.run(['doxygen', str(directory / 'Doxyfile')], cwd=source, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        sys.exit(f'doxygen says:\n{result.stdout}')


def missing(source, directory):
    pages = {page.name: page.read_text() for page in (directory / 'html').glob('*.html')}
    for kind, least in LEAST.items():
        names = PROTOTYPE.findall((source / 'include' / 'veryfast' / f'{kind}.h').read_text())
        if len(names) < least:
            yield f'{kind}.h declares only {names}'
        for name in names:
            full = f'{kind}_T_N_{name}'
            if not re.search(rf'class="memname">[^<]*(<[^>]*>[^<]*)*\b{full}\b',
                             pages.get(f'{kind}_8h.html', '')):
                yield f'{full} is not described'


def main():
    source = Path(sys.argv[1])
    if shutil.which('doxygen') is None:
        print('skipped: no doxygen')
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        subprocess.run([sys.executable, source / 'tools' / 'api.py', source, directory / 'api'],
                       check=True)
        doxygen(source, directory)
        bad = [*missing(source, directory)]
    print(*bad, sep='\n')
    sys.exit(bool(bad))


main()
