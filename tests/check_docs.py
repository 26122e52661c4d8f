#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the pages, in which no symbol may be without documentation, and no link lead nowhere.

usage: check_docs.py SOURCE

All functions that the headers declare must be there, under their full names, and be found by the
search; each page of docs/ in the menu; each picture and each link to a heading in its page. Skipped
where Doxygen is missing.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIP = 77
# header: where its functions are described, what declares one, what stands before the name, how
# many there are at least
PROTOTYPE = r'^\w.*\bvf_self_(\w+)\(.*\);$'
HEADERS = {'pool.h': ('pool_8h', PROTOTYPE, 'pool_T_N_', 18),
           'smallbuf.h': ('smallbuf_8h', PROTOTYPE, 'smallbuf_T_N_', 22),
           'veryfast.h': ('veryfast_8h', r'^VF_API .*\b(\w+)\(', '', 2),
           'sized.h': ('sized_8h', r'^VF_STATIC_CALL .*\b(vf_\w+)\(', '', 22),
           'checked.h': ('checked_8h', r'^VF_API .*\b(\w+)\(', '', 4),
           'veryfast.hpp': ('namespaceveryfast', r'^[^ #/].* \*?(make\w*)\(', '', 2)}


def public_text(source, header):
    text = (source / 'include' / 'veryfast' / header).read_text()
    return re.sub(r'^namespace detail\b.*?^\} // namespace detail$', '', text, flags=re.M | re.S)


def doxygen(source, directory):
    text = (source / 'docs' / 'Doxyfile').read_text().replace('build/docs', str(directory))
    (directory / 'Doxyfile').write_text(text)
    result = subprocess.run(['doxygen', str(directory / 'Doxyfile')], cwd=source, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        sys.exit(f'doxygen says:\n{result.stdout}')


def missing(source, directory):
    for header, (name, declaration, before, least) in HEADERS.items():
        text = public_text(source, header)
        names = re.findall(declaration, text, re.MULTILINE)
        if len(names) < least:
            yield f'{header} declares only {names}'
        page = (directory / 'html' / f'{name}.html').read_text()
        described = re.findall(r'<td class="memname">(.*?)</td>', page)
        described = {re.sub('<.*?>', '', text).split()[-1].split('::')[-1] for text in described}
        for name in names:
            if before + name not in described:
                yield f'{before + name} is not described'


def dead_links(source, directory):
    pages = [*(directory / 'html').glob('*.html')]
    for page in pages:
        raw = re.search(r'.*(?:@(?:ref|section) |&lt;tt&gt;).*', page.read_text())
        if raw:
            yield f'{page.name} shows what is Doxygen\'s to replace: {raw[0]}'
        for target in re.findall(r'(?:href|src)="([^"#:]+)(?:#.*?)?"', page.read_text()):
            if not (page.parent / target).exists():
                yield f'{page.name} leads to {target}, which is not there'
    menu = (directory / 'html' / 'menudata.js').read_text()
    targets = re.findall(r'url:"([^"]+)"', menu)
    for target in targets:
        if not (directory / 'html' / target).exists():
            yield f'the menu leads to {target}, which is not there'
    for page in (source / 'docs').glob('*.md'):
        if f'md_{page.stem.replace("-", "_")}.html' not in targets:
            yield f'the menu does not have {page.name}'
    for header in HEADERS:
        if f'{header.replace(".", "_8")}.html' not in targets:
            yield f'the menu does not have {header}'


def made_of(path):
    """The page that is made of a Markdown file."""
    return 'index.html' if path.name == 'README.md' else f'md_{path.stem.replace("-", "_")}.html'


def lost(source, directory):
    """Pictures, and links to headings."""
    html, pictures, headings = directory / 'html', 0, 0
    for path in [source / 'README.md', *(source / 'docs').glob('*.md')]:
        page = (html / made_of(path)).read_text()
        for mark, target in re.findall(r'(!?)\[[^]]+\]\(([^)]+)\)', path.read_text()):
            file, _, heading = target.partition('#')
            if mark:
                pictures += 1
                name = Path(file).name
                if f'="{name}"' not in page or not (html / name).exists():
                    yield f'{made_of(path)} does not show {name}'
            elif heading and '://' not in target:
                headings += 1
                leads_to = made_of(Path(file)) if file else made_of(path)
                words = heading.replace('-', '[-_]')
                link = re.search(rf'href="{leads_to}#([^"]*{words})"', page)
                if link is None:
                    yield f'{made_of(path)} does not lead to {target}'
                elif f'id="{link[1]}"' not in (html / leads_to).read_text():
                    yield f'{leads_to} has no {link[1]}'
    if not pictures or not headings:
        yield 'no page has pictures, or links to headings'


def not_found(source, directory):
    """What the search does not know."""
    html = directory / 'html'
    if 'init_search()' not in (html / 'index.html').read_text():
        yield 'the pages have no search'
    known = ''.join(path.read_text() for path in (html / 'search').glob('*.js'))
    for header, (_, declaration, before, _) in HEADERS.items():
        text = public_text(source, header)
        for name in re.findall(declaration, text, re.MULTILINE):
            if f"'{before}{name}'" not in known:
                yield f'the search does not find {before}{name}'


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
        bad = [*missing(source, directory), *dead_links(source, directory),
               *lost(source, directory), *not_found(source, directory)]
    print(*bad, sep='\n')
    sys.exit(bool(bad))


main()
