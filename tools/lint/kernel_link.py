"""Checks a linked kernel: nothing came along from libraries but SipHash, no FPU or SSE register is touched, no
symbol is missing, no page is writable and executable.

libsodium's archive is made for ordinary programs. Two of its members are fit for a kernel; a third one would
come in silently with the first call of another function.
usage: kernel_link.py KERNEL.elf KERNEL.map
"""

import re
import subprocess
import sys

ALLOWED_MEMBERS = {
    "libsodium.a": {"libsodium_la-shorthash_siphashx24_ref.o", "libsodium_la-shorthash_siphash24_ref.o"},
}

MEMBER = re.compile(r"(?:^|[\s/])([^\s/()]+\.a)\(([^()]+)\)")
VECTOR_REGISTER = re.compile(r"%(?:[xyz]?mm\d+|st\b|k[1-7]\b)")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")


def foreign_members(map_text):
    """(archive, member) for every member of an archive that is linked in and not allowed."""
    found = set(MEMBER.findall(map_text))
    return sorted(pair for pair in found if pair[1] not in ALLOWED_MEMBERS.get(pair[0], ()))


def uses_siphash(map_text):
    return "libsodium_la-shorthash_siphashx24_ref.o" in map_text


def vector_code(disassembly):
    """The functions whose code names a vector or x87 register."""
    function, found = "?", []
    for line in disassembly.splitlines():
        start = FUNCTION.match(line)
        if start:
            function = start[1]
        elif VECTOR_REGISTER.search(line) and function not in found:
            found.append(function)
    return found


def writable_code(segments):
    """LOAD lines of `readelf -lW` that are both W and E."""
    return [line.strip() for line in segments.splitlines()
            if line.split()[:1] == ["LOAD"] and re.search(r"\bR?WE?\s*E\b|\bRWE\b", line)]


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(elf, map_file):
    with open(map_file, encoding="utf-8", errors="replace") as file:
        map_text = file.read()
    checks = {
        "a library member that the kernel may not have":
            [f"{archive}({member})" for archive, member in foreign_members(map_text)],
        "SipHash of libsodium is not linked, or the map is not one":
            [] if uses_siphash(map_text) else [map_file],
        "vector or x87 registers used in":
            vector_code(output_of("objdump", "--disassemble", "--demangle", "--no-show-raw-insn", elf)),
        "undefined symbol":
            output_of("nm", "--undefined-only", "--demangle", elf).split("\n")[:-1],
        "writable and executable segment":
            writable_code(output_of("readelf", "--program-headers", "--wide", elf)),
    }
    failed = 0
    for name, findings in checks.items():
        failed += bool(findings)
        for finding in findings:
            print(f"{elf}: {name}: {finding.strip()}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
