"""Compares what the headers say with what is committed; with --update, commits to what they say.

A change of the ABI is never an accident then: it shows as a change of a text beside the change of the header.
usage: golden.py [--update] COMMITTED=FRESH...
exit status: 0 all the same; the last line is `N passed, N failed`
"""

import difflib
import io
import pathlib
import shutil
import sys
import unittest

import abi_headers


class Headers(unittest.TestCase):
    """The reader of the headers sees what it should, and stops at what it does not know."""

    def read(self, text):
        abi = abi_headers.Abi()
        abi_headers.read_text(text, abi)
        return abi

    def test_struct(self):
        struct, = self.read("/// Two\n/// lines.\nstruct alignas(8) S {\n    u64 a{}, b{};  ///< Both.\n    u8 c[4];\n"
                            "    S() = default;\n    explicit S(u64 x) : a(x) {}\n"
                            "    bool f(u64 x) const { return x && a == S{x}.b; }\n    K k = K::one;\n};\n").structs
        self.assertEqual((struct.name, struct.comment), ("S", "Two lines."))
        self.assertEqual([(f.type, f.name, f.comment) for f in struct.fields],
                         [("u64", "a", "Both."), ("u64", "b", "Both."), ("u8[4]", "c", ""), ("K", "k", "")])

    def test_call(self):
        call, = self.read('struct C {\n    static constexpr u64 number = 1;\n    static constexpr const char* name = "c";\n'
                          "    struct Args {\n        u64 a;\n        PageSpan b;\n    };\n    using Reply = u64;\n};\n"
                          ).calls()
        self.assertEqual(([f.name for f in call.args], call.reply, call.fields), (["a", "b"], "u64", []))

    def test_enum(self):
        enum, = self.read("enum class E : u8 { one = 1, two };\n").enums
        self.assertEqual([value.name for value in enum.values], ["one", "two"])

    def test_not_understood(self):
        for text in ["struct S {\n    unsigned a : 3;\n};\n", "struct S {\n    u64 (*f)[3], b c;\n    std::x y;\n};\n",
                     "struct S {\n"]:
            self.assertRaises(abi_headers.NotUnderstood, self.read, text)


def same(committed, fresh):
    """True when they are; prints the difference otherwise."""
    old = pathlib.Path(committed).read_text().splitlines() if pathlib.Path(committed).exists() else []
    difference = list(difflib.unified_diff(old, pathlib.Path(fresh).read_text().splitlines(), committed,
                                           "exokernel/abi says", lineterm=""))
    if difference:
        print("\n".join(difference))
        print(f"{committed}: if that is meant, run `make golden-update`")
    return not difference


def main(words):
    update = words[:1] == ["--update"]
    pairs = [word.split("=") for word in words[update:]]
    if update:
        for committed, fresh in pairs:
            shutil.copyfile(fresh, committed)
        return 0
    report = io.StringIO()
    result = unittest.TextTestRunner(report).run(unittest.defaultTestLoader.loadTestsFromTestCase(Headers))
    failed = len(result.failures) + len(result.errors)
    if failed:
        print(report.getvalue())
    failed += sum(not same(committed, fresh) for committed, fresh in pairs)
    print(f"{result.testsRun + len(pairs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
