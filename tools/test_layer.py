"""A layer of tests that is Python's unittest: runs it, and ends with the line that tools/run_tests.py reads."""

import sys
import unittest


def run(suite, out=sys.stdout):
    """(passed, failed). A test of which several parts failed is one that failed; its parts are printed to `out`."""
    result = unittest.TextTestRunner(stream=out, verbosity=0).run(suite)
    failed = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors})
    failed += len(result.unexpectedSuccesses)
    return result.testsRun - failed, failed


def main(suite):
    """The exit status: 0 all passed, 1 some failed or none ran."""
    passed, failed = run(suite)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main_of_module():
    """The same with all tests of the program itself."""
    return main(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
