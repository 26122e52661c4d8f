#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the consumer with this source tree as a Meson subproject, by the README's wrap file.

usage: check_subproject.py SOURCE VERSION CC MESON

Its tests, examples and benchmark must stay out of the parent's way. The bodies that
veryfast-instances makes are optimised, whatever the parent's own files are. The parent sets options as it
likes; the program that it installs starts from where it is, since the library is inside, unless the
parent asks for the shared one, which is installed with it.
"""
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from commands import require, run

# the parent's options: whether the library is then beside the program
PARENTS = {(): False,
           ('-Ddefault_library=shared', '-Dveryfast:epoch=disabled'): False,
           ('-Ddefault_library=static', '-Dveryfast:tls_model=global-dynamic',
            '-Doptimization=3'): False,
           ('-Dveryfast:default_library=shared',): True}


def wrap_file(source):
    """The README's. Since the sources are beside it, Meson does not go to where it points."""
    texts = re.findall(r'^```ini\n(.*?)^```$', Path(source, 'README.md').read_text(), re.M | re.S)
    require(len(texts) == 1 and '[provide]' in texts[0], 'the README has no wrap file')
    return texts[0]


def check(project, build, meson, cc, version, options, beside):
    env = {**os.environ, 'CC': cc}
    prefix = build.with_name(build.name + '-prefix')
    run([*meson, 'setup', build, project, f'--prefix={prefix}', '--libdir=lib',
         '--force-fallback-for=veryfast', *options], env=env)
    run(['ninja', '-C', build])

    def introspect(what):
        return json.loads(run([*meson, 'introspect', build, f'--{what}']))

    tests = [test['name'] for test in introspect('tests')]
    require(tests == ['consumer', 'declared'], f'the parent has the tests {tests}')
    targets = {target['name'] for target in introspect('targets') if target['build_by_default']}
    require(targets == {'consumer', 'declared', 'instances', 'veryfast'},
            f'the parent builds {targets}')
    commands = Path(build, 'compile_commands.json').read_text()
    require('-Dveryfast:epoch=disabled' not in options or 'VF_HAS_EPOCH' not in commands,
            'the option epoch is not heeded')
    # the consumer's own file is compiled by it as well
    told = {part['file'].endswith('main.c') for part in json.loads(commands)
            if 'VF_TLS_MODEL=global_dynamic' in part['command']}
    require(told == ({True, False} if '-Dveryfast:tls_model=global-dynamic' in options else set()),
            'the option tls_model is not heeded')
    levels = {Path(part['file']).name: re.findall(r' -O(\w)', part['command'])
              for part in json.loads(commands)}
    parent = ['3'] if '-Doptimization=3' in options else ['0']
    require((levels['instances.c'], levels['declared.c']) == (['2'], parent),
            f'the levels of optimisation are {levels}')
    run([*meson, 'test', '-C', build])
    run([*meson, 'install', '-C', build])
    installed = {path.name for path in prefix.rglob('*') if not path.is_dir()}
    libraries = {f'libveryfast.so{end}' for end in ['', '.1', f'.{version}']} if beside else set()
    require(installed == {'consumer'} | libraries, f'the parent installs {installed}')
    where = {'LD_LIBRARY_PATH': str(prefix / 'lib')} if beside else {}
    run([prefix / 'bin' / 'consumer'], env={**env, **where})


def main():
    source, version, cc, meson = *sys.argv[1:4], shlex.split(sys.argv[4])
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary, 'consumer')
        shutil.copytree(Path(source, 'tests', 'consumer'), project)
        Path(project, 'subprojects').mkdir()
        Path(project, 'subprojects', 'veryfast').symlink_to(source)
        Path(project, 'subprojects', 'veryfast.wrap').write_text(wrap_file(source))
        for i, (options, beside) in enumerate(PARENTS.items()):
            check(project, Path(temporary, f'build-{i}'), meson, cc, version, options, beside)


main()
