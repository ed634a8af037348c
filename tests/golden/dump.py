"""Writes a C++ program that prints the ABI as the compiler sees it: the golden text.

The program does not compile when a structure has a hole, or a field that was not found in the header.
usage: dump.py ROOT > dump.cpp
"""

import sys

import abi_headers

HEAD = """// Made by tests/golden/dump.py.
#include <cstdio>
#include <cstddef>
{includes}
using namespace tessera;
using ull = unsigned long long;
static ull value_of(u64 n) {{ return n; }}
static ull value_of(Rights rights) {{ return rights.bits; }}
static void encodings() {{
    const auto span = PageSpan::make(PageNumber{{0x12345}}, 0xabc, Right::read | Right::execute,
                                     static_cast<u64>(SpanFlag::guaranteed));
    std::printf("\\nencodings\\n    span of 0xabc pages at page 0x12345, read, execute, guaranteed: %#llx\\n",
                value_of(span.bits));
    std::printf("    id of index 3, generation 0x45: %#llx\\n", value_of(EnvId::make(3, 0x45).value));
}}
int main() {{
"""


def lay_out(out, owner, fields):
    for field in fields:
        out(f'    std::printf("    %4zu %5zu  {field.type} {field.name}\\n", offsetof({owner}, {field.name}), '
            f"sizeof({owner}::{field.name}));")
    sizes = " + ".join(f"sizeof({owner}::{field.name})" for field in fields)
    out(f'    static_assert({sizes} == sizeof({owner}), "{owner} has a hole, or a field was not found");')


def dump_enum(out, enum):
    out(f'    std::puts("\\nenum {enum.name}: {enum.type}");')
    out(f"    static_assert(sizeof({enum.name}) == sizeof({enum.type}));")
    for value in enum.values:
        out(f'    std::printf("    %#6llx  {value.name}\\n", value_of(static_cast<u64>({enum.name}::{value.name})));')


def dump_struct(out, struct):
    if struct.args is not None or not struct.fields:
        return
    out(f'    std::printf("\\nstruct {struct.name}: %zu bytes, alignment %zu\\n", sizeof({struct.name}), '
        f"alignof({struct.name}));")
    lay_out(out, struct.name, struct.fields)


def dump_call(out, place, call):
    args = ", ".join(f"{field.type} {field.name}" for field in call.args)
    out(f'    std::printf("    %2llu  %s({args}) -> {call.reply}\\n", value_of({call.name}::number), {call.name}::name);')
    out(f"    static_assert(std::is_same_v<std::tuple_element_t<{place}, Syscalls::Tuple>, {call.name}>);")
    if call.args:
        lay_out(out, f"{call.name}::Args", call.args)


def dump(abi, out):
    out(HEAD.format(includes="\n".join(f'#include "exokernel/abi/{name}.hpp"' for name in abi_headers.HEADERS)))
    out('    std::puts("constants");')
    for constant in abi.constants:
        if constant.array:
            out(f'    for (const char* text : {constant.name}) std::printf("    {constant.name}: %s\\n", text);')
        else:
            out(f'    std::printf("    {constant.name} = %#llx\\n", value_of({constant.name}));')
    out('    std::puts("\\nnumbers");')
    for name in abi.numbers:
        out(f'    std::printf("    {name}: %zu bytes\\n", sizeof({name}));')
    for enum in abi.enums:
        dump_enum(out, enum)
    for struct in abi.structs:
        dump_struct(out, struct)
    out('    std::puts("\\nsystem calls");')
    for place, call in enumerate(abi.calls()):
        dump_call(out, place, call)
    out(f'    static_assert(Syscalls::count == {len(abi.calls())}, "calls that were not found");')
    out("    encodings();\n}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    dump(abi_headers.read_abi(sys.argv[1]), print)
