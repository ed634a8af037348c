"""Scenario files: what is accepted, and that every error names file, line and key and says what is allowed."""

import pathlib
import tempfile
import unittest

from tessera_run import iso, machine, scenario as scenarios
from tessera_run.schema import BadScenario

GOOD = """\
title = "two"

[machine]
memory = 64
icount = true

[kernel]
policy = "keep"
tlb_entries = 64

[[libos]]
image = "hello"
arguments = "a=1 b"

[[libos]]
name = "worker"
image = "pager"
copies = 2

[expect]
log = ['^\\[hello\\] ']
ended = { worker-2 = "exit 0" }
"""

DATA = """\
[[data]]
file = "docs/abi.md"
name = "notes"
for = ["hello", "worker-2", "hello"]
[[data]]
file = "READ_ME.txt"
for = ["hello"]
"""


def read(text, overrides=()):
    return scenarios.read(text.encode(), "two.toml", "two", overrides)


class Accepted(unittest.TestCase):
    def test_values_and_defaults(self):
        (one,) = read(GOOD)
        self.assertEqual((one.title, one.machine.memory, one.machine.cpus, one.kernel.tlb_entries), ("two", 64, 1, 64))
        self.assertEqual([libos.name for libos in one.libos], ["hello", "worker-1", "worker-2"])
        self.assertEqual(one.libos[0].arguments, "a=1 b")
        self.assertEqual(one.expect.exit, "done")

    def test_defaults_are_not_shared(self):
        (one,), (other,) = read(GOOD), read(GOOD)
        one.expect.forbidden.append("x")
        self.assertEqual(other.expect.forbidden, [])

    def test_overrides(self):
        (one,) = read(GOOD, [("kernel.policy", "none"), ("libos.worker.frames", 7), ("libos.*.slots", 1)])
        self.assertEqual(one.kernel.policy, "none")
        self.assertEqual([libos.frames for libos in one.libos[1:]], [7, 7])
        self.assertEqual([libos.slots for libos in one.libos], [1, 1, 1])

    def test_override_values_are_toml_or_text(self):
        self.assertEqual([scenarios.parse_value(text) for text in ("3", "true", "none", '"3"', "[1]")],
                         [3, True, "none", "3", [1]])

    def test_matrix(self):
        found = read(GOOD + '[matrix]\n"kernel.policy" = ["none", "keep"]\n"kernel.tlb_entries" = [64, "unbounded"]\n')
        self.assertEqual([one.stem for one in found],
                         ["two.policy=none,tlb_entries=64", "two.policy=none,tlb_entries=unbounded",
                          "two.policy=keep,tlb_entries=64", "two.policy=keep,tlb_entries=unbounded"])
        self.assertEqual(found[1].kernel.tlb_entries, "unbounded")


    def test_more_cpus_run_without_icount(self):
        found = read(GOOD + '[matrix]\n"machine.cpus" = [1, 2, 4]\n')
        self.assertEqual([(one.machine.cpus, one.machine.icount) for one in found], [(1, True), (2, False), (4, False)])
        (one,) = read(GOOD, [("machine.cpus", 2)])
        self.assertFalse(one.machine.icount)
        with self.assertRaisesRegex(BadScenario, "must be 1 with icount"):
            read(GOOD, [("machine.cpus", 2), ("machine.icount", True)])

    def test_cpus_of_libos_fold(self):
        text = GOOD.replace("icount = true", "cpus = 4").replace("copies = 2", "copies = 2\ncpu = 3")
        self.assertEqual([libos.cpu for libos in read(text)[0].libos], [0, 3, 3])
        self.assertEqual([libos.cpu for libos in read(text, [("machine.cpus", 2)])[0].libos], [0, 1, 1])

    def test_arbiter(self):
        for written, words in (("true", 1), ("1", 1), ("false", 0), ("0", 0)):
            (one,) = read(GOOD.replace("copies = 2", f"copies = 2\narbiter = {written}"))
            self.assertEqual([iso.module_options(libos).count(" arbiter=1") for libos in one.libos], [0, words, words])
            self.assertEqual(iso.module_options(one.libos[0]).count("arbiter"), 0)


    def test_data(self):
        (one,) = read(GOOD + DATA)
        self.assertEqual([(data.name, data.readers) for data in one.data],
                         [("notes", ["hello", "worker-2"]), ("read_me", ["hello"])])
        self.assertEqual(iso.data_options(one.data[0]), "data=notes for=hello,worker-2")
        configuration = iso.grub_configuration(one)
        self.assertIn("module2 /data/notes 'data=notes' 'for=hello,worker-2'; then\n", configuration)
        self.assertEqual(configuration.count("if "), configuration.count("fi\n"))

    def test_files_of_data_that_cannot_be_loaded(self):
        (one,) = read(GOOD + DATA)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "data"
            with self.assertRaisesRegex(BadScenario, r"two: cannot read the data .* \(not built\?\)"):
                iso.read(one, path, "data")
            path.write_bytes(b"")
            with self.assertRaisesRegex(BadScenario, "two: the data .* is empty"):
                iso.read(one, path, "data")

    def test_no_data(self):
        self.assertEqual(read(GOOD)[0].data, [])


