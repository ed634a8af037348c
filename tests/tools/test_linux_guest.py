"""What makes the image of a Linux guest: damaged kernels are refused with a reason, modules are found in the right order,
and packages are taken only as apt's index describes them. No network, no packages: everything is made up here."""

import hashlib
import io
import json
import lzma
import pathlib
import struct
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "guests/linux"))

import cpio  # noqa: E402
import extract  # noqa: E402
import modules  # noqa: E402
import packages  # noqa: E402


def elf(segment_length=100, kind=2, machine=62):
    """A small executable with one segment."""
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", kind, machine, 1, 0x1000000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 120, 0, 0x1000000, segment_length, segment_length, 4096) + bytes(range(100))


def bzimage(payload, length, version=0x020F, sectors=2, offset=16, cut=0):
    image = bytearray((sectors + 1) * 512 + offset) + payload + struct.pack("<I", length)
    image[0x1F1], image[0x202:0x206] = sectors, b"HdrS"
    struct.pack_into("<H", image, 0x206, version)
    struct.pack_into("<II", image, 0x248, offset, len(payload) + 4 + cut)
    return bytes(image) + b"behind it"


class Extract(unittest.TestCase):
    def test_what_was_packed_comes_out(self):
        for container in (lzma.FORMAT_XZ, lzma.FORMAT_ALONE):
            self.assertEqual(extract.extract(bzimage(lzma.compress(elf(), container), len(elf()))), elf())

    def test_refused(self):
        packed = lzma.compress(elf())
        flipped = packed[:60] + bytes([packed[60] ^ 1]) + packed[61:]
        for image, reason in ((b"MZ", "no setup header"), (bzimage(packed, len(elf()))[:700], "not lie in the file"),
                              (bzimage(packed, len(elf()), version=0x0207), "2.07 is older"),
                              (bzimage(packed, len(elf()), cut=1000), "not lie in the file"),
                              (bzimage(packed, len(elf()) + 1), "should have"), (bzimage(flipped, len(elf())), "damaged"),
                              (bzimage(b"?" * 50, 50), "not known here"),
                              *((bzimage(lzma.compress(bad), len(bad)), reason) for bad, reason in (
                                  (b"#!/bin/sh" * 20, "no executable ELF"), (elf(kind=3), "no executable ELF"),
                                  (elf(machine=3), "no executable ELF"), (elf()[:80], "program headers"),
                                  (elf(segment_length=101), "segment 0"), (elf(segment_length=1 << 63), "segment 0")))):
            with self.subTest(reason), self.assertRaisesRegex(extract.BadKernel, reason):
                extract.extract(image)

    def test_any_cut_is_refused(self):
        image = bzimage(lzma.compress(elf()), len(elf()))[:-len(b"behind it")]
        for length in range(len(image)):
            with self.assertRaises(extract.BadKernel):
                extract.extract(image[:length])


class Cpio(unittest.TestCase):
    def test_format(self):
        archive = cpio.Archive()
        archive.folder("dev")
        archive.character_device("dev/console", 5, 1)
        archive.file("init", b"#!/bin/sh\n", executable=True)
        archive.link("sh", "busybox")
        found, data = {}, archive.finished()
        while data:
            self.assertEqual(data[:6], b"070701")
            field = [int(data[6 + 8 * i:14 + 8 * i], 16) for i in range(13)]
            begin = (110 + field[11] + 3) & ~3
            name = data[110:110 + field[11] - 1].decode()
            found[name] = (field[1], data[begin:begin + field[6]], (field[9], field[10]))
            data = data[(begin + field[6] + 3) & ~3:]
        self.assertEqual(found, {"dev": (0o040755, b"", (0, 0)), "dev/console": (0o020600, b"", (5, 1)),
                                 "init": (0o100755, b"#!/bin/sh\n", (0, 0)), "sh": (0o120777, b"busybox", (0, 0)),
                                 "TRAILER!!!": (0, b"", (0, 0))})


