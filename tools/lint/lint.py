"""Runs the lints of the source tree, after showing that they can fail.

exit status: 0 all is in order; the last line is `N passed, N failed` (files, and tests of the lints)
"""

import io
import pathlib
import sys
import unittest

import layering
import test_layer
import test_lint

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    report = io.StringIO()
    tests_passed, tests_failed = test_layer.run(unittest.defaultTestLoader.loadTestsFromModule(test_lint), report)
    if tests_failed:
        print(report.getvalue())
    files, files_failed = layering.check_tree(ROOT)
    failed = tests_failed + files_failed
    print(f"{tests_passed + files - files_failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
