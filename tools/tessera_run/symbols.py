"""Names for the addresses in the kernel's log: a panic's backtrace, and where a libOS was when it was ended.

The kernel prints numbers; function, file and line are put behind them here, by binutils' addr2line from the very
images that were booted. Only the kernel's own lines get names, and the verdict is given on the lines without them.
"""

import functools
import os
import re
import subprocess

from . import iso

_FRAME = re.compile(r"^\[tessera\]   #(\d+) (0x[0-9a-f]{1,16})$")
_RIP = re.compile(r"^\[tessera\] rip (0x[0-9a-f]{1,16}) cs ")
_ENDED = re.compile(r"^\[tessera\] ([a-z0-9_-]{1,15}) ended: .*\brip (0x[0-9a-f]{1,16})\b")
_REASON = re.compile(r"\brip (0x[0-9a-f]{1,16})\b")
_SECONDS = 10


@functools.lru_cache(maxsize=4096)
def find(image, stamp, address):
    """`function (file:line)` of an address in an ELF file, as far as is known; "" when nothing is.
    `stamp`: what makes another answer of another build."""
    del stamp
    try:
        made = subprocess.run(["addr2line", "-f", "-C", "-e", str(image), hex(address)], capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    function, _, place = made.stdout.strip().partition("\n")
    if made.returncode or not function or function.startswith("??"):
        return ""
    place = re.sub(r" \(discriminator \d+\)", "", place)
    return function if place.startswith("??") else f"{function} ({os.path.normpath(place)})"


def _in(image, address):
    try:
        stamp = image.stat().st_mtime_ns
    except OSError:
        return ""
    return find(image, stamp, address)


class Namer:
    """Call it with a log line: the line comes back with the name behind it, if it has an address that has one."""

    def __init__(self, scenario):
        self._kernel = iso.KERNELS[scenario.kernel.image]
        self._images = {libos.name: iso.image_path(libos) for libos in scenario.libos}

    def __call__(self, line):
        name = self._of(line)
        return f"{line}  {name}" if name else line

    def _of(self, line):
        if frame := _FRAME.match(line):
            # What stands on the stack is where a call returns to: the call is just before it.
            return _in(self._kernel, int(frame[2], 16) - (frame[1] != "0"))
        if rip := _RIP.match(line):
            return _in(self._kernel, int(rip[1], 16))
        if ended := _ENDED.match(line):
            return self.where(ended[1], line)
        return ""

    def where(self, name, reason):
        """The place in a libOS's image that the reason for its end names; "" without one, or for no image of ours."""
        rip = _REASON.search(reason)
        return _in(self._images[name], int(rip[1], 16)) if rip and name in self._images else ""