def module(depends, *aliases):
    return b"ELF\0" + b"".join(b"alias=" + one + b"\0" for one in aliases) + b"depends=" + depends + b"\0name=x\0"


class Modules(unittest.TestCase):
    FILES = {"disk": module(b"bus,ring", b"virtio:d0002v*"), "bus": module(b"ring", b"pci:v1AF4d*", b"pci:x"),
             "ring": module(b"core-part"), "core_part": module(b"")}

    def test_order(self):
        self.assertEqual(modules.needs("disk", self.FILES), ["core_part", "ring", "bus"])

    def test_tables(self):
        tables = modules.tables(self.FILES)
        self.assertIn(b"disk.ko: bus.ko ring.ko core_part.ko\n", tables["modules.dep"])
        self.assertIn(b"core_part.ko:\n", tables["modules.dep"])
        self.assertEqual(tables["modules.alias"], b"alias virtio:d0002v* disk\nalias pci:v1AF4d* bus\nalias pci:x bus\n")

    def test_one_that_is_not_taken(self):
        with self.assertRaisesRegex(modules.Incomplete, "disk needs bus"):
            modules.needs("disk", {"disk": self.FILES["disk"]})


class Packages(unittest.TestCase):
    """With an apt that is made up."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.calls = []
        self.works, self.sent = True, b"package"
        self.enterContext(mock.patch.object(packages.Apt, "run", self.run_apt))
        self.enterContext(mock.patch("builtins.print"))

    def run_apt(self, *words, cwd=None):
        self.calls.append(words[1])
        if not self.works and words[1] != "show":
            raise packages.NotThere(f"{words[1]}: no network")
        if words[1] == "download":
            (cwd / "some.deb").write_bytes(self.sent)
        return ("Package: linux-image-6.1.0-1-amd64\nVersion: 6.1.1-1\nDepends: kmod, linux-image-6.1.0-1-amd64 (= 6.1.1-1)\n"
                f"Filename: pool/l/{words[-1]}.deb\nSHA256: {hashlib.sha256(b'package').hexdigest()}\n")

    def fetched(self):
        found = packages.fetch(self.folder)
        (self.folder / "packages.json").write_text(json.dumps(found))
        return [one["file"] for one in found]

    def test_downloaded_once(self):
        wanted = ["linux-image-6.1.0-1-amd64.deb", "busybox-static.deb"]
        self.assertEqual(self.fetched(), wanted)
        self.assertEqual(self.calls.count("download"), 2)
        self.works = False
        self.assertEqual(self.fetched(), wanted)
        self.assertEqual(self.calls.count("download"), 2)

    def test_damaged_in_the_cache(self):
        first = self.folder / "packages" / self.fetched()[0]
        first.write_bytes(b"damaged")
        self.fetched()
        self.assertEqual(self.calls.count("download"), 3)
        self.assertEqual(first.read_bytes(), b"package")

    def test_other_than_described(self):
        self.sent = b"something else"
        with self.assertRaisesRegex(packages.NotThere, "not what apt's index describes"):
            packages.fetch(self.folder)

    def test_old_lists_are_renewed(self):
        attempts = iter((False, True))

        def fails_first(apt, *words, cwd=None):
            self.works = words[1] != "download" or next(attempts, True)
            return self.run_apt(*words, cwd=cwd)

        with mock.patch.object(packages.Apt, "run", fails_first):
            self.assertEqual(len(self.fetched()), 2)
        self.assertIn("update", self.calls)

    def test_no_network_says_what_to_do(self):
        self.works = False
        errors = io.StringIO()
        with mock.patch("builtins.print", lambda *words, **_: errors.write(" ".join(words))):
            self.assertEqual(packages.main(self.folder), 1)
        self.assertIn("no network", errors.getvalue())
        self.assertIn("it needs the\n    network, or the packages of an earlier build", errors.getvalue())


if __name__ == "__main__":
    unittest.main()
