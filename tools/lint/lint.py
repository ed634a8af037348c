"""Runs the lints of the source tree, after showing that they can fail.

exit status: 0 all is in order; the last line is `N passed, N failed` (files, and tests of the lints)
"""

import io
import pathlib
import sys
import unittest

import layering
import test_lint

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    report = io.StringIO()
    result = unittest.TextTestRunner(report).run(unittest.defaultTestLoader.loadTestsFromModule(test_lint))
    tests_failed = len(result.failures) + len(result.errors)
    if tests_failed:
        print(report.getvalue())
    files, files_failed = layering.check_tree(ROOT)
    failed = tests_failed + files_failed
    print(f"{result.testsRun + files - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
