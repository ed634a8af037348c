"""Reads the ABI's headers: structures, enumerations, constants, system calls, and what is said about each.

Not a C++ parser. It knows the plain style of exokernel/abi/ and stops at what it does not understand; the
compiler then checks that the fields found here fill each structure without a gap (dump.py).
"""

import dataclasses
import pathlib
import re

HEADERS = ["types", "errors", "capability", "span", "syscalls", "upcalls", "information", "records", "boot_info",
           "stlb_entry", "guest", "control_block", "revocation", "transfer"]


@dataclasses.dataclass
class Field:
    type: str
    name: str
    comment: str = ""


@dataclasses.dataclass
class Struct:
    name: str
    fields: list
    comment: str = ""
    args: list = None    # Of a system call.
    reply: str = None


@dataclasses.dataclass
class Enum:
    name: str
    type: str
    values: list         # Fields whose type is empty.
    comment: str = ""


@dataclasses.dataclass
class Constant:
    name: str            # With its structure's name before it, if it stands in one.
    type: str
    array: bool = False


@dataclasses.dataclass
class Abi:
    structs: list = dataclasses.field(default_factory=list)
    enums: list = dataclasses.field(default_factory=list)
    constants: list = dataclasses.field(default_factory=list)
    numbers: list = dataclasses.field(default_factory=list)   # Names of Position<> and Id<> types.

    def calls(self):
        return [struct for struct in self.structs if struct.args is not None]


class NotUnderstood(Exception):
    pass


OPENING = re.compile(r"^(?:struct (?:alignas\(\d+\) )?(?P<struct>\w+)|enum class (?P<enum>\w+) : (?P<type>\w+)) \{",
                     re.MULTILINE)
CONSTANT = re.compile(r"^inline constexpr (?P<type>[\w* ]+?)\s*\b(?P<name>k\w+)(?P<array>\[\w*\])?\s*[={]", re.MULTILINE)
NUMBER = re.compile(r"^using (\w+) = (?:Position|Id)<", re.MULTILINE)
MEMBER_CONSTANT = re.compile(r"static constexpr (u\d+) (k\w+) =")
DECLARATION = re.compile(r"^(?P<type>[A-Z]\w*|u\d+\*?|char)\s+(?P<names>.+)$", re.DOTALL)
DECLARATOR = re.compile(r"^(\w+)\s*(\[\w+\])?\s*(?:\{\}|=.*)?$")


def without_comments(text):
    return re.sub(r"//.*", "", text)


def closing_brace(text, opened):
    depth = 0
    for i in range(opened, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise NotUnderstood("a brace is not closed")


def comment_before(text, position):
    """The /// lines right above a position."""
    lines = []
    for line in reversed(text[:position].splitlines()):
        if not line.startswith("///"):
            break
        lines.insert(0, line[3:].strip())
    return " ".join(lines)


def comment_behind(body, name):
    """The ///< comment on the line that declares a name, with its continuation lines."""
    lines = body.splitlines()
    for i, line in enumerate(lines):
        code, mark, comment = line.partition("///<")
        if not mark or not re.search(rf"\b{name}\b", code):
            continue
        parts = [comment.strip()]
        for following in lines[i + 1:]:
            if not following.strip().startswith("///<"):
                break
            parts.append(following.strip()[4:].strip())
        return " ".join(parts)
    return ""


def without_inner_text(text):
    """What stands in braces is left out; the braces stay."""
    kept, depth = [], 0
    for character in text:
        depth -= character == "}"
        if depth == 0:
            kept.append(character)
        depth += character == "{"
    return "".join(kept)


def fields_of(body, commented):
    """Data members, from a structure's body without nested types and comments."""
    body = without_inner_text(body)
    body = re.sub(r"\)[^;{}]*\{\}", ");", body)  # functions end like declarations now
    fields = []
    for statement in map(str.strip, body.split(";")):
        if not statement or "(" in statement or statement.startswith(("using", "static", "template", "constexpr")):
            continue
        declaration = DECLARATION.match(statement)
        if not declaration:
            raise NotUnderstood(f"declaration: {statement}")
        for declarator in declaration["names"].split(","):
            name = DECLARATOR.match(declarator.strip())
            if not name:
                raise NotUnderstood(f"declarator: {declarator}")
            fields.append(Field(declaration["type"] + (name[2] or ""), name[1], comment_behind(commented, name[1])))
    return fields


def read_struct(name, body, comment):
    plain = without_comments(body)
    args = reply = None
    if "static constexpr u64 number" in plain:
        inner = re.search(r"struct Args \{(.*?)\};", plain, re.DOTALL)
        answer = re.search(r"using Reply = (\w+);", plain)
        if not inner or not answer:
            raise NotUnderstood(f"system call {name}")
        args, reply = fields_of(inner[1], ""), answer[1]
        plain = plain.replace(inner[0], "")
    return Struct(name, fields_of(plain, body), comment, args, reply)


def read_enum(name, enum_type, body, comment):
    values = []
    for value in without_comments(body).split(","):
        if value.strip():
            value_name = re.match(r"\s*(\w+)", value)[1]
            values.append(Field("", value_name, comment_behind(body, value_name)))
    return Enum(name, enum_type, values, comment)


def namespace_at(text, position):
    """`inner::` where that namespace within ours is open, else nothing."""
    opened = re.findall(r"^namespace (\w+) \{|^\}  // namespace (\w+)", text[:position], re.MULTILINE)
    inner = [name for name, closed in opened[1:] if name and ("", name) not in opened]
    return "".join(f"{name}::" for name in inner)


def read_text(text, abi):
    for match in OPENING.finditer(text):
        body = text[match.end():closing_brace(text, match.end() - 1)]
        before = text[:match.start()].rstrip().splitlines()
        if before and before[-1].startswith("template"):
            continue
        comment = comment_before(text, match.start())
        if match["enum"]:
            abi.enums.append(read_enum(match["enum"], match["type"], body, comment))
            continue
        abi.structs.append(read_struct(match["struct"], body, comment))
        for constant in MEMBER_CONSTANT.finditer(body):
            abi.constants.append(Constant(f"{match['struct']}::{constant[2]}", constant[1]))
    for match in CONSTANT.finditer(text):
        name = namespace_at(text, match.start()) + match["name"]
        abi.constants.append(Constant(name, match["type"].strip(), bool(match["array"])))
    abi.numbers += NUMBER.findall(text)


def read_abi(root):
    abi = Abi()
    folder = pathlib.Path(root) / "exokernel/abi"
    unknown = {path.stem for path in folder.glob("*.hpp")} - set(HEADERS) - {"result"}
    if unknown:
        raise NotUnderstood(f"headers that HEADERS does not list: {', '.join(sorted(unknown))}")
    for header in HEADERS:
        read_text((folder / f"{header}.hpp").read_text(), abi)
    return abi
