"""The interface compiler: what it reads, what it refuses and where, and that what it writes says what was read."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from rpc import cpp, language

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD = """# A comment.
interface bank version 7 {
    void nothing();
    u64 add(u64 a, i8 b);
    (u16 low, bytes<10> text, bool more) several(bytes<3> one, bytes<20> two, u32 three);
    oneway stop(u8 why);
}
"""


def wrap(procedures):
    return "interface a version 1 {\n" + procedures + "\n}\n"


class Language(unittest.TestCase):
    def refused(self, text, line, part):
        with self.subTest(text=text[:60]):
            with self.assertRaises(language.BadInterface) as raised:
                language.read(text, "x.rpc")
            message = str(raised.exception)
            self.assertTrue(message.startswith(f"x.rpc:{line}: "), message)
            self.assertIn(part, message)

    def test_what_is_read(self):
        interface = language.read(GOOD)
        self.assertEqual((interface.name, interface.version), ("bank", 7))
        self.assertEqual([one.name for one in interface.procedures], ["nothing", "add", "several", "stop"])
        self.assertEqual([one.number for one in interface.procedures], [0, 1, 2, 3])
        self.assertEqual([one.oneway for one in interface.procedures], [False, False, False, True])
        several = interface.procedures[2]
        self.assertEqual([(one.name, offset) for one, offset in several.bytes_of(several.arguments)], [("one", 0), ("two", 8)])
        self.assertEqual((interface.request_size, interface.answer_size), (32, 16))

    def test_the_number_is_the_names(self):
        other = GOOD.replace("version 7", "version 8")
        self.assertEqual(language.read(GOOD).number, language.read(other).number)
        self.assertNotEqual(language.read(GOOD).number, language.read(GOOD.replace("bank", "tank")).number)

    def test_what_is_refused(self):
        self.refused("", 1, "expected 'interface', not 'the end'")
        self.refused("interface a version 0 {}", 1, "from 1 to 65535")
        self.refused("interface a version 65536 {}", 1, "from 1 to 65535")
        self.refused("interface A version 1 {}", 1, "no name")
        self.refused("interface class version 1 {}", 1, "another meaning")
        self.refused("interface a version 1 {}", 1, "has no procedures")
        self.refused(wrap("u64 f();") + "more", 4, "behind the end")
        self.refused(wrap("\nu64 f(u64 a,);"), 3, "no type ')'")
        self.refused(wrap("float f();"), 2, "no type 'float'")
        self.refused(wrap("u64 f(u64 $);"), 2, "means nothing")
        self.refused(wrap("u64 f(u64 a, u64 a);"), 2, "already")
        self.refused(wrap("u64 f();\nu64 f();"), 3, "already")
        self.refused(wrap("u64 send();"), 2, "another meaning")
        self.refused(wrap("u64 f(u64 f);"), 2, "the same name")
        self.refused(wrap("u64 f(u64 a__b);"), 2, "no name")
        self.refused(wrap("() f();"), 2, "written as void")
        self.refused(wrap("u64 f()"), 3, "expected ';'")
        self.refused(wrap("bytes<0> f();"), 2, "from 1 to 16384")
        self.refused(wrap("bytes<16385> f();"), 2, "from 1 to 16384")
        self.refused(wrap("bytes<9999999999999999999999> f();"), 2, "from 1 to 16384")
        self.refused(wrap("bytes f();"), 2, "expected '<'")
        self.refused(wrap("oneway f(bytes<1> b);"), 2, "one way")
        self.refused(wrap(f"void f({', '.join(f'u64 a{i}' for i in range(10))});"), 2, "9 go over")
        self.refused(wrap("bytes<9000> f(bytes<9000> b);"), 2, "more than 16384 bytes")
        self.refused("interface a version 1 {\n u64 f();\n", 3, "no type ''")

    def test_every_cut_is_refused_or_whole(self):
        for end in range(len(GOOD.rstrip())):
            with self.assertRaises(language.BadInterface):
                language.read(GOOD[:end])


class Compiler(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def compile(self, text):
        source, target = self.path / "a.rpc", self.path / "out/a.rpc.hpp"
        source.write_text(text)
        done = subprocess.run([sys.executable, "-m", "rpc", str(source), str(target)], capture_output=True, text=True, check=False,
                              cwd=ROOT / "tools")
        return done, target

    def test_one_file(self):
        done, target = self.compile(GOOD)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = target.read_text()
        for expected in ("namespace tessera::rpc::bank", "Result<u64> add(u64 a, std::int8_t b)",
                         "struct SeveralResults { u16 low; bool more; };",
                         "Result<SeveralResults> several(std::span<const u8> one, std::span<const u8> two, u32 three, "
                         "libos::Bytes<10>& text)",
                         "virtual Outcome stop(EnvId caller, u8 why) = 0;", "return send(message);"):
            self.assertIn(expected, text)

    def test_a_bad_one_leaves_nothing(self):
        done, target = self.compile("interface")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a.rpc:1: ", done.stderr)
        self.assertFalse(target.exists())

    def test_both_sides_say_the_same(self):
        """Each argument and result has the same word and place in the window in the client as in the server."""
        text = cpp.generate(language.read(GOOD), "bank.rpc")
        client, server = text.split("class Server")
        for put, get in (("put(message.word[1], one, 3, 0)", "call.get(one, 1, 0)"), ("put(message.word[2], two, 20, 8)", "call.get(two, 2, 8)"),
                         ("message.word[3] = libos::to_word(three)", "three = TRY(call.scalar<u32>(3))"),
                         ("get(text, message.word[2], 32)", "call.put(text, 2, 32)"), ("from_word<bool>(message.word[3])", "call.answer(3, ")):
            self.assertIn(put, client)
            self.assertIn(get, server)


if __name__ == "__main__":
    unittest.main()
