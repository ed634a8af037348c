"""The test runner: how a layer is judged. A layer that says nothing, or nothing true, has failed."""

import unittest

import run_tests


class Layers(unittest.TestCase):
    def test_judgement(self):
        for status, output, wanted in (
                (0, "noise\n12 passed, 0 failed\n", (12, 0)),
                (1, "12 passed, 3 failed\n", (12, 3)),
                (2, "12 passed, 0 failed\nmake: *** Error\n", (12, 1)),
                (0, "", (0, 1)),
                (0, "0 passed, 0 failed\n", (0, 1)),
                (0, "all 12 passed, 0 failed\n", (0, 1)),
                (0, "1 passed, 0 failed\n5 passed, 0 failed\n", (5, 0))):
            self.assertEqual(run_tests.judge_layer(status, output), wanted, output)

    def test_unreadable_scenario_is_a_failed_test(self):
        given = run_tests.argparse.Namespace(layer=[], scenarios=["/nonexistent.toml"], bochs=False)
        ((_, function),) = run_tests.jobs_of(given)
        self.assertEqual(function()[:2], (0, 1))


if __name__ == "__main__":
    unittest.main()
