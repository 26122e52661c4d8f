#!/usr/bin/env python3
"""Builds the consumer with this source tree as a Meson subproject, by the README's wrap file.

usage: check_subproject.py SOURCE CC MESON

Its tests, examples and benchmark must stay out of the parent's way, and nothing of it may be
installed with the parent, unless the parent asks. The parent sets options as it likes.
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


def wrap_file(source):
    """The README's. Since the sources are beside it, Meson does not go to where it points."""
    texts = re.findall(r'^```ini\n(.*?)^```$', Path(source, 'README.md').read_text(), re.M | re.S)
    require(len(texts) == 1 and '[provide]' in texts[0], 'the README has no wrap file')
    return texts[0]


def check(project, build, meson, cc, kind, epoch):
    env = {**os.environ, 'CC': cc}
    run([*meson, 'setup', build, project, f'-Ddefault_library={kind}',
         '--force-fallback-for=veryfast', f'-Dveryfast:epoch={epoch}'], env=env)
    run(['ninja', '-C', build])

    def introspect(what):
        return json.loads(run([*meson, 'introspect', build, f'--{what}']))

    tests = [test['name'] for test in introspect('tests')]
    require(tests == ['consumer'], f'the parent has the tests {tests}')
    installed = [Path(name).name for name in introspect('installed')]
    require(installed == ['consumer'], f'the parent installs {installed}')
    targets = {target['name'] for target in introspect('targets') if target['build_by_default']}
    require(targets == {'consumer', 'veryfast'}, f'the parent builds {targets}')
    commands = Path(build, 'compile_commands.json').read_text()
    require(epoch != 'disabled' or 'VF_HAS_EPOCH' not in commands, 'the option is not heeded')
    run([*meson, 'test', '-C', build])


def main():
    source, cc, meson = sys.argv[1], sys.argv[2], shlex.split(sys.argv[3])
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary, 'consumer')
        shutil.copytree(Path(source, 'tests', 'consumer'), project)
        Path(project, 'subprojects').mkdir()
        Path(project, 'subprojects', 'veryfast').symlink_to(source)
        Path(project, 'subprojects', 'veryfast.wrap').write_text(wrap_file(source))
        for kind, epoch in {'shared': 'auto', 'static': 'disabled'}.items():
            check(project, Path(temporary, kind), meson, cc, kind, epoch)


main()
