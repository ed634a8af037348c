"""The language of scenario files: every table, every key, what it may be, and what it is when it is left out.

scenarios/README.md says the same for people.
"""

from . import damage
from .schema import (boolean, either, hex_digits, integer, list_of, loader_words, matching, one_of, regular_expression,
                     seconds, table_of, text)

POLICIES = ("none", "refill", "preload", "keep", "tagged")
EXITS = {"done": 33, "failed": 35, "panic": 37, "refused": 39}  # QEMU's status: (ExitCode << 1) | 1, abi/records.hpp.
NAME_LENGTH = 15
LARGEST_FILE = 1 << 18

_name = matching(f"[a-z0-9_-]{{1,{NAME_LENGTH}}}", f"a name of 1 to {NAME_LENGTH} characters out of a-z 0-9 _ -")
# What QEMU takes for a model, and nothing that it takes for a question (help) or for the host's own CPU (host).
_cpu = matching("(?!(help|host)(,|$))[A-Za-z][A-Za-z0-9_-]{0,39}(,[+-][a-z0-9][a-z0-9_.-]{0,29}){0,40}",
                "a CPU model of QEMU's, and features to add (+) and to take away (-), with commas: 'max,-svm'")
_path = "[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}"
_column = matching("[a-z_]{1,30}", "the name of a field of a record")
_patterns = list_of(regular_expression)

# table -> key -> (check, default). REQUIRED: no default. None: not passed on, the kernel has its own.
# The ranges are those of exokernel/core/command_line.hpp.
REQUIRED = object()
KEYS = {
    "": {
        "title": (text(), ""),
    },
    "machine": {
        "memory": (integer(16, 65536), 128),  # MiB
        "cpus": (integer(1, 8), 1),
        "cpu": (_cpu, None),
        "firmware": (one_of("bios", "uefi"), "bios"),
        "icount": (boolean, False),
        "admits_emulation": (boolean, True),
        "time_limit": (seconds(1, 86400), 60.0),
    },
    "kernel": {
        "image": (one_of("kernel", "checked", "unchecked"), "kernel"),
        "policy": (one_of(*POLICIES), None),
        "tlb_entries": (either(integer(16, 65536), one_of("unbounded")), None),
        "quantum": (integer(100, 1_000_000), None),  # microseconds
        "grace": (integer(10, 1_000_000), None),  # microseconds
        "key": (hex_digits(32, 32), None),
        "seed": (hex_digits(32, 32), None),
        "options": (loader_words(500), ""),  # further ones, passed as they are
    },
    "libos": {
        "name": (_name, None),  # default: the image's name
        "image": (matching(_path, "the name of an image, or a path in the repository"), REQUIRED),
        "arguments": (loader_words(1023), ""),
        "frames": (integer(1, 1 << 20), 1024),
        "stlb": (integer(128, 65536, power_of_two=True), 1024),
        "guaranteed": (integer(16, 1024, power_of_two=True), 64),
        "tables": (integer(8, 512), 64),
        "slots": (integer(0, 8), 4),
        "cpu": (integer(0, 7), 0),
        "arbiter": (either(boolean, integer(0, 1)), False),
        "console": (boolean, False),
        "copies": (integer(1, 63), 1),
        "options": (loader_words(500), ""),  # further ones, as they are
        "damage": (one_of(*damage.KINDS), None),  # spoil the image in this way: the kernel must refuse it
    },
    "data": {
        "file": (matching(_path, "a path in the repository"), REQUIRED),
        "name": (_name, None),  # default: the file's name
        "for": (list_of(_name, 63), REQUIRED),
    },
    "typed": {
        "after": (regular_expression, REQUIRED),
        "line": (text(), REQUIRED),
    },
    "expect": {
        "log": (_patterns, []),
        "console": (_patterns, []),
        "ordered_log": (_patterns, []),
        "forbidden": (_patterns, []),
        "exit": (one_of(*EXITS), "done"),
        "ended": (table_of(_name, text()), {}),
    },
    "results": {
        "accounts": (list_of(_column, 20), ["ticks", "slices", "switches", "upcalls", "hits", "misses"]),
        "records": (boolean, True),
        "same": (list_of(_column, 20), []),
        "compare": (list_of(one_of(*POLICIES), len(POLICIES)), []),
    },
}
MOST_VARIANTS = 64
MOST_DATA = 16  # files that are loaded beside the images,
MOST_DATA_OF_ONE = 4  # for each libOS, abi/boot_info.hpp
MOST_TYPED = 200  # lines
LISTS = ("libos", "data", "typed")  # Tables that are written [[so]].
