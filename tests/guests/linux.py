"""`make linux-guest-tests`: the image of a Linux guest, booted by QEMU alone, with the machine and the command line that the
monitor gives it. What works here and not under the monitor is the monitor's fault.

Each boot plays some of the roles of guests/linux/userland, and every guest says itself what it found.
"""

import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import test_layer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "guests/linux"))

from words import command_line  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build/guests/linux"
SECONDS = 300  # Until a guest that says nothing counts as stuck.


class Guest:
    """A guest that runs; `finish` answers what it printed, by lines."""

    def __init__(self, words, *devices, cpus=1):
        # QEMU's PC has an I/O APIC, and Linux panics where the timer does not tick through it soon enough, as on a busy host.
        platform = command_line("kLinuxCommandLine") if cpus == 1 else command_line("kLinuxCommandLineSmp") + " no_timer_check"
        command = ["qemu-system-x86_64", "-accel", "tcg", "-M", "pc", "-cpu", "qemu64", "-m", "128", "-smp", f"{cpus},sockets={cpus}",
                   "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot", "-serial", "stdio",
                   "-kernel", str(IMAGE / "vmlinux"), "-initrd", str(IMAGE / "initrd"), "-append", f"{platform} {words}", *devices]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._limit = threading.Timer(SECONDS, self._process.kill)
        self._limit.start()

    def until(self, text):
        """Reads what it prints up to and including `text`, or to the end."""
        printed = b""
        while not printed.endswith(text) and (some := self._process.stdout.read1(1)):
            printed += some
        return printed

    def type(self, text):
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def wait_for(self, path):
        """Until a file is there, as long as the guest runs."""
        while not pathlib.Path(path).exists() and self._process.poll() is None:
            time.sleep(0.05)

    def connect(self, path):
        """The other end of a socket that its QEMU listens at."""
        self.wait_for(path)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(SECONDS)
        connection.connect(path)
        return connection

    def finish(self, printed=b""):
        out, _ = self._process.communicate()
        self._limit.cancel()
        return (printed + out).decode("utf-8", "replace").replace("\r", "").splitlines()


def network(folder, number, listens):
    """A network card whose cable is a socket."""
    return ("-netdev", f"stream,id=n,server={'on' if listens else 'off'},addr.type=unix,addr.path={folder}/cable",
            "-device", f"virtio-net-pci,netdev=n,disable-modern=on,mac=52:54:00:00:00:{number:02}")


class Image(unittest.TestCase):
    def check(self, lines, *patterns):
        """Each pattern matches a line behind the one before, from a guest that has not failed otherwise."""
        rest = iter(lines)
        for pattern in patterns:
            self.assertTrue(any(re.search(pattern, line) for line in rest), f"nothing matches '{pattern}' in:\n" + "\n".join(lines))
        self.assertNotRegex("\n".join(lines), "FAILED")

    def test_alone(self):
        with tempfile.NamedTemporaryFile(suffix=".disk") as disk:
            disk.write((IMAGE / "disk").read_bytes())
            disk.flush()
            device = ("-drive", f"file={disk.name},format=raw,if=none,id=d", "-device", "virtio-blk-pci,drive=d,disable-modern=on")
            self.check(Guest("role=disk,memory,compute,forkbomb kept=1 mib=16 rounds=2 duration=2 kind=equal", *device).finish(),
                       r"^guest: \d+\.\S+-amd64, userland after ", r"^guest: disk of 4096 KiB", r"^guest: the file that was kept is as it was", r"^guest: 1 MiB written",
                       r"^guest: 4 files written", r"^guest: disk ok", r"^guest: memory: MemTotal: \d+ KiB", r"^guest: memory ok",
                       r"^guest: compute: 2 rounds, [0-9a-f]{64}$", r"^guest: fork bomb: \d+ processes", r"^guest: forkbomb ok",
                       r"^guest: all done$", "reboot: Restarting system")
            self.check(Guest("role=disk kept=1", *device).finish(), r"^guest: the file that was kept is as it was", r"^guest: all done$")

    def test_network_and_cpus(self):
        with tempfile.TemporaryDirectory() as folder:
            server = Guest("role=serve address=10.0.0.1/24", *network(folder, 1, True))
            server.wait_for(f"{folder}/cable")
            client = Guest("role=smp,ping address=10.0.0.2/24 peer=10.0.0.1", *network(folder, 2, False), cpus=2)
            self.check(client.finish(), r"^guest: smp: 2 CPUs, each computed", r"^guest: ping: 5 packets .* 0% packet loss",
                       r"^guest: fetched 1048576 bytes from 10\.0\.0\.1", r"^guest: all done$")
            self.check(server.finish(), r"^guest: serving 1048576 bytes", r"^guest: somebody fetched [0-9a-f]{64}", r"^guest: all done$")

    def test_console_and_balloon(self):
        with tempfile.TemporaryDirectory() as folder:
            guest = Guest("role=console,memory mib=4 rounds=1 until=60000",
                          "-chardev", f"socket,id=c,path={folder}/console,server=on,wait=off",
                          "-device", "virtio-serial-pci,disable-modern=on", "-device", "virtconsole,chardev=c",
                          "-qmp", f"unix:{folder}/qmp,server=on,wait=off", "-device", "virtio-balloon-pci,disable-modern=on")
            with guest.connect(f"{folder}/console") as console, guest.connect(f"{folder}/qmp") as control:
                self.assertIn(b"hello from guest", console.makefile("rb").readline())
                console.sendall(b"good morning\n")
                for command in ({"execute": "qmp_capabilities"}, {"execute": "balloon", "arguments": {"value": 96 << 20}}):
                    control.sendall(json.dumps(command).encode())
                lines = guest.finish()
            self.check(lines, r"^guest: the console says: good morning", r"^guest: memory: MemTotal: \d+ KiB",
                       r"^guest: memory: at most 60000 KiB are left", r"^guest: all done$")

    def test_crash(self):
        lines = Guest("role=crash").finish()
        self.check(lines, r"^guest: crashing on purpose", "Kernel panic - not syncing: sysrq triggered crash")
        self.assertNotIn("all done", "\n".join(lines))

    def test_shell(self):
        guest, printed = Guest("role=shell"), b""
        for line in (b"echo $((6 * 7)) said the shell\n", b"uname -s\n", b"exit\n"):
            printed += guest.until(b"guest # ")
            guest.type(line)
        lines = guest.finish(printed)
        self.check(lines, r"^guest: a shell", r"^42 said the shell", r"^Linux$", r"^guest: all done$")

    def test_what_cannot_be_done_is_said(self):
        lines = Guest("role=disk,nonsense").finish()
        for wanted in ("guest: no disk", "guest: disk FAILED", "guest: nonsense FAILED", "guest: FAILED"):
            self.assertTrue(any(line.startswith(wanted) for line in lines), "\n".join(lines))


if __name__ == "__main__":
    sys.exit(test_layer.main_of_module())
