# SPDX-License-Identifier: MIT
"""mutate.py - breaks the library on purpose, and demands that the explorer sees it.

    mutate.py SOURCE BUILD LINK_ARGUMENTS [--few | --find] [WORD...]

mutations.txt has a line for each mutation (only lines with all the words are run):

    file | function | operation | mutation | scenario, or = why nothing can, or ? why nothing does

An operation is named as vf_load_acquire(p) would be: load_acquire p, with #2 where it is the second
such in its function. It becomes, by the mutation, one of a weaker order (relaxed, acquire, release,
acq_rel), no atomic operation at all (plain), or a load and a store with room between (torn). With a
mutation of "replace" the operation is the text to be replaced, => by what, ;; and so on.

Each mutation is applied to a copy, built as BUILD has built the scenario, and run at random and
within the bounds. Every atomic operation of the library must have a line. --few runs those only
that are marked with *; --find prints lines for operations that have none, with the first scenario
found to see it.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

KINDS = 'load|store|exchange|fetch_add|fetch_or|fetch_and|cas_weak|cas_strong'
ORDERS = 'relaxed|fenced|consume|acquire|release|acq_rel|seq_cst'
OPERATION = re.compile(rf'\bvf_({KINDS})_({ORDERS})\(')
FUNCTION = re.compile(r'^(?!typedef|#|struct|enum|union|extern)[A-Za-z].*?\b(\w+)\([^;]*$')

COMMENT = re.compile(r'\s*(/\*|\*[ /\n])')

# What an operation of some order is to become, one at a time.
WEAKER = {'seq_cst': ['acq_rel'], 'acq_rel': ['acquire', 'release'], 'acquire': ['relaxed'],
          'consume': ['relaxed'], 'fenced': ['relaxed'],          'release': ['relaxed'], 'relaxed': ['torn']}
NOT_FOR_ONE_WAY = {('load', 'acq_rel'): 'acquire', ('load', 'torn'): 'plain',
                   ('store', 'torn'): 'plain', ('store', 'acq_rel'): 'release'}

# The operations that atomic.h does not have: appended to the copy's.
MORE = r'''
#define vf_load_plain(p)          (*(p))
#define vf_store_plain(p, v)      ((void)(*(p) = (v)))
#define vf_fetch_or_acq_rel(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define vf_fetch_and_acq_rel(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
#define vf_exchange_torn(p, v)                                                                     \
    ({                                                                                             \
        __typeof__(*(p)) vf_before = vf_load_relaxed(p);                                           \
        vf_store_relaxed((p), (v));                                                                \
        vf_before;                                                                                 \
    })
#define vf_fetch_add_torn(p, v)                                                                    \
    ({                                                                                             \
        __typeof__(*(p)) vf_before = vf_load_relaxed(p);                                           \
        vf_store_relaxed((p), vf_before + (v));                                                    \
        vf_before;                                                                                 \
    })
#define vf_fetch_or_torn(p, v)                                                                     \
    ({                                                                                             \
        __typeof__(*(p)) vf_before = vf_load_relaxed(p);                                           \
        vf_store_relaxed((p), vf_before | (v));                                                    \
        vf_before;                                                                                 \
    })
#define vf_fetch_and_torn(p, v)                                                                    \
    ({                                                                                             \
        __typeof__(*(p)) vf_before = vf_load_relaxed(p);                                           \
        vf_store_relaxed((p), vf_before & (v));                                                    \
        vf_before;                                                                                 \
    })
#define vf_cas_strong_torn(p, expected, v)                                                         \
    ({                                                                                             \
        __typeof__(*(p)) vf_before = vf_load_relaxed(p);                                           \
        _Bool vf_same = vf_before == *(expected);                                                  \
        if (vf_same)                                                                               \
            vf_store_relaxed((p), (v));                                                            \
        else                                                                                       \
            *(expected) = vf_before;                                                               \
        vf_same;                                                                                   \
    })
#define vf_cas_weak_torn vf_cas_strong_torn
#define vf_cas_strong_release(p, expected, v)                                                      \
    __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
'''


def sources(root):
    """The files whose operations are to have lines: all but those that define them."""
    for path in sorted([*root.glob('src/*/*.[ch]'), *root.glob('include/veryfast/**/*.h')]):
        if not path.stem.startswith('atomic'):
            yield path


def operand(text, at):
    """The first argument of the call whose parenthesis ends at this place."""
    depth, end = 0, at
    while depth > 0 or text[end] not in ',)':
        depth += {'(': 1, ')': -1}.get(text[end], 0)
        end += 1
    return ' '.join(text[at:end].split())


def operations(text):
    """Function, name, and where the order stands, of each operation."""
    seen, function = {}, ''
    offset = 0
    for line in text.splitlines(keepends=True):
        begins = FUNCTION.match(line)
        if begins:
            function = begins.group(1)
        for found in [] if COMMENT.match(line) else OPERATION.finditer(line):
            kind, order = found.groups()
            name = f'{kind}_{order} {operand(text, offset + found.end())}'
            number = seen[function, name] = seen.get((function, name), 0) + 1
            if number > 1:
                name += f' #{number}'
            yield function, name, offset + found.start(2), offset + found.end(2)
        offset += len(line)


def weaker(name):
    kind, order = re.match(rf'({KINDS})_({ORDERS}) ', name).groups()
    return [NOT_FOR_ONE_WAY.get((kind, order), order) for order in WEAKER[order]]


def replace(text, pairs):
    for pair in pairs.split(' ;; '):
        old, new = (part.replace('\\n', '\n').replace('\\|', '|')
                    for part in re.split(' => ?', pair))
        if text.count(old) != 1:
            return None
        text = text.replace(old, new)
    return text


def mutate(text, line):
    """The text with the mutation of this line; None: that does not fit."""
    if line['mutation'] == 'replace':
        return replace(text, line['operation'])
    for function, name, begin, end in operations(text):
        if (function, name) == (line['function'], line['operation']):
            return text[:begin] + line['mutation'] + text[end:]
    return None


def read_table(path):
    for text in path.read_text().splitlines():
        if text and not text.startswith('#'):
            line = dict(zip(('file', 'function', 'operation', 'mutation', 'result'),
                            (part.strip() for part in text.split(' | '))))
            line['few'] = line['file'].startswith('*')
            line['file'] = line['file'].lstrip('* ')
            yield line


def archive_of(scenario):
    if scenario.startswith('epoch'):
        return 'explored_epoch'
    if scenario.startswith(('lanes', 'flip_lanes')):
        return 'explored_lanes'
    if scenario.startswith('keyed'):
        return 'explored_keyed'
    return 'explored_fenced' if '_fenced' in scenario else 'explored'


class Builder:
    """Builds scenarios against a copy of the library; those of epochs where there is liburcu."""

    def __init__(self, source, build, link):
        self.source, self.build, self.link = source, build, link
        self.library = {'explored': {}, 'explored_fenced': {}, 'explored_lanes': {},
                        'explored_keyed': {}, 'explored_epoch': {}}
        self.scenario = {}
        for entry in json.loads((build / 'compile_commands.json').read_text()):
            where, _, name = entry['output'].rpartition('/')
            archive = where.rpartition('/')[2].removeprefix('lib').removesuffix('.a.p')
            if archive in self.library:
                self.library[archive][name] = entry
            elif '/explore_' in where:
                self.scenario[where.split('/explore_')[1][:-2]] = entry

    def compile(self, entry, copy, output):
        relative = os.path.relpath(self.source, self.build)
        command = shlex.split(entry['command'].replace(f'{relative}/src', str(copy / 'src'))
                              .replace(f'{relative}/include', str(copy / 'include')))
        command[command.index('-o') + 1] = str(output)
        # what a mutation leaves unused is no matter
        return self.run([part for part in command if part != '-Werror'] + ['-w'])

    def run(self, command, **more):
        return subprocess.run(command, cwd=self.build, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              **more)

    def objects(self, archive, file, copy):
        """The library's objects that the mutation of this file changes, made anew."""
        for name, entry in self.library[archive].items():
            output = copy / f'{archive}_{name}'
            if file.endswith('.h') or entry['file'].endswith(file):
                built = self.compile(entry, copy, output)
                if built.returncode != 0:
                    raise RuntimeError(built.stdout.decode())
                yield output

    def program(self, name, copy, objects):
        archive = archive_of(name)
        link = [*self.link, '-pthread'] + ['-lurcu-memb'] * (archive == 'explored_epoch')
        scenario = copy / f'{name}.o'
        built = self.compile(self.scenario[name], copy, scenario)
        if built.returncode == 0:
            explore = self.build / 'tests/explore'
            compiler = self.scenario[name]['command'].split()[0]
            built = self.run([compiler, '-o', copy / name, scenario, *objects[archive],
                              explore / 'libexplorer.a', explore / f'lib{archive}.a', *link])
        if built.returncode != 0:
            raise RuntimeError(built.stdout.decode())
        return copy / name


