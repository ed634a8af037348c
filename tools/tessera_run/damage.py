"""Damaged images: what a broken or hostile medium could hold. `damage = "..."` in a scenario's [[libos]].

Each takes a good ELF64 image and spoils one thing, so that a test shows what the kernel says of just that.
"""

import struct

_LOAD = 1


def _program_headers(image):
    """(offset in the file, fields) of every PT_LOAD; fields: type flags offset vaddr paddr filesz memsz align."""
    table, = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    for number in range(count):
        at = table + number * size
        fields = list(struct.unpack_from("<IIQQQQQQ", image, at))
        if fields[0] == _LOAD:
            yield at, fields


def _with_segment(image, number, **changes):
    """The image with fields of its PT_LOAD `number` changed."""
    names = ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align")
    at, fields = list(_program_headers(image))[number]
    for name, value in changes.items():
        fields[names.index(name)] = value
    changed = bytearray(image)
    struct.pack_into("<IIQQQQQQ", changed, at, *fields)
    return bytes(changed)


def _truncated(image):
    last = max(fields[2] for _, fields in _program_headers(image) if fields[5])
    return image[:last + 1]


def _overlapping(image):
    (_, first), *_ = _program_headers(image)
    return _with_segment(image, 1, vaddr=first[3])


def _wrapping(image):
    (_, first), *_ = _program_headers(image)
    return _with_segment(image, 0, vaddr=2 ** 64 - 4096, memsz=max(8192, first[6]))


def _writable_executable(image):
    (_, first), *_ = _program_headers(image)
    return _with_segment(image, 0, flags=first[1] | 3)


KINDS = {
    "short": lambda image: image[:20],
    "truncated": _truncated,
    "not_elf": lambda image: b"\0" + image[1:],
    "wrong_machine": lambda image: image[:18] + struct.pack("<H", 40) + image[20:],
    "lying_header": lambda image: image[:32] + struct.pack("<Q", 2 ** 63) + image[40:],
    "overlapping": _overlapping,
    "wrapping": _wrapping,
    "kernel_address": lambda image: _with_segment(image, 0, vaddr=0xFFFF_FFFF_8000_0000),
    "writable_executable": _writable_executable,
}


def damaged(image, kind):
    """The image, spoilt. Raises ValueError when it is not one that can be spoilt in this way."""
    try:
        return KINDS[kind](image)
    except (struct.error, IndexError, ValueError) as error:
        raise ValueError(f"no image of two segments or more: {error}") from None
