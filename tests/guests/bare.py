"""`make bare-guest-tests`: the small guest in its bare-metal form, on QEMU alone, without the exokernel.

What passes here is the machine as QEMU makes it; the same image and the same words then run in every kind of guest.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import test_layer

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build/guests/trapped.elf"
LOADER = ROOT / "build/guests/linux_loader.elf"
TIME_LIMIT = 600  # Seconds, for a host that is busy.
GOOD, BAD = 0x20 << 1 | 1, 0x21 << 1 | 1  # guests/trapped/devices.cpp, and how QEMU tells it.
DISK_SIZE = 1 << 20
INSTRUCTIONS_ONLY = ["null_syscall", "page_fault", "page_table_update", "unmap", "process_switch", "timer_interrupt", "compute"]


def command(words, kernel=IMAGE, devices=()):
    # Not `sleep=off`: idle time would race past the answers of disk and wire, which come from the host.
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-icount", "shift=0", "-m", "64", "-nodefaults", "-no-reboot",
            "-display", "none", "-serial", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            "-kernel", str(kernel), "-append", words, *devices]


def run(words, **more):
    """(status, output) of one boot."""
    made = subprocess.run(command(words, **more), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=TIME_LIMIT, check=False)
    return made.returncode, made.stdout + made.stderr


def disk(folder):
    path = pathlib.Path(folder) / "disk"
    path.write_bytes(bytes(DISK_SIZE))
    return ["-drive", f"file={path},if=none,id=disk,format=raw", "-device", "virtio-blk-pci,drive=disk,disable-modern=on,disable-legacy=off"]


def card(backend, address="52:54:00:00:00:01"):
    return ["-netdev", f"{backend},id=wire",
            "-device", f"virtio-net-pci,netdev=wire,mac={address},romfile=,disable-modern=on,disable-legacy=off"]


class Guest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def check_passed(self, status, output):
        """Every test of the guest's own passed, and none was left out of the count."""
        self.assertEqual(status, GOOD, output)
        self.assertEqual(output.count("small: all "), 1, output)
        count = int(re.search(r"small: all (\d+) tests passed", output)[1])
        self.assertEqual(len(re.findall(r"^  ok ", output, re.MULTILINE)), count, output)
        self.assertNotIn("FAIL", output)
        return count

    def test_with_disk_and_wire(self):
        status, output = run("test exit=f4", devices=disk(self.folder.name) + card("user,restrict=on"))
        self.check_passed(status, output)
        self.assertNotIn("small: no ", output)
        self.assertTrue(any((pathlib.Path(self.folder.name) / "disk").read_bytes()), "nothing was written to the disk")

    def test_without_devices(self):
        status, output = run("test exit=f4")
        self.check_passed(status, output)
        self.assertIn("small: no disk to test", output)
        self.assertIn("small: no network to test", output)

    def test_by_linux_boot_protocol(self):
        entry = re.search(r"Entry point address: +0x([0-9a-f]+)", subprocess.run(
            ["readelf", "-h", str(IMAGE)], capture_output=True, text=True, check=True).stdout)[1]
        status, output = run(entry, kernel=LOADER, devices=["-device", f"loader,file={IMAGE}"])
        self.check_passed(status, output)

    def test_two_guests_on_a_wire(self):
        ends = [pathlib.Path(self.folder.name) / name for name in ("one", "two")]

        def wire(own, other, address):
            return card(f"dgram,local.type=unix,local.path={own},remote.type=unix,remote.path={other}", address)

        answering = subprocess.Popen(command("answer ip=10.0.2.2 count=5 exit=f4", devices=wire(*ends, "52:54:00:00:00:02")),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            status, output = run("test exit=f4", devices=wire(*reversed(ends), "52:54:00:00:00:01"))
            answers = answering.communicate(timeout=TIME_LIMIT)[0]
        finally:
            answering.kill()
            answering.wait()
        self.check_passed(status, output)
        self.assertNotIn("no network", output)
        self.assertEqual(answering.returncode, GOOD, answers)
        self.assertIn("small: answered 5 requests", answers)

    def test_benchmarks_count_the_same(self):
        figures = []
        for _ in range(2):
            status, output = run("bench exit=f4", devices=disk(self.folder.name) + card("user,restrict=on"))
            self.assertEqual(status, GOOD, output)
            figures.append({one["bench"]: one for one in map(json.loads, re.findall(r"^\{.*\}", output, re.MULTILINE))})
        self.assertLessEqual({*INSTRUCTIONS_ONLY, "block_read", "packet_and_answer", "fork_exit_wait"}, set(figures[0]))
        for name, one in figures[0].items():
            self.assertGreater(one["n"], 0, name)
            self.assertGreater(one["ticks"], 0, name)
        self.assertEqual(figures[0]["timer_interrupt"]["n"], figures[0]["timer_interrupt"]["clock"])
        for name in INSTRUCTIONS_ONLY:
            first, second = (one[name]["ticks"] for one in figures)
            # Where ticks of the clock fall may differ by what the host let idle before.
            self.assertLessEqual(abs(first - second), 1 + first // 50, name)

    def test_compute(self):
        status, output = run("compute bound=1000000 exit=f4")
        self.assertEqual(status, GOOD, output)
        self.assertIn('"answer":78498,', output)  # primes below a million

    def test_failures_show(self):
        status, output = run("no such program exit=f4")
        self.assertEqual(status, BAD, output)
        self.assertIn("small: panic: the command line names no program", output)

    def test_misbehaves(self):
        status, output = run("triple exit=f4")
        self.assertEqual(status, 0, output)  # A triple fault is a reset: QEMU ends, nothing was said.
        self.assertIn("small: misbehaves: triple", output)
        status, output = run("code seed=3 exit=f4")
        self.assertIn("small: misbehaves: code", output)
        self.assertNotIn("tests passed", output)


if __name__ == "__main__":
    sys.exit(test_layer.main_of_module())
