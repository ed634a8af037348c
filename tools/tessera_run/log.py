"""The log, COM1: bytes into lines, and lines onto the screen.

A libOS chooses what it prints, so nothing of it reaches the terminal that could move the cursor or change a
setting. What firmware and GRUB print before the kernel's first line is kept apart: it is of interest only when
no kernel line ever comes.
"""

import os
import re
import sys
import zlib

_ESCAPES = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b.")
_NAMED = re.compile(r"\[([a-z0-9_-]{1,15})\] ")
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LARGEST = 16 << 20  # Bytes of log, after which the machine is stopped.
_LONGEST_LINE = 4096


class Log:
    """Feed it bytes; .lines is the kernel's log so far, .preface what came before it, .size the bytes taken."""

    def __init__(self, show=None):
        self.lines, self.preface, self.size = [], [], 0
        self._show = show or (lambda line: None)
        self._rest = b""

    def feed(self, some, at_end=False):
        self.size += len(some)
        *whole, self._rest = (self._rest + some).split(b"\n")
        if len(self._rest) > _LONGEST_LINE or (at_end and self._rest):
            whole.append(self._rest)
            self._rest = b""
        for line in whole:
            self._add(line)

    def _add(self, line):
        text = _ESCAPES.sub("", line.decode("utf-8", "replace")).rstrip("\r").lstrip("\r")
        text = "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
        if not self.lines and not _NAMED.match(text):
            self.preface.append(text)
            return
        self.lines.append(text)
        self._show(text)


def printer(named_line=lambda line: line, stream=sys.stdout):
    """A function that prints log lines, in a colour for each environment where the stream is a terminal.
    `named_line` puts names behind addresses (symbols.py)."""
    colours = stream.isatty() and "NO_COLOR" not in os.environ

    def show(line):
        line = named_line(line)
        named = _NAMED.match(line)
        if colours and named and named[1] != "tessera":
            colour = _COLOURS[zlib.crc32(named[1].encode()) % len(_COLOURS)]
            line = f"\x1b[{colour}m[{named[1]}]\x1b[0m{line[named.end() - 1:]}"
        elif colours and named:
            line = f"\x1b[2m{line}\x1b[0m"
        print(line, file=stream, flush=True)

    return show
