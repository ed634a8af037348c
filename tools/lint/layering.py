"""Keeps the house in order: which folder may include which, where assembly may be, what a source may not say.

The rules are the tables below; docs/design.md has the reasons. Every include must name a file that is there,
from the one include root, the repository's.
"""

import pathlib
import re

SKIPPED = {".git", "build", "__pycache__"}
SOURCES = {".cpp", ".hpp", ".S", ".h", ".c", ".cc", ".s", ".asm"}
TEXTS = SOURCES | {".py", ".mk", ".sh", ".toml", ".md", ".ld", ".txt", ".supp", ""}

ABI = "exokernel/abi"
LOCKS = "exokernel/locks"
PURE = ["secure_bindings", "stlb", "packet_filter"]
LIBOS = ["libos", ABI, LOCKS, "secure_bindings"]
# What a guest finds: neither the kernel's calls nor the monitor.
VMM_PURE = ["libos/vmm/devices", "libos/vmm/boot", "libos/vmm/guest_memory.hpp", "libos/vmm/guest_log.hpp", ABI]

# Folder: what it may include. The longest folder that a file lies in counts. A folder not listed may not
# include anything of the house.
MAY_INCLUDE = {
    ABI: [ABI],
    LOCKS: [LOCKS, ABI],
    "secure_bindings": ["secure_bindings", ABI],
    "stlb": ["stlb", ABI],
    "packet_filter": ["packet_filter", ABI],
    "exokernel": ["exokernel", *PURE],
    "libos": LIBOS,
    "libos/vmm/devices": VMM_PURE,
    "libos/vmm/boot": VMM_PURE,
    "guests": ["guests", *LIBOS],
    "bench/host": ["bench/host", *PURE, ABI, LOCKS],
    "bench/system": ["bench/system", *LIBOS],
    "tests/system": ["tests/system", *LIBOS],
    "tests": ["tests", "exokernel", *PURE, *LIBOS],
}

# What is linked into the kernel includes of the standard library only what needs no C library and no heap.
FREESTANDING_FOLDERS = ["exokernel", *PURE]
FREESTANDING = set("""algorithm array atomic bit cfloat charconv climits compare concepts cstddef cstdint initializer_list
    iterator limits new numeric optional ranges source_location span string_view tuple type_traits utility variant
    sodium/crypto_shorthash_siphash24.h""".split())

# Made by the build out of the ABI and the kernel's structures, for assembly alone.
GENERATED = {"offsets.h"}

ASSEMBLY_FILES = ["exokernel/arch", "libos/core", "guests", "tests/guests"]
NO_INLINE_ASSEMBLY = [ABI, LOCKS, "exokernel/core", *PURE]

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
INLINE_ASSEMBLY = re.compile(r'\b(?:asm|__asm__)\b\s*(?:volatile|__volatile__|goto|inline)*\s*\(\s*"[^"]')
UNFINISHED = re.compile(r"\b(?:TO" "DO|FIX" "ME|XX" "X|HA" "CK)\\b")
SOMEBODYS_MACHINE = re.compile(r"(?<![\w.}])/(?:home|root|work|Users)/")


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def inside_any(path, folders):
    return any(inside(path, folder) for folder in folders)


def allowed_for(path):
    """What the file may include, by the longest folder in the table that holds it."""
    folders = [folder for folder in MAY_INCLUDE if inside(path, folder)]
    return MAY_INCLUDE[max(folders, key=len)] if folders else []


def check_include(root, path, kind, target):
    if kind == "<":
        if inside_any(path, FREESTANDING_FOLDERS) and target not in FREESTANDING:
            yield f"<{target}> is not for code that the kernel is made of"
        return
    if target in GENERATED and path.endswith(".S"):
        return
    # A generated header stands for the interface file that it is made of.
    if not (root / target.removesuffix(".hpp") if target.endswith(".rpc.hpp") else root / target).is_file():
        yield f'"{target}" is not a file of the repository (paths start at its root)'
    elif not inside_any(target, allowed_for(path)):
        yield f'"{target}" may not be included from here'


def check_line(root, path, suffix, line):
    if suffix in SOURCES:
        include = INCLUDE.match(line)
        if include:
            yield from check_include(root, path, *include.groups())
        if inside_any(path, NO_INLINE_ASSEMBLY) and INLINE_ASSEMBLY.search(line):
            yield "assembly belongs in exokernel/arch"
    if UNFINISHED.search(line):
        yield "unfinished work does not belong in the tree"
    if SOMEBODYS_MACHINE.search(line):
        yield "a path of somebody's machine"


def check_file(root, path):
    """Yields (line number, message) for one file, named from the root."""
    suffix = pathlib.PurePath(path).suffix
    if suffix in {".S", ".s", ".asm"} and not inside_any(path, ASSEMBLY_FILES):
        yield 1, "assembly files belong in " + " and ".join(ASSEMBLY_FILES)
    if suffix not in TEXTS:
        return
    text = (root / path).read_text("utf-8", "replace")
    if suffix == ".hpp" and "#pragma once" not in text:
        yield 1, "a header without #pragma once"
    for number, line in enumerate(text.splitlines(), 1):
        for message in check_line(root, path, suffix, line):
            yield number, message


def files(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.is_file() and not SKIPPED.intersection(relative.parts):
            yield relative.as_posix()


def check_tree(root):
    """(files checked, files at fault); prints what is wrong."""
    checked = failed = 0
    for path in files(root):
        checked += 1
        problems = list(check_file(root, path))
        failed += bool(problems)
        for number, message in problems:
            print(f"{path}:{number}: {message}")
    return checked, failed
