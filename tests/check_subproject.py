#!/usr/bin/env python3
"""Builds the consumer with this source tree as a Meson subproject.

usage: check_subproject.py SOURCE CC MESON

Its tests, examples and benchmark must stay out of the parent's way, and nothing of it may be
installed with the parent, unless the parent asks.
"""
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def run(command, **options):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        sys.exit(f'{shlex.join(map(str, command))} failed:\n{result.stdout}')
    return result.stdout


def require(condition, sentence):
    if not condition:
        sys.exit(sentence)


def check(project, build, meson, cc, kind):
    env = {**os.environ, 'CC': cc}
    run([*meson, 'setup', build, project, f'-Ddefault_library={kind}'], env=env)
    run(['ninja', '-C', build])

    def introspect(what):
        return json.loads(run([*meson, 'introspect', build, f'--{what}']))

    tests = [test['name'] for test in introspect('tests')]
    require(tests == ['consumer'], f'the parent has the tests {tests}')
    installed = [Path(name).name for name in introspect('installed')]
    require(installed == ['consumer'], f'the parent installs {installed}')
    targets = {target['name'] for target in introspect('targets')}
    require(targets == {'consumer', 'veryfast'}, f'the parent builds {targets}')
    run([*meson, 'test', '-C', build])


def main():
    source, cc, meson = sys.argv[1], sys.argv[2], shlex.split(sys.argv[3])
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary, 'consumer')
        shutil.copytree(Path(source, 'tests', 'consumer'), project)
        Path(project, 'subprojects').mkdir()
        Path(project, 'subprojects', 'veryfast').symlink_to(source)
        for kind in 'shared', 'static':
            check(project, Path(temporary, kind), meson, cc, kind)


main()
