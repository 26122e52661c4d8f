# SPDX-License-Identifier: MIT
"""mutants.py - the mutations of logic that there are of the library's sources, one at a time.

    a condition is negated; && becomes ||, and == becomes !=, and the reverse
    a call or an assignment is dropped
    < becomes <=, > becomes >=, and the reverse; + 1 and - 1 are dropped; 0 and 1 are exchanged,
    and any other number is one more

in the bodies of functions. Not within assertions, probes and macros that are nothing here, and not
in what is compiled for checked builds, for Windows or for C++ only.
"""
import collections
import hashlib
import re

TOKEN = re.compile(r'''(?P<comment>/\*.*?\*/|//[^\n]*)
                     | (?P<directive>^[ \t]*\#(?:/\*.*?\*/|\\.|[^\n])*)
                     | (?P<space>\s+)
                     | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
                     | (?P<word>[A-Za-z_]\w*)
                     | (?P<number>\d[\w.]*)
                     | (?P<sign><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|[-+*/%&|^=!<>]=|&&|\|\||.)''',
                   re.VERBOSE | re.DOTALL | re.MULTILINE)
Token = collections.namedtuple('Token', 'kind text begin end')
Mutant = collections.namedtuple('Mutant', 'path key text') # the key is what people read

LEFT_ALONE = re.compile(r'checked|probe\.h|sanitize\.h|atomic\.h')
NOT_HERE = re.compile(r'VF_CHECKED|VF_BYPASS|_WIN32|__cplusplus')
UNSEEN = re.compile(r'assert|static_assert|_Static_assert|VF_PROBE|vf_tsan_\w+|vf_check(ed|s)_\w+')
NOTHING = re.compile(r'^\s*#\s*define (\w+)\(.*\)\s+\(\(void\)0\)$', re.MULTILINE)
KEYWORDS = {'return', 'break', 'continue', 'goto', 'if', 'else', 'while', 'for', 'do', 'switch',
            'case', 'default', 'static_assert', '_Static_assert', 'sizeof'}
ASSIGNS = {'=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=', '++', '--'}
OTHER = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '&&': '||', '||': '&&'}
REVERSED = {'==': '!=', '!=': '=='}


def tokens(text):
    """Those that mean something, without the parts that are not compiled here."""
    compiled = [] # for each #if that is open
    for found in TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == 'directive':
            word, _, rest = found.group().strip().lstrip('# ').partition(' ')
            if word in ('if', 'ifdef', 'ifndef'):
                without = word == 'ifndef' or '!' in rest
                compiled.append(without or not NOT_HERE.search(rest))
                other = not (without and NOT_HERE.search(rest))
            elif word in ('else', 'elif'):
                compiled[-1] = other
            elif word == 'endif':
                compiled.pop()
        elif kind not in ('comment', 'space') and all(compiled):
            yield Token(kind, found.group(), found.start(), found.end())


def matches(list_of_tokens):
    """For each bracket, the place of the one that belongs to it."""
    other, open_ones = {}, []
    for i, token in enumerate(list_of_tokens):
        if token.text in ('(', '[', '{'):
            open_ones.append(i)
        elif token.text in (')', ']', '}') and open_ones:
            other[i] = open_ones.pop()
            other[other[i]] = i
    return other


