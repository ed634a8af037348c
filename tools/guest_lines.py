"""Counts what porting the small guest to a monitor took: lines of code that stayed, went and came.

The kernel proper (guests/small) is the same in both forms; guests/trapped drives the bare machine, guests/paravirt
calls the monitor. Lines that are empty or only a comment do not count. The last line is the same as JSON.
usage: guest_lines.py
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = {".cpp", ".hpp", ".S", ".ld"}
PARTS = {
    "kernel": "guests/small",
    "programs": "guests/small/user",
    "bare": "guests/trapped",
    "paravirtual": "guests/paravirt",
}
# What a kernel has no need of: tests of the machine, and being a bad guest on purpose.
NOT_THE_KERNEL = {"self_test.cpp", "self_test.hpp", "misbehave.cpp", "ways.hpp"}


def is_code(line):
    line = line.strip()
    return bool(line) and not line.startswith(("//", "/*", "*"))


def lines_of(path):
    return sum(map(is_code, path.read_text("utf-8").splitlines()))


def count(root, folder):
    """Lines of code in one folder: (of the kernel's business, besides)."""
    paths = [path for path in sorted((root / folder).iterdir()) if path.suffix in SOURCES]
    besides = [path for path in paths if path.name in NOT_THE_KERNEL]
    return sum(lines_of(path) for path in paths if path not in besides), sum(map(lines_of, besides))


def measure(root):
    figures = {name: count(root, folder)[0] for name, folder in PARTS.items()}
    whole = figures["kernel"] + figures["paravirtual"]
    figures["share_changed"] = round(figures["paravirtual"] / whole, 3)
    return figures


def main():
    figures = measure(ROOT)
    print(f"{figures['kernel']} lines of the kernel and {figures['programs']} of its programs are the same in both forms")
    print(f"{figures['bare']} lines for the bare machine are replaced by {figures['paravirtual']} for the monitor, "
          f"{figures['share_changed']:.0%} of the ported kernel")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
