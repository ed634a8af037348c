"""Runs the unit tests of tools/ and ends with the line `N passed, N failed`."""

import pathlib
import sys
import unittest


def main():
    here = pathlib.Path(__file__).parent
    suite = unittest.defaultTestLoader.discover(str(here), pattern="test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    failed = len({getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
