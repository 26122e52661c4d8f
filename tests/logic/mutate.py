# SPDX-License-Identifier: MIT
"""mutate.py - breaks the logic of the library on purpose, and demands that a test sees it.

    mutate.py SOURCE BUILD [--few | NUMBER [SEED] | WORD...]

Runs the fixed sample of 300 of the mutations that mutants.py makes, a few of these, as many as said
from a seed (a fresh one where none is given), or those whose line has all the words.

Each is applied to a copy, of which only what changes is compiled: as in BUILD, but quickly, and
with assertions. Then tests run until one goes red: unit tests (with tests/shim), random programs,
stress programs, scenarios of the explorer, and of each kind those first that have seen most
mutations of the same file. One that hangs has seen it too. What compiles to the same code is no
mutation.

survivors.txt has those that no test sees, each with the reason why that is no loss:

    file function: line => line of the mutation
        why nothing can see it

Any other that survives is an error; so is one in the list that is seen, or that is no longer made.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import queue
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import mutants

SAMPLE, FEW = 300, 4
UNIT, RANDOM, STRESS, EXPLORE = range(4)
QUICK_STRESS = {'remote_free', 'fork', 'first_call_is_free', 'many_threads', 'cap', 'release',
                'fork_pools', 'trim', 'smallbuf', 'smallbuf_flip', 'late_destructors', 'epoch'}
SCHEDULES = ['--preemptions', '1000', '--stale', '1000', '--random', '1000']
PART = '10' # of the random programs in ./dev test, one in so many
SLOW = 300 # seconds; nothing takes a tenth of it
MEMORY = 8 << 30 # for one that takes more and more
HANGS = '(hangs)'
LIBRARIES = ['-pthread', '-Wl,--as-needed', *map('-lurcu-{}'.format, ('memb', 'mb', 'qsbr', 'bp'))]

ASSERTING = 'tests/libveryfast-asserting.a' # the one that most tests share as a libmutated.so


class Test(collections.namedtuple('Test', 'name kind objects library arguments wraps')):
    """A program, and what it is linked with: the functions that it wraps among that."""
    @property
    def is_alone(self):
        """Does it have the library in it?"""
        return self.library != ASSERTING or self.wraps != []


class Red(Exception):
    """What makes all of this meaningless: something fails without a mutation."""


def run(command, where, limit=None, **environment):
    """What it said, and whether that was an error. What it has forked ends with it."""
    process = subprocess.Popen(
        command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **environment},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY)))
    try:
        said = process.communicate(timeout=limit)[0].decode(errors='replace')
    except subprocess.TimeoutExpired:
        said = HANGS
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return said, process.wait() != 0


class Once:
    """Makes each thing when it is first asked for, whichever thread asks."""

    def __init__(self):
        self.made, self.lock = {}, threading.Lock()

    def get(self, key, make):
        with self.lock:
            mine = key not in self.made
            future = self.made.setdefault(key, concurrent.futures.Future())
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return future.result()


class Builder:
    """Compiles and links, with the sources below some root; base is the one without mutations."""

    def __init__(self, source, build, base):
        self.source, self.build, self.base = source, build, base
        ninja = (build / 'build.ninja').read_text()
        self.links = dict(re.findall(r'^build (\S+): c_LINKER .*\n LINK_ARGS = (.*)$', ninja, re.M))
        entries = json.loads((build / 'compile_commands.json').read_text())
        self.commands = {entry['output']: entry['command'] for entry in entries}
        self.once = Once()

    def of(self, directory):
        """The objects of this program or archive."""
        return [output for output in self.commands if os.path.dirname(output) == directory + '.p']

    def compile(self, output, root):
        """None: the compiler refuses it."""
        away = os.path.relpath(self.source, self.build)
        command = shlex.split(self.commands[output].replace(f'{away}/src', f'{root}/src')
                              .replace(f'{away}/include', f'{root}/include'))
        made = root / output.replace('/', '_')
        command[command.index('-o') + 1] = made
        command[command.index('-MF') + 1] = f'{made}.d'
        if 'explore' not in output:
            command.insert(1, f'-I{self.source}/tests/shim')
        command += ['-O1', '-g0', '-w', f'-ffile-prefix-map={root}=.']
        _, failed = run([word for word in command if word != '-Werror'], self.build)
        return None if failed else made

    def base_object(self, output):
        made = self.once.get(output, lambda: self.compile(output, self.base))
        if made is None:
            raise Red(f'{output} does not compile')
        return made

    def includes(self, output, file):
        names = pathlib.Path(f'{self.base_object(output)}.d').read_text()
        return f'{self.base}/{file}' in names.replace('\\\n', ' ').split()

    def mutated(self, output, file, root):
        """The object with the mutated file: that of base where it is the same."""
        base = self.base_object(output)
        if not self.includes(output, file):
            return base
        made = self.compile(output, root)
        same = made is not None and made.read_bytes() == base.read_bytes()
        return base if same else made

    def link_library(self, objects, root):
        self.run_linker(['-shared', '-o', root / 'libmutated.so', *objects, *LIBRARIES])

    def link_program(self, test, objects, library, root):
        support = self.base_object(self.of('tests/libsupport.a')[0])
        program = root / test.name
        if test.kind == EXPLORE:
            explorer = [self.base_object(it) for it in self.of('tests/explore/libexplorer.a')]
            rest = [*library, *explorer, *test.wraps]
        elif test.is_alone:
            rest = [*library, support, *test.wraps]
        else:
            rest = [support, f'-L{root}', f'-L{self.base}', '-lmutated']
        self.run_linker(['-o', program, *objects, *rest, *LIBRARIES])
        return program

    def run_linker(self, arguments):
        compiler = next(iter(self.commands.values())).split()[0]
        said, failed = run([compiler, *arguments], self.build)
        if failed:
            raise Red(said)


class Suite:
    """The tests, what they have seen so far, and how long they take without a mutation."""

    def __init__(self, builder):
        self.builder, self.seen = builder, collections.Counter()
        self.tests = list(self.find())

    def find(self):
        directories = {os.path.dirname(output)[:-2] for output in self.builder.commands}
        for directory in sorted(directories):
            name, objects = os.path.basename(directory), self.builder.of(directory)
            part, link = os.path.dirname(directory), self.builder.links.get(directory, '')
            wraps = sorted(set(re.findall(r'-Wl,--wrap=[\w,=-]+', link)))
            asserting = ASSERTING
            if 'libveryfast-asserting-fenced.a' in link:
                asserting = 'tests/libveryfast-asserting-fenced.a'
            if part == 'tests' and name.startswith('test_') and name != 'test_red':
                if f'{directory}-asserts' not in directories:
                    yield Test(name, UNIT, objects, asserting, [], wraps)
            elif name == 'random_programs':
                corpus = self.builder.source / 'tests/random/corpus'
                yield Test('random_corpus', RANDOM, objects, asserting, [corpus], [])
                yield Test(name, RANDOM, objects, asserting, [], [])
            elif part == 'tests/stress' and name.removeprefix('stress_') in QUICK_STRESS:
                yield Test(name, STRESS, objects, asserting, [], [])
            elif name.startswith('explore_') and not name.endswith('_no_tag'):
                archive = re.search(r'libexplored\w*\.a', link)[0]
                yield Test(name, EXPLORE, objects, f'tests/explore/{archive}', SCHEDULES, wraps)

    def ordered(self, file):
        stem = pathlib.Path(file).stem
        return sorted(self.tests, key=lambda test: (
            test.kind, -self.seen[file, test.name], stem not in test.name))

    def run(self, test, program, root, limit=None):
        return run([program, *test.arguments], self.builder.build, limit,
                   LD_LIBRARY_PATH=str(root), VF_RANDOM_PART=PART)

    def base(self, test):
        """The program without a mutation, and for how long it runs."""
        def make():
            builder = self.builder
            library = [builder.base_object(it) for it in builder.of(test.library)]
            if not test.is_alone:
                builder.once.get('library', lambda: builder.link_library(library, builder.base))
            objects = [builder.base_object(it) for it in test.objects]
            program = builder.link_program(test, objects, library, builder.base)
            begin = time.monotonic()
            said, failed = self.run(test, program, builder.base, SLOW)
            if failed:
                raise Red(f'{test.name} fails without a mutation:\n{said}')
            return program, time.monotonic() - begin
        return self.builder.once.get(test.name, make)


class Judge:
    """Which test sees the mutation?"""

    def __init__(self, suite, roots):
        self.suite, self.builder, self.roots = suite, suite.builder, roots

    def __call__(self, mutant):
        root, file = self.roots.get(), str(mutant.path.relative_to(self.builder.source))
        begin = time.monotonic()
        try:
            (root / file).write_text(mutant.text)
            verdict = self.verdict(file, root)
        finally:
            shutil.copy(self.builder.base / file, root / file)
            self.roots.put(root)
        print(f'{verdict:24} {time.monotonic() - begin:5.1f} s  {mutant.key}', flush=True)
        return verdict

    def verdict(self, file, root):
        libraries, is_linked, changed = {}, False, False
        for test in self.suite.ordered(file):
            base, seconds = self.suite.base(test)
            library = libraries.get(test.library)
            if library is None:
                library = [self.builder.mutated(it, file, root)
                           for it in self.builder.of(test.library)]
                libraries[test.library] = library
            if not test.is_alone and not is_linked and None not in library:
                self.builder.link_library(library, root)
                is_linked = True
            objects = [self.builder.mutated(it, file, root) for it in test.objects]
            if None in library + objects:
                return 'does not compile'
            own = any(it.parent == root for it in objects)
            if not own and not any(it.parent == root for it in library):
                continue
            changed, program = True, base
            if own or test.is_alone:
                program = self.builder.link_program(test, objects, library, root)
            said, failed = self.suite.run(test, program, root, 20 + 20 * seconds)
            if failed:
                self.suite.seen[file, test.name] += 1
                return f'{test.name} {HANGS if said == HANGS else ""}'
        return 'survives' if changed else 'same code'


def read_survivors(path):
    lines = [line for line in path.read_text().splitlines() if line and line[0] != '#']
    for line, after in zip(lines, [*lines[1:], '-']):
        if not line[0].isspace() and not after[0].isspace():
            raise Red(f'{path.name} does not say why: {line}')
    return {line for line in lines if not line[0].isspace()}


def choose(words, by_key, listed):
    ordered = mutants.sample(by_key.values(), '')
    if words == ['--few']:
        # of a header's everything is compiled again
        return [it for it in ordered[:SAMPLE]
                if it.key not in listed and it.path.suffix == '.c'][:FEW]
    if words and words[0].isdigit():
        seed = words[1] if len(words) > 1 else str(random.randrange(1 << 32))
        print(f'seed {seed}')
        return mutants.sample(by_key.values(), seed)[:int(words[0])]
    if words:
        return [it for it in ordered if all(word in it.key for word in words)]
    return ordered[:SAMPLE] + [it for it in ordered[SAMPLE:] if it.key in listed]


def report(verdicts, by_key, listed):
    """How many errors there are."""
    wrong = [f'not in the list: {key}' for key, verdict in verdicts.items()
             if verdict == 'survives' and key not in listed]
    wrong += [f'in the list, but {verdict}: {key}' for key, verdict in verdicts.items()
              if verdict != 'survives' and key in listed]
    wrong += [f'in the list, but no longer made: {key}' for key in sorted(listed - set(by_key))]
    count = collections.Counter(verdict if verdict in ('survives', 'same code', 'does not compile')
                                else 'seen' for verdict in verdicts.values())
    print('', *wrong, sep='\n')
    print(f"{len(verdicts)} mutations: {count['seen']} seen, {count['survives']} survive, "
          f"{count['same code']} are the same code, {count['does not compile']} do not compile")
    return len(wrong)


def main():
    source, build, *words = sys.argv[1:]
    source, build = pathlib.Path(source).resolve(), pathlib.Path(build).resolve()
    by_key = {mutant.key: mutant for mutant in mutants.all_of(source)}
    listed = read_survivors(pathlib.Path(__file__).with_name('survivors.txt'))
    workers = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as directory:
        roots = queue.Queue()
        for name in ['base', *map(str, range(workers))]:
            root = pathlib.Path(directory, name)
            for part in ('src', 'include'):
                shutil.copytree(source / part, root / part)
            if name != 'base':
                roots.put(root)
        suite = Suite(Builder(source, build, pathlib.Path(directory, 'base')))
        judge, chosen = Judge(suite, roots), choose(words, by_key, listed)
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            verdicts = dict(zip([it.key for it in chosen], pool.map(judge, chosen)))
    return min(report(verdicts, by_key, listed), 1)


try:
    sys.exit(main())
except Red as error:
    sys.exit(f'mutate.py: {error}')
