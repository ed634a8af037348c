"""Running an emulator, with a fake one: streaming, time limit, a flood of log, and what is left in the result."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from tessera_run import emulate, iso, report, scenario as scenarios
from tessera_run.verdict import judge

TEXT = b"[[libos]]\nimage = 'hello'\n"


class Emulate(unittest.TestCase):
    def setUp(self):
        (self.scenario,) = scenarios.read(TEXT, "x.toml", "x")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.qemu = self.folder / "qemu"
        fake = pathlib.Path(__file__).parent / "fake_qemu.py"
        self.qemu.write_text(f'#!/bin/sh\nexec {iso.ROOT}/tools/python {fake} "$@"\n')
        self.qemu.chmod(0o755)

    def play(self, what):
        os.environ["FAKE_QEMU"] = what
        shown = []
        outcome = emulate.run(self.scenario, self.folder / "x.iso", shown.append, qemu=str(self.qemu))
        self.assertEqual(shown, outcome.log)
        return outcome, judge(self.scenario, outcome)

    def test_good(self):
        outcome, reasons = self.play("good")
        self.assertEqual(reasons, [])
        self.assertEqual(outcome.log, ["[tessera] boot", "[hello] 0;title?half a line", "no newline at the end"])
        self.assertEqual(outcome.preface, ["Welcome to GRUB!"])

    def test_triple_fault(self):
        self.assertIn("triple fault", self.play("triple fault")[1][0])

    def test_no_final_record(self):
        self.assertEqual(self.play("no final")[1], ["0 final records, expected exactly 1"])

    def test_time_limit(self):
        self.scenario.machine.time_limit = 1
        begun = time.monotonic()
        self.assertIn("stopped: time limit of 1 s", self.play("hang")[1])
        self.assertLess(time.monotonic() - begun, 500)  # It would hang for longer.

    def test_flood(self):
        self.scenario.machine.time_limit = 600
        self.assertIn("stopped: log longer than 16 MiB", self.play("flood")[1])

    def test_no_emulator(self):
        with self.assertRaisesRegex(iso.BootError, "cannot run"):
            emulate.run(self.scenario, self.folder / "x.iso", qemu=str(self.folder / "none"))

    def with_console(self, more=b""):
        typed = b"".join(b"[[typed]]\nafter = '%s'\nline = '%s'\n" % pair for pair in ((rb"are you\?", b"ada"), (rb"old is \w+\?", b"36")))
        (self.scenario,) = scenarios.read(TEXT + b"console = true\n" + typed + b"[expect]\nconsole = ['36 years$']\n" + more, "x.toml", "x")

    def test_console(self):
        self.with_console()
        outcome, reasons = self.play("console")
        self.assertEqual(reasons, [])
        self.assertEqual(outcome.console, ["Who are you? ", "How old is ada? 36 years"])
        self.assertEqual(outcome.untyped, [])

    def test_console_that_shows_something_else(self):
        self.with_console(b"[[typed]]\nafter = 'Goodbye'\nline = 'bye'\n")
        self.scenario.expect.console = scenarios.re.compile("^nothing"),
        _, reasons = self.play("console")
        self.assertIn("no line of the console matches '^nothing'", reasons)
        self.assertIn("the console never showed what the line 'bye' waited for", reasons)
        self.assertIn("How old is ada?", reasons[-1])

    def test_person_at_the_console(self):
        self.with_console()
        program = ("import sys; from tessera_run import emulate, scenario; (one,) = scenario.read(sys.argv[1].encode(), 'x', 'x'); "
                   "outcome = emulate.run(one, __import__('pathlib').Path('x.iso'), qemu=sys.argv[2], person=True); "
                   "print(outcome.status, outcome.left, outcome.stopped)")
        for typed, last in ((b"eve\r", "33 False \n"), (b"\x1d", "-9 True \n")):
            with self.subTest(typed):
                made = subprocess.Popen([f"{iso.ROOT}/tools/python", "-c", program, (TEXT + b"console = true\n").decode(), str(self.qemu)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "FAKE_QEMU": "console"})
                made.stdin.write(typed)
                made.stdin.flush()
                out = b""
                while b"old is" not in out and (some := made.stdout.read1(100)):
                    out += some
                out += made.communicate(b"40\r")[0]
                self.assertTrue(out.decode().endswith(last), out)

    def test_result_file(self):
        outcome, reasons = self.play("good")
        report.write(self.folder / "results/x.json", report.result(self.scenario, outcome, reasons))
        kept = json.loads((self.folder / "results/x.json").read_text())
        self.assertEqual((kept["verdict"], kept["exit_status"]), ("passed", 33))
        self.assertEqual(kept["records"], {"hello": [{"said": 1}]})
        self.assertEqual(kept["environments"][0]["reason"], "exit")
        self.assertIn("name=hello", kept["command_lines"]["modules"]["hello"])
        self.assertEqual(os.listdir(self.folder / "results"), ["x.json"])


class GrubConfiguration(unittest.TestCase):
    def test_arguments_cannot_leave_their_quotes(self):
        (one,) = scenarios.read(b"[[libos]]\nimage = 'hello'\narguments = '$x ;reboot {a} # | &'\n", "x.toml", "x")
        self.assertIn("'--' '$x' ';reboot' '{a}' '#' '|' '&'; then\n", iso.grub_configuration(one))


if __name__ == "__main__":
    unittest.main()
