"""The verdict: what passes, and that each single thing gone wrong does not."""

import unittest

from tessera_run import scenario as scenarios
from tessera_run.emulate import Outcome
from tessera_run.records import Record
from tessera_run.verdict import judge

TEXT = """
[[libos]]
image = "hello"
[expect]
log = ['^\\[hello\\] one', 'two$']
ordered_log = ['one', 'two']
forbidden = ['panic']
"""


def ended(name, reason="exit", code=0):
    return Record("ended", 0, {"name": name, "env": 1, "reason": reason, "code": code})


def good_run():
    return Outcome(["qemu"], status=33, log=["[tessera] boot", "[hello] one", "[hello] two"],
                   records=[Record("boot", 0, {"abi": 1}), Record("started", 0, {"name": "hello", "env": 1}),
                            ended("hello"), Record("final", 0, {"conserved": True})])


class Verdict(unittest.TestCase):
    def setUp(self):
        (self.scenario,) = scenarios.read(TEXT.encode(), "x.toml", "x")
        self.outcome = good_run()

    def failed(self, *words):
        reasons = "\n".join(judge(self.scenario, self.outcome))
        self.assertTrue(reasons)
        for word in words:
            self.assertIn(word, reasons)

    def test_good(self):
        self.assertEqual(judge(self.scenario, self.outcome), [])

    def test_status_zero_is_a_triple_fault(self):
        self.outcome.status = 0
        self.failed("triple fault")

    def test_other_status(self):
        self.outcome.status = 37
        self.failed("37 (panic)", "33 (done)")

    def test_loader(self):
        self.outcome.status = 41
        self.failed("GRUB could not load")

    def test_killed(self):
        self.outcome.status = -11
        self.failed("signal 11")

    def test_time_limit(self):
        self.outcome.stopped = "time limit of 1 s"
        self.failed("time limit")

    def test_no_final_record(self):
        self.outcome.records.pop()
        self.failed("0 final records")

    def test_not_conserved(self):
        for data in ({"conserved": False}, {}, {"conserved": 1}):
            self.outcome.records[-1] = Record("final", 0, data)
            self.failed("balance")

    def test_second_boot(self):
        self.outcome.records.append(Record("boot", 0, {}))
        self.failed("2 boot records")

    def test_no_boot(self):
        del self.outcome.records[0]
        self.failed("0 boot records")

    def test_bochs_must_have_had_tags(self):
        self.outcome.bochs = True
        self.outcome.records[0] = Record("boot", 0, {"policy": "keep"})
        self.failed("`tagged` was not in force")
        self.outcome.records[0] = Record("boot", 0, {"policy": "tagged"})
        self.assertEqual(judge(self.scenario, self.outcome), [])

    def test_damaged_frame(self):
        self.outcome.frame_errors.append("COM2: the checksum is wrong")
        self.failed("checksum")

    def test_missing_line(self):
        self.outcome.log.remove("[hello] two")
        self.failed("no log line matches 'two$'")

    def test_order(self):
        self.outcome.log.reverse()
        self.failed("behind the match of 'one'")

    def test_forbidden_line(self):
        self.outcome.log.append("[tessera] panic: x")
        self.failed("forbidden", "panic: x")

    def test_environment_that_ended_badly(self):
        self.outcome.records[2] = ended("hello", "exit", 3)
        self.failed("hello ended with 'exit 3', expected 'exit 0'")

    def test_environment_that_never_ended(self):
        del self.outcome.records[2]
        self.failed("nothing at all")

    def test_environment_that_must_not_begin(self):
        self.scenario.expect.ended = {"hello": "never"}
        self.failed("hello ended with 'exit 0', expected 'never'")
        del self.outcome.records[2]
        self.assertEqual(judge(self.scenario, self.outcome), [])

    def test_unexpected_environment_that_ended_badly(self):
        self.outcome.records.insert(2, ended("child", "killed"))
        self.failed("child")

    def test_expected_failure(self):
        self.scenario.expect.exit = "failed"
        self.scenario.expect.ended = {"hello": "page fault.*"}
        self.failed("35 (failed)")
        self.outcome.status = 35
        self.failed("hello ended with 'exit 0'")
        self.outcome.records[2] = ended("hello", "page fault in the save area", 0)
        self.assertEqual(judge(self.scenario, self.outcome), [])

    def test_expected_panic_needs_no_final_record(self):
        self.scenario.expect.exit = "panic"
        self.outcome.status = 37
        self.outcome.records = self.outcome.records[:1]
        self.assertEqual(judge(self.scenario, self.outcome), [])

    def test_silence_shows_what_came_before(self):
        self.outcome.log, self.outcome.preface = [], ["error: no such module"]
        self.failed("printed nothing", "no such module")


if __name__ == "__main__":
    unittest.main()