class Body:
    """A function's body, tokens[begin:end]."""

    def __init__(self, all_tokens, other, begin, nothing):
        self.tokens, self.other, self.begin, self.end = all_tokens, other, begin, other[begin]
        self.unseen = set()
        for i in range(begin, self.end):
            name = self.text(i)
            if (UNSEEN.fullmatch(name) or name in nothing) and self.text(i + 1) == '(':
                self.unseen.update(range(i, other[i + 1] + 1))

    def text(self, i):
        return self.tokens[i].text

    def conditions(self):
        """First and last token of the conditions of if, while and for."""
        for i in range(self.begin, self.end):
            if self.text(i) not in ('if', 'while', 'for') or self.text(i + 1) != '(':
                continue
            first, last = i + 2, self.other[i + 1] - 1
            if self.text(i) == 'for':
                ends = [k for k in range(first, last + 1) if self.text(k) == ';']
                first, last = ends[0] + 1, ends[1] - 1
            if first <= last:
                yield first, last

    def statements(self):
        """First and last token of each that is an expression which does something."""
        i = self.begin + 1
        while i < self.end:
            text = self.text(i)
            if text in ('if', 'while', 'for', 'switch') and self.text(i + 1) == '(':
                i = self.other[i + 1]
            elif text not in ('{', '}', ';', 'else', 'do'):
                last, ends = i, {';', '}'}
                if text in ('case', 'default') or self.text(i + 1) == ':':
                    ends.add(':')
                while self.text(last) not in ends:
                    last = self.other[last] if self.text(last) in ('(', '[', '{') else last
                    last += 1
                if self.text(last) == ';' and self.acts(i, last):
                    yield i, last
                i = last
            i += 1

    def acts(self, first, last):
        """Is it no declaration, and does it assign or call?"""
        second = first + 1
        while self.text(second) == '*':
            second += 1
        is_word = self.tokens[first].kind == 'word'
        if self.text(first) in KEYWORDS or is_word and self.tokens[second].kind == 'word':
            return False
        return any(self.text(i) in ASSIGNS or
                   self.tokens[i].kind == 'word' and self.text(i) not in KEYWORDS and
                   self.text(i + 1) == '(' for i in range(first, last))

    def changes(self):
        """(first token, last token, what the text from one to the other becomes)"""
        for first, last in self.statements():
            if not self.unseen & set(range(first, last + 1)):
                yield first, last, ';'
        in_condition = set()
        for first, last in self.conditions():
            in_condition.update(range(first, last + 1))
            yield first, last, '!({})'
        for i in range(self.begin, self.end):
            if i not in self.unseen:
                yield from self.small_changes(i, i in in_condition)

    def small_changes(self, i, in_condition):
        kind, text = self.tokens[i][:2]
        binary = self.tokens[i - 1].kind in ('word', 'number') or self.text(i - 1) in (')', ']')
        if kind == 'sign' and text in OTHER:
            yield i, i, OTHER[text]
        elif kind == 'sign' and text in REVERSED and not in_condition:
            yield i, i, REVERSED[text]
        elif text in ('+', '-') and binary and self.text(i + 1) == '1':
            yield i, i + 1, ''
        elif kind == 'number' and text.isdigit() and self.counts(i):
            yield i, i, {'0': '1', '1': '0'}.get(text, str(int(text) + 1))

    def counts(self, i):
        """A number that is neither what + 1 drops nor the size of an array."""
        before = self.text(i - 1)
        return before not in {'0': (), '1': ('+', '-')}.get(self.text(i), ('[',))


def functions(all_tokens, nothing):
    """The name and the body of each."""
    i, other = 0, matches(all_tokens)
    while i < len(all_tokens):
        if all_tokens[i].text == '{' and i in other:
            if all_tokens[i - 1].text == ')':
                name = all_tokens[other[i - 1] - 1].text
                yield name, Body(all_tokens, other, i, nothing)
            i = other[i]
        i += 1


def lines(text, begin, end):
    begin, end = text.rfind('\n', 0, begin) + 1, text.find('\n', end)
    return ' '.join(re.sub(r'/\*.*?\*/', '', text[begin:end], flags=re.DOTALL).split())


def of_file(path, nothing):
    text, times = path.read_text(), collections.Counter()
    all_tokens = list(tokens(text))
    for name, body in functions(all_tokens, nothing):
        for first, last, becomes in body.changes():
            begin, end = all_tokens[first].begin, all_tokens[last].end
            old = text[begin:end]
            new = becomes.format(old) if '{' in becomes else becomes + '\n' * old.count('\n')
            mutated = text[:begin] + new + text[end:]
            key = (f'{path.name} {name}: {lines(text, begin, end)}'
                   f' => {lines(mutated, begin, begin + len(new))}')
            times[key] += 1
            if times[key] > 1:
                key += f' #{times[key]}'
            yield Mutant(path, key, mutated)


def all_of(source):
    paths = [path for part in ('src', 'include/veryfast')
             for path in sorted((source / part).rglob('*.[ch]'))]
    nothing = {name for path in paths for name in NOTHING.findall(path.read_text())}
    for path in paths:
        if not LEFT_ALONE.search(str(path.relative_to(source))):
            yield from of_file(path, nothing)


def sample(mutants, seed):
    """In an order that hangs on the seed, and changes with an edit only where that edit is."""
    return sorted(mutants, key=lambda it: hashlib.sha256((seed + it.key).encode()).digest())


if __name__ == '__main__':
    import pathlib
    import sys
    for mutant in all_of(pathlib.Path(sys.argv[1])):
        print(mutant.key)