def limit_time():
    """A mutation may make a program go on for ever. Not by the clock: the machine may be busy."""
    resource.setrlimit(resource.RLIMIT_CPU, (600, 600))


def fails(builder, program, arguments):
    status = builder.run([program, *arguments], preexec_fn=limit_time).returncode
    return status not in (0, -signal.SIGXCPU, -signal.SIGKILL)


RANDOM = ['--preemptions', '1000', '--stale', '1000', '--random']
RUNS = [RANDOM + ['300'], RANDOM + ['5000'], ['--stale', '1'], []]
RUNS_TO_FIND = {'plain': RUNS[:1], 'torn': RUNS[:2]}


def caught(builder, line, names, runs):
    """The first of the scenarios that sees the mutation; None: none does."""
    with tempfile.TemporaryDirectory() as directory:
        copy = pathlib.Path(directory)
        for part in ('src', 'include'):
            shutil.copytree(builder.source / part, copy / part)
        path = copy / line['file']
        path.write_text(mutate(path.read_text(), line))
        with open(copy / 'include/veryfast/detail/atomic.h', 'a', encoding='utf-8') as atomic:
            atomic.write(MORE)
        objects = {archive: list(builder.objects(archive, line['file'], copy))
                   for archive in set(map(archive_of, names))}
        programs = {name: builder.program(name, copy, objects) for name in names}
        for arguments in runs:
            for name, program in programs.items():
                if fails(builder, program, arguments):
                    return name
    return None


