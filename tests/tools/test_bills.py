"""Bills: made of what the kernel counted, added up by name, with units for every number."""

import unittest

from tessera_run import bills, scenario as scenarios
from tessera_run.emulate import Outcome
from tessera_run.records import Record

TEXT = b"[machine]\nicount = true\n[[libos]]\nimage = 'hello'\n"


def ended(name, **numbers):
    return Record("ended", 3, {"name": name, "env": 3, "reason": "exit 0", "failed": False, **numbers})


class Bills(unittest.TestCase):
    def bill(self, *records):
        (scenario,) = scenarios.read(TEXT, "x.toml", "x")
        return bills.bill(scenario, Outcome(["qemu-that-is-not-there"], records=[Record("boot", 0, {"tsc_hz": 7}), *records]))

    def test_same_names_are_added_up(self):
        made = self.bill(ended("a", ticks=5, frames=1), ended("b", ticks=1), ended("a", ticks=2))
        one, other = made["environments"]
        self.assertEqual((one["name"], one["environments"], one["ticks"], one["frames"]), ("a", 2, 7, 1))
        self.assertEqual((other["ticks"], other["ended"]), (1, {"exit 0": 1}))

    def test_units(self):
        made = self.bill(ended("a", ticks=5, frame_ticks=1, slots=1, upcalls=2))
        self.assertEqual(made["units"], {"environments": "environments", "frame_ticks": "frames x instructions",
                                         "slots": "slots", "ticks": "instructions", "upcalls": "times"})
        self.assertEqual((made["tsc_hz"], made["machine"]["icount"], made["complete"]), (7, True, False))

    def test_whatever_the_kernel_counts(self):
        made = self.bill(ended("a", new_count=3, note="text"), Record("libos", 3, {"ticks": 10 ** 9}))
        (entry,) = made["environments"]
        self.assertEqual(entry["new_count"], 3)
        self.assertNotIn("note", entry)
        self.assertNotIn("env", made["units"])
        self.assertNotIn("ticks", entry)

    def test_table(self):
        shown = "\n".join(bills.lines(self.bill(ended("a", ticks=5000))))
        self.assertIn("ticks in instructions", shown)
        self.assertIn("5,000", shown)
        self.assertNotIn("transfers", shown)
        self.assertTrue(bills.lines(self.bill()))


if __name__ == "__main__":
    unittest.main()
