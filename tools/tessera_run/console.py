"""The console, COM3: the serial port of the one libOS that was given it, in both directions.

A scenario types by itself ([[typed]]), each line when the console has shown what the line waits for; or a person does, at the
terminal. Only what a person looks at goes to the terminal as it is: that is what a console is for.
"""

import contextlib
import os
import re
import sys
import termios
import tty

from .log import LARGEST

LEAVE = b"\x1d"  # Ctrl-].
_NOT_TEXT = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]|\x1b.|\r")


class Console:
    """The runner's end of the port; `connection` is a socket. `typed`: what to type, as [[typed]] says."""

    def __init__(self, connection, typed=()):
        self._connection, self._typed = connection, list(typed)
        self._text, self._seen = "", 0

    def feed(self, some):
        """Takes what the machine sent; answers it by what is to be typed behind it."""
        if len(self._text) > LARGEST:
            return
        self._text += some.decode("utf-8", "replace")
        while self._typed and (found := self._typed[0].after.search(self._text, self._seen)):
            self._seen = found.end()
            self.type(self._typed.pop(0).line.encode() + b"\r")

    def type(self, some):
        """Sends bytes to the machine, which may have ended meanwhile."""
        with contextlib.suppress(OSError):
            self._connection.sendall(some)

    @property
    def lines(self):
        return _NOT_TEXT.sub("", self._text).splitlines()

    @property
    def untyped(self):
        """What nobody asked for."""
        return [one.line for one in self._typed]


class Terminal:
    """Connects a console with the terminal, or with whatever standard input and output are."""

    def __init__(self, connection):
        self._console = Console(connection)
        self.left = False
        self.lines, self.untyped = [], []

    def feed(self, some):
        os.write(sys.stdout.fileno(), some)

    def from_person(self, some):
        """Takes what was typed; Ctrl-] at a terminal means to leave."""
        typed, leave, _ = some.partition(LEAVE)
        self.left = bool(leave)
        self._console.type(typed)


@contextlib.contextmanager
def raw_terminal():
    """Keys go through as they are pressed, while this lasts; nothing happens where standard input is no terminal."""
    fd = sys.stdin.fileno()
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
