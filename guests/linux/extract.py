"""Takes the kernel's ELF file out of a bzImage: vmlinux, byte for byte as Debian built it.

    extract.py VMLINUZ VMLINUX

A bzImage is a small real-mode part, then a program that unpacks the compressed ELF file behind it. A guest could run that
program; doing its work once, here, saves every guest the seconds. Source: Linux Documentation/arch/x86/boot.rst, fields
setup_sects, payload_offset and payload_length (protocol 2.08); ELF-64 Object File Format 1.5.
"""

import bz2
import gzip
import lzma
import pathlib
import struct
import sys

UNPACKERS = {b"\xfd7zXZ\0": lambda packed: lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(packed),
             b"\x1f\x8b": lambda packed: gzip.decompress(packed),
             b"BZh": lambda packed: bz2.BZ2Decompressor().decompress(packed),
             b"\x5d\0\0": lambda packed: lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(packed)}


class BadKernel(Exception):
    """A file that is no kernel that can be used; the text says why."""


def payload(image):
    """The compressed part of a bzImage, and the length that it has unpacked: its last four bytes."""
    if len(image) < 0x260 or image[0x202:0x206] != b"HdrS":
        raise BadKernel("this is no bzImage: it has no setup header")
    version, setup_sectors = struct.unpack_from("<H", image, 0x206)[0], image[0x1F1] or 4
    if version < 0x0208:
        raise BadKernel(f"its boot protocol {version >> 8}.{version & 0xFF:02} is older than 2.08")
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (setup_sectors + 1) * 512 + offset
    if length < 16 or begin + length > len(image):
        raise BadKernel("its payload does not lie in the file")
    packed = image[begin:begin + length]
    return packed[:-4], struct.unpack("<I", packed[-4:])[0]


def unpack(packed, length):
    """The payload's bytes, which must be as many as the file says."""
    for magic, unpacker in UNPACKERS.items():
        if packed.startswith(magic):
            try:
                contents = unpacker(packed)
            except (lzma.LZMAError, OSError, EOFError, ValueError) as error:
                raise BadKernel(f"its payload is damaged: {error}") from None
            if len(contents) != length:
                raise BadKernel(f"its payload has {len(contents)} bytes unpacked, and should have {length}")
            return contents
    raise BadKernel(f"its payload is packed in a way that is not known here (it begins with {packed[:6].hex()})")


def check_elf(contents):
    """Refuses what is not an x86-64 executable whose segments lie in the file."""
    if len(contents) < 64 or contents[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", contents, 16) != (2, 62):
        raise BadKernel("its payload is no executable ELF file for x86-64")
    offset, = struct.unpack_from("<Q", contents, 32)
    size, count = struct.unpack_from("<HH", contents, 54)
    if size != 56 or not count or offset + size * count > len(contents):
        raise BadKernel("the program headers of its ELF file are wrong")
    for index in range(count):
        kind, _, begin, _, _, length, _, _ = struct.unpack_from("<IIQQQQQQ", contents, offset + size * index)
        if kind == 1 and begin + length > len(contents):
            raise BadKernel(f"segment {index} of its ELF file does not lie in the file")


def extract(image):
    """The ELF file in a bzImage."""
    contents = unpack(*payload(image))
    check_elf(contents)
    return contents


def main(source, target):
    try:
        target.write_bytes(extract(source.read_bytes()))
    except (BadKernel, OSError) as error:
        print(f"extract: {source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:3])))
