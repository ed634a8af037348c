"""The kernel's tables as gdb sees them: found by symbol, read in one go, decoded by the offsets in the debug information.

Nothing is called in the machine, and nothing of it is changed.
"""

import gdb

SPACE = "tessera::kernel::"
DIRECT_MAP = 0xFFFF_8000_0000_0000  # exokernel/arch/x86_64/layout.h
CPU_BLOCK_SIZE = 0x10000
PAGE = 4096
MAX_CPUS = 8


def symbol(name):
    """The value of a kernel variable; its file's own ones are in the anonymous namespace."""
    for written in (SPACE + name, f"{SPACE}(anonymous namespace)::{name}"):
        found = gdb.lookup_global_symbol(written) or gdb.lookup_static_symbol(written)
        if not found:
            continue
        value = found.value()
        return _by_linker_name(name, found.type) if value.is_optimized_out else value
    raise gdb.GdbError(f"there is no {name}: is the kernel's symbol file loaded?")


def _by_linker_name(name, kind):
    """Link-time optimisation may lose where a file's own variable is; the symbol table still says it."""
    mangled = f"_ZN7tessera6kernel12_GLOBAL__N_1{len(name)}{name}E"
    for written in (f"{mangled}.lto_priv.0", mangled):
        try:
            address = int(gdb.parse_and_eval(f"(unsigned long)&'{written}'"))
        except gdb.error:
            continue
        return gdb.Value(address).cast(kind.pointer()).dereference()
    raise gdb.GdbError(f"{name} was optimised away")


def type_of(name, kernel=True):
    return gdb.lookup_type((SPACE if kernel else "tessera::") + name)


def enum_name(value):
    """`full` for Resume::full."""
    return str(value).rsplit("::", 1)[-1]


def text_of(value):
    return value.string("ascii", "replace")


def number(value):
    """A FrameNumber, PageNumber, Id, PhysAddr... as the number in it."""
    return int(value["value"])


def records(address, count, kind, names):
    """Yields the named whole-number fields of `count` structures that follow each other, from one read of memory."""
    size = kind.sizeof
    fields = {field.name: field for field in kind.fields()}
    spans = [(fields[name].bitpos // 8, fields[name].type.sizeof) for name in names]
    memory = bytes(gdb.selected_inferior().read_memory(address, size * count))
    for at in range(0, size * count, size):
        yield tuple(int.from_bytes(memory[at + begin:at + begin + length], "little") for begin, length in spans)


def environments():
    """(index, Environment) of each that lives."""
    table = symbol("environments")
    for index in range(64):
        if int(table[index]):
            yield index, table[index].dereference()


def names():
    """EnvId -> name."""
    return {number(env["id"]): text_of(env["info"]["name"]) for _, env in environments()}


def context(index):
    found = symbol("contexts")[index]
    if not int(found):
        raise gdb.GdbError(f"there is no context {index}")
    return found.dereference()


def contexts():
    table = symbol("contexts")
    return [index for index in range(128) if int(table[index])]


def cpu(index=0):
    """The Cpu structure at the bottom of a CPU's block."""
    base = int(gdb.parse_and_eval("(unsigned long)&cpu_blocks"))
    return gdb.Value(base + index * CPU_BLOCK_SIZE).cast(type_of("Cpu").pointer()).dereference()


def current_context():
    here = cpu()["context"]
    if not int(here):
        raise gdb.GdbError("no context is in use; say which: " + ", ".join(map(str, contexts())))
    return here.dereference()
