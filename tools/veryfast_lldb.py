# SPDX-License-Identifier: MIT
"""Pools in lldb: what veryfast-gdb.py, beside this file, shows of them in gdb.

    (lldb) command script import PREFIX/share/veryfast/veryfast_lldb.py
    (lldb) veryfast                          all pools of the program, a line each
    (lldb) veryfast-map pool [FILE.svg]      where in its batches the live objects are

It is the same program: here stands what that uses of gdb, by lldb's means.
"""
import contextlib
import io
import sys
import types
from pathlib import Path

import lldb


class Error(Exception):
    pass


def target():
    return lldb.debugger.GetSelectedTarget()


class Type:
    def __init__(self, inner):
        self.inner, self.sizeof = inner, inner.GetByteSize()

    def pointer(self):
        return Type(self.inner.GetPointerType())

    def range(self):
        return 0, self.sizeof // self.inner.GetArrayElementType().GetByteSize() - 1


class Address:
    """A pointer that no variable holds."""

    def __init__(self, number, pointer_type=None):
        self.number, self.type = int(number), pointer_type

    def __int__(self):
        return self.number

    def cast(self, pointer_type):
        return Address(self.number, pointer_type)

    def dereference(self):
        place = lldb.SBAddress(self.number, target())
        return Value(target().CreateValueFromAddress('it', place,
                                                     self.type.inner.GetPointeeType()))

    def string(self):
        return target().GetProcess().ReadCStringFromMemory(self.number, 1000, lldb.SBError())


class Value:
    def __init__(self, inner):
        if not inner.IsValid() or inner.GetError().Fail():
            raise Error(f'cannot be read: {inner.GetError()}')
        self.inner, self.type = inner, Type(inner.GetType())

    def __getitem__(self, key):
        if isinstance(key, str):
            return Value(self.inner.GetChildMemberWithName(key))
        return Value(self.inner.GetChildAtIndex(key))

    def __int__(self):
        kind = self.inner.GetType().GetCanonicalType().GetBasicType()
        signed = kind in (lldb.eBasicTypeInt, lldb.eBasicTypeLong, lldb.eBasicTypeLongLong)
        return self.inner.GetValueAsSigned() if signed else self.inner.GetValueAsUnsigned()

    def __bool__(self):
        return int(self) != 0

    def __sub__(self, other):
        return (int(self) - int(other)) // self.inner.GetType().GetPointeeType().GetByteSize()

    @property
    def address(self):
        return Address(self.inner.GetLoadAddress(), self.type.pointer())

    def dereference(self):
        return Value(self.inner.Dereference())


class Inferior:
    def read_memory(self, address, size):
        error = lldb.SBError()
        memory = target().GetProcess().ReadMemory(address, size, error) if size else b''
        if error.Fail():
            raise Error(str(error))
        return memory


def lookup_type(name):
    basic = {'void': lldb.eBasicTypeVoid, 'char': lldb.eBasicTypeChar}
    if name in basic:
        return Type(target().GetBasicType(basic[name]))
    found = target().FindFirstType(name.removeprefix('struct '))
    if not found.IsValid():
        raise Error(f'no type {name}')
    return Type(found)


def parse_and_eval(text):
    known = target().FindFirstGlobalVariable(text)
    if known.IsValid():
        return Value(known)
    frame = target().GetProcess().GetSelectedThread().GetSelectedFrame()
    return Value(frame.EvaluateExpression(text))


def endian(command, to_string):
    return 'big' if target().GetByteOrder() == lldb.eByteOrderBig else 'little'


class Command:
    def __init__(self, name, *what):
        COMMANDS[name] = self


COMMANDS = {}


def load():
    printing = types.SimpleNamespace(PrettyPrinter=object,
                                     register_pretty_printer=lambda *of, **how: None)
    gdb = types.SimpleNamespace(
        Value=Address, Command=Command, error=Error, GdbError=Error, printing=printing,
        lookup_type=lookup_type, parse_and_eval=parse_and_eval, execute=endian,
        selected_inferior=Inferior, current_objfile=lambda: None, COMMAND_STATUS=0,
        COMMAND_DATA=0, COMPLETE_EXPRESSION=0)
    script = Path(__file__).with_name('veryfast-gdb.py')
    text = script.read_text().replace('import gdb\nimport gdb.printing\n', '')
    text = text.replace('register_pretty_printer(gdb.current_objfile(), Printers(),',
                        'register_pretty_printer(')
    exec(compile(text, script, 'exec'), {'gdb': gdb, '__name__': 'veryfast'})


def run(name, argument, result):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            COMMANDS[name].invoke(argument, False)
    except Error as error:
        result.SetError(str(error))
    result.PutCString(out.getvalue().rstrip('\n'))


def show_all(debugger, argument, result, inner):
    run('info veryfast', argument, result)


def show_map(debugger, argument, result, inner):
    run('veryfast-map', argument, result)


def __lldb_init_module(debugger, inner):
    load()
    for name, function in {'veryfast': 'show_all', 'veryfast-map': 'show_map'}.items():
        debugger.HandleCommand(f'command script add -f {__name__}.{function} {name}')
