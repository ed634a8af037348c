"""Reads an interface file. Whatever is wrong in it is said with its line; what comes out can be generated as it is.

    interface calculator version 2 {
        u64 add(u64 a, u64 b);
        (u64 quotient, u64 remainder) divide(u64 dividend, u64 divisor);
        bytes<256> echo(bytes<256> data);
        oneway stop();
    }
"""

import re
import zlib
from dataclasses import dataclass, field

SCALARS = {"bool": "bool", **{f"{sign}{bits}": f"{'std::int' if sign == 'i' else 'u'}{bits}{'_t' if sign == 'i' else ''}"
                              for sign in "ui" for bits in (8, 16, 32, 64)}}
MOST_WORDS = 9            # abi/transfer.hpp: ten words go over, the first says what is wanted or how it went.
MOST_PROCEDURES = 1000
MOST_BYTES = 16384        # Of all arguments and results of a procedure that are bytes: they lie on a stack.
MOST_VERSION = 0xffff

# What a name may not be: C++'s own words, and those that the generated code has uses for.
RESERVED = set("""alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const
    consteval constexpr constinit continue co_await co_return co_yield decltype default delete do double dynamic_cast else
    enum explicit export extern false float for friend goto if inline int interface long mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires return short signed sizeof
    static static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename union
    unsigned using version virtual void volatile wchar_t while xor xor_eq bytes oneway std tessera libos rpc u8 u16 u32 u64
    i8 i16 i32 i64 open close server set_patience request put get transfer send message guard publish handler dispatch
    procedure call caller result""".split())

TOKEN = re.compile(r"\s*(?:#[^\n]*\s*)*(?:([A-Za-z_][A-Za-z0-9_]*)|([0-9]+)|([(){}<>,;])|(\S))")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class BadInterface(Exception):
    """What is wrong, and in which line."""


@dataclass(frozen=True)
class Parameter:
    kind: str      # A scalar's name, or "bytes".
    name: str
    most: int = 0  # bytes: how many.

    @property
    def is_bytes(self):
        return self.kind == "bytes"


@dataclass(frozen=True)
class Procedure:
    number: int
    name: str
    arguments: list
    results: list
    oneway: bool = False

    def bytes_of(self, parameters):
        """The parameters that are bytes, each with its place in its part of the window."""
        offset = 0
        for parameter in parameters:
            if parameter.is_bytes:
                yield parameter, offset
                offset += (parameter.most + 7) // 8 * 8

    def size_of(self, parameters):
        """How much of the window they take."""
        return sum((parameter.most + 7) // 8 * 8 for parameter in parameters if parameter.is_bytes)


@dataclass
class Interface:
    name: str
    version: int
    procedures: list = field(default_factory=list)

    @property
    def number(self):
        """What tells interfaces apart on the way: the CRC-32 of the name."""
        return zlib.crc32(self.name.encode())

    @property
    def request_size(self):
        return max((one.size_of(one.arguments) for one in self.procedures), default=0)

    @property
    def answer_size(self):
        return max((one.size_of(one.results) for one in self.procedures), default=0)


class _Reader:
    def __init__(self, text, file):
        self.text, self.file, self.at = text, file, 0
        self.advance()

    def fail(self, what):
        line = self.text.count("\n", 0, self.start) + 1
        raise BadInterface(f"{self.file}:{line}: {what}")

    def advance(self):
        match = TOKEN.match(self.text, self.at)
        self.token, self.start = "", len(self.text)
        if match:
            self.token, self.start, self.at = match[match.lastindex], match.start(match.lastindex), match.end()
            if match.lastindex == 4:
                self.fail(f"'{ascii(self.token)[1:-1]}' means nothing here")

    def take(self, wanted):
        if self.token != wanted:
            self.fail(f"expected '{wanted}', not '{self.token or 'the end'}'")
        self.advance()

    def takes(self, wanted):
        if self.token != wanted:
            return False
        self.advance()
        return True

    def number(self, what, most):
        if not self.token.isdigit() or len(self.token) > 9 or not 1 <= int(self.token) <= most:
            self.fail(f"{what} must be a number from 1 to {most}, not '{self.token}'")
        value = int(self.token)
        self.advance()
        return value

    def name(self, taken, what):
        if not NAME.fullmatch(self.token) or len(self.token) > 60:
            self.fail(f"'{self.token}' is no name for {what}: a-z, 0-9 and single _, a letter first")
        if self.token in RESERVED:
            self.fail(f"'{self.token}' has another meaning and cannot be the name of {what}")
        if self.token in taken:
            self.fail(f"there is {what} '{self.token}' already")
        name = self.token
        taken.add(name)
        self.advance()
        return name

    def type(self):
        kind = self.token
        if kind == "bytes":
            self.advance()
            self.take("<")
            most = self.number("the most bytes", MOST_BYTES)
            self.take(">")
            return kind, most
        if kind not in SCALARS:
            self.fail(f"there is no type '{kind}'; there are {', '.join(SCALARS)}, bytes<N>")
        self.advance()
        return kind, 0

    def parameters(self, taken, what):
        found = []
        self.take("(")
        while not self.takes(")"):
            if found:
                self.take(",")
            kind, most = self.type()
            found.append(Parameter(kind, self.name(taken, what), most))
        return found

    def procedure(self, number, taken):
        names, results, oneway = set(), [], False
        if self.takes("oneway"):
            oneway = True
        elif self.token == "(":
            results = self.parameters(names, "a result")
            if not results:
                self.fail("no results are written as void")
        elif not self.takes("void"):
            kind, most = self.type()
            results = [Parameter(kind, "answered", most)]
            names.add("answered")
        name = self.name(taken, "a procedure")
        procedure = Procedure(number, name, self.parameters(names, "an argument"), results, oneway)
        self.check(procedure)
        self.take(";")
        return procedure

    def check(self, procedure):
        if any(one.name == procedure.name for one in procedure.arguments + procedure.results):
            self.fail(f"{procedure.name} and one of its arguments or results have the same name")
        for parameters, what in ((procedure.arguments, "arguments"), (procedure.results, "results")):
            if len(parameters) > MOST_WORDS:
                self.fail(f"{procedure.name} has {len(parameters)} {what}; {MOST_WORDS} go over at most")
        if procedure.size_of(procedure.arguments + procedure.results) > MOST_BYTES:
            self.fail(f"{procedure.name} has more than {MOST_BYTES} bytes to hand over")
        if procedure.oneway and procedure.size_of(procedure.arguments):
            self.fail(f"{procedure.name} is one way: nobody could know when its bytes have been read")

    def interface(self):
        self.take("interface")
        name = self.name(set(), "an interface")
        self.take("version")
        interface = Interface(name, self.number("the version", MOST_VERSION))
        self.take("{")
        taken = set()
        while not self.takes("}"):
            if len(interface.procedures) == MOST_PROCEDURES:
                self.fail(f"more than {MOST_PROCEDURES} procedures")
            interface.procedures.append(self.procedure(len(interface.procedures), taken))
        if not interface.procedures:
            self.fail(f"{name} has no procedures")
        if self.token:
            self.fail(f"'{self.token}' behind the end of the interface")
        return interface


def read(text, file="interface"):
    """The interface that `text` describes. Raises BadInterface."""
    return _Reader(text, file).interface()