FILES = {'buffer': 'smallbuf', 'epoch': 'epoch|defer'}
SCENARIOS = {'buffer': 'push|writer|flip|lanes', 'epoch': 'epoch', 'none': '.*_no_tag'}


def kind_of(name, kinds):
    return next((kind for kind, words in kinds.items() if re.search(words, name)), 'pool')


def find(builder, missing):
    """Prints a line for each of these operations and each mutation of it."""
    def look(line):
        names = [name for name in sorted(builder.scenario)
                 if kind_of(line['file'], FILES) == kind_of(name, SCENARIOS)]
        line['result'] = caught(builder, line, names,
                                RUNS_TO_FIND.get(line['mutation'], RUNS[:3])) or '?'
        print(' | '.join(line.values()), flush=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(look, missing))


def check(builder, table):
    """Are all seen that are to be? Prints those that are not."""
    def look(line):
        name = line['result']
        if mutate((builder.source / line['file']).read_text(), line) is None:
            return 'does not fit'
        if name not in builder.scenario:
            return 'no such scenario'
        return None if caught(builder, line, [name], RUNS) else 'not seen'
    lines = [line for line in table if line['result'][0] not in '=?' and
             builder.library[archive_of(line['result'])]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [(line, what) for line, what in zip(lines, pool.map(look, lines)) if what]
    for line, what in wrong:
        print(f"{what}: {line['file']} {line['function']}: {line['operation']}"
              f" -> {line['mutation']} ({line['result']})")
    equal = sum(line['result'][0] == '=' for line in table)
    print(f'{len(lines) - len(wrong)} of {len(lines)} mutations seen; {equal} lines say why nothing'
          f' can see it, {sum(line["result"][0] == "?" for line in table)} what it would take')
    return len(wrong)


def without_line(source, table):
    known = {(line['file'], line['function'], line['operation'], line['mutation'])
             for line in table}
    whole = {line['file'] for line in table if line['function'] == '*'}
    for path in sources(source):
        file = str(path.relative_to(source))
        for function, name, _, _ in operations(path.read_text()):
            for mutation in weaker(name):
                if file not in whole and (file, function, name, mutation) not in known:
                    yield {'file': file, 'function': function, 'operation': name,
                           'mutation': mutation}


def unknown(source, table):
    """Lines of operations that there are no longer."""
    there = {(str(path.relative_to(source)), *operation[:2]) for path in sources(source)
             for operation in operations(path.read_text())}
    lines = [line for line in table if line['mutation'] not in ('*', 'replace') and
             (line['file'], line['function'], line['operation']) not in there]
    for line in lines:
        print(f"no such operation: {line['file']} {line['function']}: {line['operation']}")
    return lines


def main():
    options = {word for word in sys.argv[1:] if word in ('--few', '--find')}
    source, build, *rest = [word for word in sys.argv[1:] if word not in options]
    link = [word for word in rest if word.startswith('-Wl')]
    words = [word for word in rest if not word.startswith('-Wl')]
    table = list(read_table(pathlib.Path(__file__).with_name('mutations.txt')))
    builder = Builder(pathlib.Path(source).resolve(), pathlib.Path(build).resolve(), link)
    missing = list(without_line(builder.source, table))
    if '--find' in options:
        find(builder, [line for line in missing if all(w in ' '.join(line.values())
                                                       for w in words)])
        return 0
    for line in missing:
        print(f"no line: {' | '.join(line.values())}")
    missing += unknown(builder.source, table)
    chosen = [line for line in table if (line['few'] or '--few' not in options) and
              all(word in ' '.join(map(str, line.values())) for word in words)]
    return min(check(builder, chosen) + len(missing), 1)


sys.exit(main())
