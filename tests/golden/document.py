"""Writes the ABI's reference page out of the headers: docs/abi.md.

usage: document.py ROOT > abi.md
"""

import pathlib
import re
import sys

import abi_headers

HEAD = """# The ABI

What crosses the boundary between the kernel and a library operating system. This page is made from the
headers in `exokernel/abi/` by `make golden-update`; the sizes and offsets are in `tests/golden/abi.txt`.
"""

REGISTERS = """
Registers: `rax` holds the number, `rdi`, `rsi`, `rdx`, `r8`, `r9` the arguments in order. The answer is an `Error`
in `rax` and the reply in `rdx`. What is kept and lost is said in `exokernel/abi/syscalls.hpp`.
"""


def cell(text):
    return text.replace("|", "\\|")


def table(out, heads, rows):
    out("| " + " | ".join(heads) + " |")
    out("|" + " --- |" * len(heads))
    for row in rows:
        out("| " + " | ".join(map(cell, row)) + " |")


def document_call(out, number, call, name):
    args = ", ".join(f"{field.type} {field.name}" for field in call.args)
    out(f"\n### {number}. `{name}({args})" + ("`" if call.reply == "Nothing" else f" -> {call.reply}`"))
    out(f"\n{call.comment}")


def document(abi, names, out):
    out(HEAD)
    out("## System calls")
    out(REGISTERS.rstrip())
    for number, call in enumerate(abi.calls()):
        document_call(out, number, call, names[call.name])
    out("\n## Structures")
    for struct in abi.structs:
        if struct.args is None and struct.fields:
            out(f"\n### {struct.name}\n")
            if struct.comment:
                out(struct.comment + "\n")
            table(out, ["type", "field", "meaning"],
                  [(f"`{field.type}`", f"`{field.name}`", field.comment) for field in struct.fields])
    out("\n## Enumerations")
    for enum in abi.enums:
        out(f"\n### {enum.name}\n")
        if enum.comment:
            out(enum.comment + "\n")
        table(out, ["value", "meaning"], [(f"`{value.name}`", value.comment) for value in enum.values])


def call_names(root):
    """A descriptor's name and the name that it gives its call."""
    text = (pathlib.Path(root) / "exokernel/abi/syscalls.hpp").read_text()
    found = re.findall(r'^struct (\w+) \{\n\s*static constexpr u64 number = \d+;\n\s*'
                       r'static constexpr const char\* name = "(\w+)";', text, re.MULTILINE)
    return dict(found)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    document(abi_headers.read_abi(sys.argv[1]), call_names(sys.argv[1]), print)
