"""Running an emulator, with a fake one: streaming, time limit, a flood of log, and what is left in the result."""

import json
import os
import pathlib
import tempfile
import time
import unittest

from tessera_run import emulate, iso, report, scenario as scenarios
from tessera_run.verdict import judge

TEXT = b"[machine]\ntime_limit = 1\n[[libos]]\nimage = 'hello'\n"


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
        begun = time.monotonic()
        self.assertIn("stopped: time limit of 1 s", self.play("hang")[1])
        self.assertLess(time.monotonic() - begun, 10)

    def test_flood(self):
        self.scenario.machine.time_limit = 60
        self.assertIn("stopped: log longer than 16 MiB", self.play("flood")[1])

    def test_no_emulator(self):
        with self.assertRaisesRegex(iso.BootError, "cannot run"):
            emulate.run(self.scenario, self.folder / "x.iso", qemu=str(self.folder / "none"))

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
