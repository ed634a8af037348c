"""Follows a program in QEMU instruction by instruction, by gdb's remote protocol.

Only what the benchmarks need: a breakpoint, going on, single steps, registers, memory.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import time

from tessera_run import iso, machine

RAX, RDX, RDI, RIP = 0, 3, 5, 16  # Numbers of registers in gdb's x86-64 order.
RDTSC = b"\x0f\x31"


class Stepper:
    """A machine that stands still until it is told to go."""

    def __init__(self, stream):
        self._stream = stream
        self._buffer = b""

    def _receive(self):
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if start >= 0 and 0 <= end < len(self._buffer) - 2:
                payload = self._buffer[start + 1:end]
                self._buffer = self._buffer[end + 3:]
                self._stream.sendall(b"+")
                return payload.decode("latin-1")
            some = self._stream.recv(1 << 16)
            if not some:
                raise ConnectionError("the emulator has ended")
            self._buffer += some

    def ask(self, text):
        """Sends a packet; answers the reply."""
        data = text.encode("latin-1")
        self._stream.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))
        return self._receive()

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask("g")[16 * number:16 * number + 16]), "little")

    def memory(self, address, size):
        reply = self.ask(f"m{address:x},{size:x}")
        return b"" if reply.startswith("E") else bytes.fromhex(reply)

    def tsc(self):
        """What the time stamp counter says. The program is made to read it and jump back to where it stands: rax and rdx are
        lost, no others, as QEMU sets none well outside of 64-bit mode."""
        code, at = RDTSC + b"\xeb\xfc", self.register(RIP)
        before = self.memory(at, len(code))
        self.ask(f"M{at:x},{len(code):x}:{code.hex()}")
        self.step()
        low, high = self.register(RAX), self.register(RDX)
        self.step()
        self.ask(f"M{at:x},{len(before):x}:{before.hex()}")
        return high << 32 | low & 0xffffffff

    def break_at(self, address):
        self.ask(f"Z0,{address:x},1")

    def do_not_break_at(self, address):
        self.ask(f"z0,{address:x},1")

    def go_on(self):
        """Runs to the next breakpoint."""
        return self.ask("c")

    def step(self):
        """One instruction; answers the address of the next."""
        self.ask("s")
        return self.register(RIP)


def _connect(path, process):
    for _ in range(200):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(60)
        try:
            stream.connect(path)
            return stream
        except OSError:
            stream.close()
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise ConnectionError("the emulator does not listen")


@contextlib.contextmanager
def started(command, output=subprocess.DEVNULL):
    """A Stepper on QEMU, called by `command`, which stands at its first instruction; ended afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        # Not TCP: three packets a step, each delayed by an acknowledgement, take an eighth of a second.
        path = os.path.join(folder, "gdb")
        command = [*command, "-S", "-gdb", f"unix:{path},server=on,wait=off"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL)
        try:
            with _connect(path, process) as stream:
                yield Stepper(stream)
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def booted(scenario):
    """The same on a scenario's machine."""
    image = iso.make(scenario)
    with tempfile.TemporaryDirectory() as folder:
        command = machine.qemu_command(scenario.machine, image, os.path.join(folder, "com1"), os.path.join(folder, "com2"))
        with started(command) as stepped:
            yield stepped
