"""Runs the emulator and gathers what comes out: the log, the records, how it ended and how long it took."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

from . import machine as machines
from .console import Console, Terminal, raw_terminal
from .iso import BootError
from .log import LARGEST, Log
from .records import Decoder


# Seconds until the kernel's first line; the scenario's time limit counts from there on. UEFI firmware waits by counting time,
# which under icount is counting instructions: that takes a minute.
BOOT_ALLOWANCE = 300


@dataclass
class Outcome:
    """What one run did; verdict.py judges it."""

    command: list
    bochs: bool = False
    status: int = 0            # The emulator's exit status; negative: the signal that killed it.
    stopped: str = ""          # Why the runner stopped it, if it did.
    duration: float = 0.0      # Seconds.
    log: list = field(default_factory=list)
    preface: list = field(default_factory=list)
    records: list = field(default_factory=list)
    frame_errors: list = field(default_factory=list)
    complaints: str = ""       # The emulator's own stderr.
    console: list = field(default_factory=list)
    untyped: list = field(default_factory=list)
    left: bool = False         # A person at the console ended it.

    def of_kind(self, kind):
        return [record for record in self.records if record.kind == kind]


@contextlib.contextmanager
def _terminated_as_interrupt():
    """A polite `kill` of the runner ends the emulator too, as Ctrl-C does."""
    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _received(fd):
    """What has come; nothing once the other side is gone, however it went."""
    try:
        return os.read(fd, 1 << 16)
    except ConnectionResetError:
        return b""


def _watch(process, readers, scenario, log, person=None):
    """Feeds what arrives to the readers until the emulator has closed everything; answers why it was stopped. With a person
    at the terminal it goes on until that one leaves."""
    limit = scenario.machine.time_limit
    if person:
        limit = float("inf")
    deadline = time.monotonic() + BOOT_ALLOWANCE
    with selectors.SelectSelector() as selector:  # Standard input may be a file, which epoll does not take.
        for fd, take in readers.items():
            selector.register(fd, selectors.EVENT_READ, take)
        if person:
            selector.register(sys.stdin.fileno(), selectors.EVENT_READ, person.from_person)
        booted, outputs = False, set(readers)
        while outputs:
            if person and person.left:
                process.kill()
                return ""
            if log.lines and not booted:
                booted, deadline = True, time.monotonic() + limit
            left = deadline - time.monotonic()
            if left <= 0:
                process.kill()
                return f"time limit of {limit:g} s" if booted else f"nothing from the kernel in {BOOT_ALLOWANCE} s"
            if log.size > LARGEST:
                process.kill()
                return f"log longer than {LARGEST >> 20} MiB"
            for key, _ in selector.select(min(left, 1.0)):
                some = _received(key.fd)
                if some:
                    key.data(some)
                else:
                    selector.unregister(key.fd)
                    outputs.discard(key.fd)
    return ""


@contextlib.contextmanager
def _console_of(scenario, person):
    """The console and the socket that QEMU gets, or twice None where nobody has it."""
    if not any(libos.console for libos in scenario.libos):
        yield None, None, None
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield (Terminal(ours) if person else Console(ours, scenario.typed)), ours, theirs


def run(scenario, iso, show=None, bochs=False, qemu=machines.QEMU, person=False):
    """Boots the ISO and waits until the machine ends, at most the scenario's time limit. `show` gets log lines. With a
    `person` the console is the terminal."""
    log, decoder, complaints = Log(show), Decoder(), bytearray()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_terminated_as_interrupt())
        pipes = [os.pipe() for _ in range(3)]
        for read_end, _ in pipes:
            stack.callback(os.close, read_end)
        (com1, to_com1), (com2, to_com2), (errors, to_errors) = pipes
        console, ours, theirs = stack.enter_context(_console_of(scenario, person))
        if bochs:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bochs-", dir=iso.parent))
            command = machines.bochs_command(scenario.machine, iso, f"/dev/fd/{to_com1}", f"/dev/fd/{to_com2}", folder)
        else:
            command = machines.qemu_command(scenario.machine, iso, f"/dev/fd/{to_com1}", f"/dev/fd/{to_com2}",
                                            qemu=qemu, com3=theirs and theirs.fileno())
        started = time.monotonic()
        try:
            # Detached from the terminal: Ctrl-C reaches the runner alone, which then ends the emulator.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True,
                                       stdout=subprocess.DEVNULL if bochs else to_errors, stderr=to_errors,
                                       pass_fds=(to_com1, to_com2, *([theirs.fileno()] if theirs else [])))
        except OSError as error:
            raise BootError(f"cannot run {command[0]}: {error.strerror}") from None
        finally:
            for _, write_end in pipes:
                os.close(write_end)
            if theirs:
                theirs.close()
        readers = {com1: log.feed, com2: decoder.feed, errors: complaints.extend}
        if console:
            readers[ours.fileno()] = console.feed
        try:
            with raw_terminal() if person else contextlib.nullcontext():
                stopped = _watch(process, readers, scenario, log, console if person else None)
        finally:
            if not _ended_soon(process):
                process.kill()
            status = process.wait()
    log.feed(b"", at_end=True)
    decoder.feed(b"", at_end=True)
    return Outcome(command, bochs, status, stopped, time.monotonic() - started, log.lines, log.preface,
                   decoder.records, decoder.errors, complaints.decode("utf-8", "replace").strip(),
                   *((console.lines, console.untyped, person and console.left) if console else ()))


def _ended_soon(process):
    """Closing its outputs is the last thing that an emulator does; give it the time to say its status, however busy the host is."""
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        return False
    return True
