# SPDX-License-Identifier: MIT
"""What the checks that run programs have in common."""
import shlex
import subprocess
import sys


def run(command, **options):
    """The command's output; ends the test, with all it said, where it fails."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        sys.exit(f'{shlex.join(map(str, command))} failed:\n{result.stdout}')
    return result.stdout


def require(condition, sentence):
    if not condition:
        sys.exit(sentence)
