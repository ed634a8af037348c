"""Writes archives of the kind that Linux unpacks into its first file system.

The same content gives the same bytes, wherever it is made: no owners, no times, numbers in order. Source: Linux
Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
"""

import stat


class Archive:
    """An archive in the making; paths are relative, and a folder is added before what is in it."""

    def __init__(self):
        self._bytes, self._count = bytearray(), 0

    def folder(self, path):
        self._add(path, stat.S_IFDIR | 0o755)

    def file(self, path, contents, executable=False):
        self._add(path, stat.S_IFREG | (0o755 if executable else 0o644), contents)

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor):
        self._add(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def finished(self):
        """The archive's bytes."""
        self._add("TRAILER!!!", 0)
        return bytes(self._bytes)

    def _add(self, path, mode, contents=b"", device=(0, 0)):
        name = path.encode() + b"\0"
        self._count += 1
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._count, mode, 0, 0, links, 0, len(contents), 0, 0, *device, len(name), 0)
        self._bytes += b"070701" + b"".join(b"%08x" % field for field in fields) + name
        self._pad()
        self._bytes += contents
        self._pad()

    def _pad(self):
        self._bytes += bytes(-len(self._bytes) % 4)
