"""Damaged images: each kind changes just what it says, and a file that is no image is refused."""

import struct
import unittest

from tessera_run.damage import KINDS, _program_headers, damaged


def image():
    """An ELF64 file with two PT_LOADs of a page each."""
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x400000, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    segments = [struct.pack("<IIQQQQQQ", 1, flags, 4096 * number, 0x400000 + 4096 * number, 0, 4096, 4096, 4096)
                for number, flags in ((1, 5), (2, 6))]
    return (header + b"".join(segments)).ljust(3 * 4096, b"x")


class Damage(unittest.TestCase):
    def segments(self, kind):
        return [fields for _, fields in _program_headers(damaged(image(), kind))]

    def test_every_kind_changes_something(self):
        for kind in KINDS:
            self.assertNotEqual(damaged(image(), kind), image(), kind)

    def test_segments(self):
        self.assertEqual(self.segments("overlapping")[1][3], 0x401000)
        self.assertEqual(self.segments("writable_executable")[0][1] & 3, 3)
        wrapping = self.segments("wrapping")[0]
        self.assertGreater(wrapping[3] + wrapping[6], 2 ** 64)

    def test_truncated_keeps_the_headers_and_loses_bytes_of_a_segment(self):
        self.assertEqual(len(damaged(image(), "truncated")), 2 * 4096 + 1)

    def test_no_image(self):
        for kind in ("overlapping", "truncated", "writable_executable"):
            for data in (b"", b"short", bytes(4096)):
                with self.assertRaises(ValueError):
                    damaged(data, kind)


if __name__ == "__main__":
    unittest.main()
