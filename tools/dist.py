#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the files of a release, of what is committed.

usage: dist.py SOURCE DIRECTORY

    veryfast-VERSION.tar.xz              the sources, by meson dist
    veryfast-VERSION-amalgamated.tar.xz  the same as a few files that are copied into a program
    veryfast.wrap                        for a Meson project that has the sources beside it, in
                                         subprojects/packagefiles, or adds source_url
    SHA256SUMS                           of these
"""
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

WRAP = '''[wrap-file]
directory = {name}
source_filename = {name}.tar.xz
source_hash = {sum}

[provide]
dependency_names = veryfast, veryfast-checked
'''


def run(*command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **options)
    if result.returncode != 0:
        sys.exit(f'{command} failed:\n{result.stdout}')


def sum_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sources(source, directory, temporary):
    """The archive that meson dist makes."""
    run('meson', 'setup', source, temporary / 'build', '-Dtests=disabled', '-Dexamples=disabled',
        '-Dbench=disabled')
    run('meson', 'dist', '-C', temporary / 'build', '--no-tests', '--allow-dirty')
    made, = (temporary / 'build' / 'meson-dist').glob('*.tar.xz')
    return Path(shutil.copy(made, directory))


def amalgamated(archive, directory, temporary):
    """Made of the archive, not of what may be beside it. The same bytes each time."""
    name = archive.name.removesuffix('.tar.xz')
    with tarfile.open(archive) as tar:
        tar.extractall(temporary)
        time = tar.getmembers()[0].mtime
    run(sys.executable, temporary / name / 'tools' / 'amalgamate.py', temporary / name,
        temporary / 'veryfast')

    def plain(member):
        member.mtime, member.uid, member.gid, member.uname, member.gname = time, 0, 0, '', ''
        return member

    made = directory / f'{name}-amalgamated.tar.xz'
    with tarfile.open(made, 'w:xz') as tar:
        for path in sorted((temporary / 'veryfast').iterdir()):
            tar.add(path, f'veryfast/{path.name}', filter=plain)
    return made


def main():
    source, directory = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        archive = sources(source, directory, Path(temporary))
        files = [archive, amalgamated(archive, directory, Path(temporary))]
    wrap = directory / 'veryfast.wrap'
    wrap.write_text(WRAP.format(name=archive.name.removesuffix('.tar.xz'), sum=sum_of(archive)))
    sums = ''.join(f'{sum_of(path)}  {path.name}\n' for path in [*files, wrap])
    (directory / 'SHA256SUMS').write_text(sums)


main()
