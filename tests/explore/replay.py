# SPDX-License-Identifier: MIT
"""replay.py - what the explorer finds, it prints, and what it prints can be run again.

    replay.py PROGRAM

PROGRAM is litmus. Each error below has to be found, within the bounds and at random, by that name;
run again with the arguments that were printed, it must be the same, step by step. What takes two
preemptions or two stale reads must not be found with one.
"""
import os
import re
import subprocess
import sys

TWICE = ['--preemptions', '2', '--stale', '2']
RANDOM = ['--random', '2000', '--seed', '0']
ERRORS = {
    'race': 'data race', 'race_low': 'data race', 'deadlock': 'deadlock',
    'freed': 'access to memory that is not allocated', 'turns': '!(r[0] == 0',
    'stale': '!(r[0] == 1'}
TOO_FEW = {
    'turns': ['--preemptions', '1'], 'stale': ['--stale', '1'], 'no_race': []}


def run(program, broken, arguments):
    done = subprocess.run([program, *arguments], env={**os.environ, 'BROKEN': broken},
                          stdout=subprocess.PIPE, check=False, text=True)
    return done.returncode, done.stdout


def told(said):
    """The steps and the error, without addresses, which are others in each process."""
    *steps, error, _, _ = said.splitlines()
    return [step.split()[:2] for step in steps], re.sub(' 0x[0-9a-f]*$', '', error)


def expect(condition, what, said):
    if not condition:
        sys.exit(f'{what}\n{said}')


def main(program):
    for broken, error in ERRORS.items():
        for arguments in (TWICE, TWICE + RANDOM):
            status, said = run(program, broken, arguments)
            expect(status == 1, f'{broken}: not found', said)
            name = told(said)[1].split(' ', 1)[1]
            expect(name.startswith(error), f'{broken}: not "{error}"', said)
            status, again = run(program, broken, said.splitlines()[-2].split())
            expect(status == 1 and told(again) == told(said), f'{broken}: not replayed',
                   said + again)
            expect('failed: 1 executions' in again, f'{broken}: more than the replay', again)
    for broken, arguments in TOO_FEW.items():
        status, said = run(program, broken, arguments)
        expect(status == 0 and 'no error' in said, f'{broken}: found beyond the bounds', said)
    status, said = run(program, 'goal', [])
    expect(status == 1 and 'no execution: goal: never met' in said, 'a goal is not asked for', said)
    status, said = run(program, 'race', ['--replay', '9'])
    expect('choices are of another scenario' in said, 'a replay that does not fit', said)
    first, second = (re.search('--seed ([0-9]+)', run(program, 'no_race', RANDOM)[1])
                     for _ in range(2))
    expect(first and second and first[1] != second[1], 'a fresh seed is not printed', first)


main(sys.argv[1])
