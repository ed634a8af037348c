"""Runs the unit tests of tools/ and ends with the line `N passed, N failed`."""

import pathlib
import sys
import unittest

import test_layer

if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    sys.exit(test_layer.main(unittest.defaultTestLoader.discover(str(here), pattern="test_*.py")))
