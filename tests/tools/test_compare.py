"""Holding runs together: what differs between policies or machines is found, and only that."""

import pathlib
import tempfile
import unittest

from tessera_run import compare, report, scenario as scenarios
from tessera_run.emulate import Outcome
from tessera_run.records import Record

TEXT = b"""
[machine]
icount = true
[[libos]]
image = "pager"
[results]
accounts = ["ticks"]
same = ["sum", "right"]
compare = ["none", "tagged"]
"""


def run(total=1, ticks=10, policy="keep", **more):
    return Outcome(["qemu"], records=[
        Record("boot", 0, {"policy": policy}), Record("started", 0, {"name": "pager", "env": 0x102}),
        Record("libos", 2, {"sum": total, "right": True, **more}), Record("libos", 2, "text"),
        Record("ended", 0, {"name": "pager", "env": 0x102, "reason": "exit 0", "ticks": ticks})])


class Compare(unittest.TestCase):
    def setUp(self):
        (self.scenario,) = scenarios.read(TEXT, "x.toml", "x")

    def differences(self, one, other):
        return list(compare.differences(self.scenario, one, other, "there"))

    def test_same(self):
        self.assertEqual(self.differences(run(slices=1), run(slices=2)), [])

    def test_another_answer(self):
        (reason,) = self.differences(run(1), run(2))
        self.assertIn("pager answered", reason)
        self.assertIn("there", reason)

    def test_no_answer(self):
        silent = Outcome(["qemu"])
        self.assertTrue(self.differences(run(), silent))
        self.assertTrue(self.differences(silent, silent))

    def test_variants(self):
        variants = scenarios.read(TEXT + b'[matrix]\n"machine.cpus" = [1, 2]\n', "x.toml", "x")
        with tempfile.TemporaryDirectory() as folder:
            for second, wanted in ((1, 0), (2, 1)):
                for one, total in zip(variants, (1, second)):
                    report.write(pathlib.Path(folder) / f"{one.stem}.json", report.result(one, run(total), []))
                reasons = compare.variants_agree(variants, pathlib.Path(folder))
                self.assertEqual(len(reasons), wanted, reasons)
        self.assertIn("x.cpus=2, compared with x.cpus=1: pager answered", reasons[0])

    def test_under_each_policy(self):
        ran = []

        def run_one(variant):
            ran.append((variant.stem, variant.kernel.policy))
            return run(3 if variant.kernel.policy == "none" else 1, 7), ["broke"] if variant.kernel.policy == "tagged" else []

        lines, failures, rows = compare.under_each_policy(self.scenario, run(), run_one)
        self.assertEqual(ran, [("x.policy=none", "none"), ("x.policy=tagged", "tagged")])
        self.assertEqual(rows, [{"policy": "none", "ticks": 7}, {"policy": "tagged", "ticks": 7}])
        self.assertEqual(len(failures), 2)
        self.assertIn("leave out", "\n".join(lines))
        self.assertIn("tagged: this CPU cannot do it, and keep stood in for it.", "\n".join(lines))
        self.assertIsNone(self.scenario.kernel.policy)

    def test_bochs_and_qemu(self):
        seen = []

        def run_one(variant):
            seen.append((variant.kernel.policy, variant.machine.icount))
            return run(5), []

        self.assertEqual(compare.with_qemu(self.scenario, run(5), run_one), [])
        self.assertEqual(len(compare.with_qemu(self.scenario, run(6), run_one)), 1)
        self.assertEqual(seen[0], ("keep", True))

    def test_comparison_sums_environments(self):
        two = run(ticks=4)
        two.records.append(Record("ended", 0, {"name": "other", "ticks": 5}))
        self.assertEqual(report.comparison(self.scenario, {"none": two}), [{"policy": "none", "ticks": 9}])


if __name__ == "__main__":
    unittest.main()
