"""Pretty-printers: how `print` shows capabilities, S-TLB entries, frames, ids and numbers of the ABI."""

import gdb

RIGHTS = "rwxlu"  # read, write, execute, release, use: Right in exokernel/abi/capability.hpp
LARGE_TAG, DEAD_TAG, NO_TAG = 1 << 62, 1 << 61, (1 << 64) - 1
LARGE_PAGE = 1 << 63
FRAME_MASK = 0x000F_FFFF_FFFF_F000


def rights(bits):
    return "".join(letter if bits & 1 << place else "-" for place, letter in enumerate(RIGHTS))


def binding(tag, pte):
    """An S-TLB entry in words: page, frame, rights now and at most, accessed, dirty."""
    if tag == NO_TAG:
        return "empty"
    dead = "dead, was " if tag & DEAD_TAG else ""
    large, page = bool(tag & LARGE_TAG), tag & ~(LARGE_TAG | DEAD_TAG)
    address = page << (21 if large else 12)
    now = "r" + ("w" if pte & 1 << 11 else "-") + ("-" if pte >> 63 else "x")
    most = "r" + ("w" if pte & 1 << 9 else "-") + ("x" if pte & 1 << 10 else "-")
    bits = ("A" if pte & 1 << 5 else "-") + ("D" if pte & 1 << 6 else "-")
    size = " 2 MiB" if large else ""
    return f"{dead}{address:#x} -> frame {(pte & FRAME_MASK) >> 12:#x}{size} {now} (at most {most}) {bits}"


class Capability:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        value = self.value
        kind = str(value["kind"]).rsplit("::", 1)[-1]
        words = [kind, f"{int(value['first']):#x}+{int(value['count'])}", rights(int(value["rights"])),
                 f"grant {int(value['grant'])}"]
        if int(value["presenter"]):
            words.append(f"only for {int(value['presenter'])}")
        if kind == "tlb_entry":
            page = int(value["page"])
            words.append(f"at page {page & ~LARGE_PAGE:#x}{' (2 MiB)' if page & LARGE_PAGE else ''} of context {int(value['context'])}")
        if int(value["caveats"]):
            words.append(f"{int(value['caveats'])} caveats")
        return "{" + ", ".join(words) + "}"


class StlbEntry:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "{" + binding(int(self.value["tag"]), int(self.value["pte"])) + "}"


class FrameInfo:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        state = str(self.value["state"]).rsplit("::", 1)[-1]
        owner = f" by {int(self.value['owner'])}" if int(self.value["owner"]) else ""
        bound = " bound" if int(self.value["bindings"]) or int(self.value["large_bindings"]) else ""
        return f"{{{state}{owner}, grant {int(self.value['grant'])}{bound}}}"


class Wrapped:
    """A number in a type of its own: addresses, frames, pages in hexadecimal, ids as index and generation."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        inner = int(self.value["value"])
        if "Id<" in str(self.value.type.strip_typedefs()):
            return f"#{inner & 0xff} (generation {inner >> 8})" if inner else "nobody"
        return f"{inner:#x}"


PRINTERS = {"Capability": Capability, "StlbEntry": StlbEntry, "FrameInfo": FrameInfo}


def find(value):
    kind = value.type.strip_typedefs()
    if kind.code != gdb.TYPE_CODE_STRUCT or not (kind.name or "").startswith("tessera::"):
        return None
    short = kind.name.removeprefix("tessera::")
    if short in PRINTERS:
        return PRINTERS[short](value)
    if [field.name for field in kind.fields()] == ["value"]:
        return Wrapped(value)
    return None


gdb.pretty_printers.append(find)