class Machine(unittest.TestCase):
    def test_threads(self):
        for changes, wanted in (([], "tcg,thread=single"), ([("machine.cpus", 2)], "tcg,thread=multi"),
                                ([("machine.icount", False)], "tcg")):
            (one,) = read(GOOD, changes)
            command = machine.qemu_command(one.machine, "x.iso", "1", "2")
            self.assertEqual(command[command.index("-accel") + 1], wanted)
            self.assertEqual(command[command.index("-smp") + 1], str(one.machine.cpus))
            self.assertEqual("-icount" in command, wanted == "tcg,thread=single")

    def test_cpu(self):
        for changes, wanted in (([], machine.CPU_MODEL), ([("machine.cpu", "EPYC-Milan")], "EPYC-Milan"),
                                ([("machine.cpu", "max,-svm,+la57")], "max,-svm,+la57"),
                                ([("machine.cpu", "max"), ("machine.admits_emulation", False)], "max,-hypervisor")):
            (one,) = read(GOOD, changes)
            command = machine.qemu_command(one.machine, "x.iso", "1", "2")
            self.assertEqual(command[command.index("-cpu") + 1], wanted)
            self.assertEqual(machine.description(one.machine, bochs=False, qemu="none")["cpu_model"], wanted)


class Refused(unittest.TestCase):
    """Each case: what is changed in GOOD, the line that must be named, and words that must be in the message."""

    def check(self, old, new, line, *words):
        self.assertIn(old, GOOD)
        with self.assertRaises(BadScenario) as caught:
            read(GOOD.replace(old, new, 1))
        message = str(caught.exception)
        self.assertTrue(message.startswith(f"two.toml:{line}: "), message)
        for word in words:
            self.assertIn(word, message)

    def test_wrong_type(self):
        self.check("memory = 64", 'memory = "64"', 4, "machine.memory", "from 16 to 65536")

    def test_boolean_is_no_number(self):
        self.check("memory = 64", "memory = true", 4, "machine.memory")

    def test_out_of_range(self):
        self.check("memory = 64", "memory = 8", 4, "machine.memory", "8")

    def test_unknown_key(self):
        self.check("memory = 64", "memori = 64", 4, "machine.memori", "allowed here: memory, cpus")

    def test_cpu_that_is_no_model(self):
        for model in ("", "help", "host", "host,+svm", "-svm", "max,svm", "max,", "max,+", "max +svm", "max,+svm=on",
                      "max,-svm,", "qemu64,+a\\n-device", "../max", "max,+" + "x" * 40, "x" * 50):
            self.check("memory = 64", f'memory = 64\ncpu = "{model}"', 5, "machine.cpu", "'max,-svm'")
        self.check("memory = 64", "memory = 64\ncpu = 6", 5, "machine.cpu", "'max,-svm'")

    def test_unknown_table(self):
        self.check("[machine]", "[maschine]", 3, "maschine", "allowed here", "machine")

    def test_unknown_policy(self):
        self.check('"keep"', '"kept"', 8, "kernel.policy", "none, refill, preload, keep, tagged")

    def test_line_in_second_libos(self):
        self.check("copies = 2", "copies = 2\nstlb = 1000", 19, "libos.stlb", "power of two")

    def test_missing_image(self):
        self.check('image = "pager"', "", 15, "libos", "'image'")

    def test_no_libos(self):
        with self.assertRaisesRegex(BadScenario, r"two\.toml:1: libos: .*\[\[libos\]\]"):
            read("title = 'x'")

    def test_libos_is_no_list(self):
        with self.assertRaisesRegex(BadScenario, r"two\.toml:2: libos: "):
            read("title = 'x'\n[libos]\nimage = 'hello'\n")

    def test_bad_regular_expression(self):
        self.check("log = ['^\\[hello\\] ']", "log = [\n 'fine',\n '(',\n]", 21, "expect.log", "entry 2", "regular expression")

    def test_name_twice(self):
        self.check("copies = 2", 'copies = 1\n[[libos]]\nimage="hello"', 19, "libos.name", "taken", "line 11")

    def test_name_too_long_with_its_number(self):
        self.check('"worker"', '"worker-worker-"', 16, "libos.name", "15")

    def test_hostile_arguments(self):
        for bad in ("a'b", 'a\\"b', "a\\\\b", "a\\u0000b", "a\\nb", "a  b", " a", "\\u00e9"):
            self.check('"a=1 b"', f'"{bad}"', 13, "libos.arguments", "GRUB")

    def test_arguments_too_long(self):
        self.check('"a=1 b"', f'"{"a" * 1024}"', 13, "libos.arguments", "1023")

    def test_icount_wants_one_cpu(self):
        self.check("icount = true", "icount = true\ncpus = 2", 6, "machine.cpus", "icount")

    def test_cpu_that_is_not_there(self):
        self.check("copies = 2", "cpu = 3", 18, "libos.cpu", "CPU 3")

    def test_ended_of_nobody(self):
        self.check("worker-2", "worker", 22, "expect.ended", "worker-1, worker-2")

    def test_data_that_is_wrong(self):
        for old, new, line, *words in (('"docs/abi.md"', '"../secret"', 24, "data.file", "a path in the repository"),
                                       ('"docs/abi.md"', '"docs/../../secret"', 24, "data.file", "in the repository"),
                                       ('file = "docs/abi.md"', "", 23, "data", "'file'"),
                                       ('for = ["hello", "worker-2", "hello"]', "", 23, "data", "'for'"),
                                       ('"worker-2", ', '"worker", ', 26, "data.for", "worker-1, worker-2"),
                                       ('["hello"]', "[]", 29, "data.for", "one libos or more"),
                                       ('"READ_ME.txt"', '"docs/notes.txt"', 27, "data.name", "taken", "line 23"),
                                       ('"notes"', '"Notes"', 25, "data.name", "a-z"),
                                       ("[[data]]\nfile", "[data]\nfile", 23, "data", "[[data]]")):
            with self.subTest(new):
                self.assertIn(old, DATA)
                text = DATA.replace(old, new, 1) if not new.startswith("[data]") else DATA.split("[[data]]\nfile = \"R")[0].replace(old, new)
                with self.assertRaises(BadScenario) as caught:
                    read(GOOD + text)
                self.assertTrue(str(caught.exception).startswith(f"two.toml:{line}: "), caught.exception)
                for word in words:
                    self.assertIn(word, str(caught.exception))

    def test_more_data_than_one_can_have(self):
        text = GOOD + "".join(f"[[data]]\nfile = 'f{number}'\nfor = ['hello']\n" for number in range(5))
        with self.assertRaisesRegex(BadScenario, "two.toml:37: data.for: 'hello' has 4 already"):
            read(text)

    def test_console_that_is_wrong(self):
        typed = "[[typed]]\nafter = 'x'\nline = 'y'\n"
        for text, reason in ((GOOD + typed, "two.toml:23: typed: no libos has `console = true`"),
                             (GOOD + "console = ['x']\n", "two.toml:23: expect.console: no libos has"),
                             (GOOD.replace("copies = 2", "copies = 2\nconsole = true"), "worker-1 and worker-2 want it"),
                             (GOOD.replace("copies = 2", "console = true") + typed.replace("'x'", "'('"), "typed.after: must be a regular"),
                             (GOOD + "[[typed]]\nline = 'x'\n", "needs the key 'after'")):
            with self.subTest(reason), self.assertRaisesRegex(BadScenario, reason):
                read(text.replace("ended = { worker-2 = \"exit 0\" }\n", "") if "copies = 2" not in text else text)

    def test_errors_of_overrides_name_the_option(self):
        for key, words in (("kernel.policy", "must be one of"), ("libos.*.slots", "must be a whole"),
                           ("libos.nobody.slots", "no libos 'nobody'"), ("slots", "table.key")):
            with self.assertRaises(BadScenario) as caught:
                read(GOOD, [(key, "x")])
            self.assertTrue(str(caught.exception).startswith(f"--set {key}: "), caught.exception)
            self.assertIn(words, str(caught.exception))

    def test_syntax_error(self):
        self.check("memory = 64", "memory = ", 4, "TOML")

    def test_not_utf8(self):
        with self.assertRaisesRegex(BadScenario, r"two\.toml:2: file: is not UTF-8"):
            scenarios.read(b"title = 'x'\n# \xff\n", "two.toml", "two")

    def test_deep_nesting(self):
        with self.assertRaises(BadScenario):
            read("title = " + "[" * 100000)

    def test_number_of_thousands_of_digits(self):
        with self.assertRaises(BadScenario):
            read(GOOD.replace("64", "6" * 5000, 1))

    def test_too_large(self):
        with self.assertRaisesRegex(BadScenario, "larger than"):
            read("#" * 300000)

    def test_matrix_too_large(self):
        many = ", ".join(map(str, range(16, 116)))
        with self.assertRaisesRegex(BadScenario, r"two\.toml:\d+: matrix: makes 100 variants"):
            read(GOOD + f'[matrix]\n"machine.memory" = [{many}]\n')

    def test_matrix_of_an_unknown_key(self):
        with self.assertRaisesRegex(BadScenario, "kernel.polici"):
            read(GOOD + '[matrix]\n"kernel.polici" = ["none"]\n')


if __name__ == "__main__":
    unittest.main()
