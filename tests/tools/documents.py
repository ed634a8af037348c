"""`make docs-tests`: the documents say what is so.

A block fenced as `sh run` holds commands that must work; one fenced as `text shows` behind it holds lines that they
must have printed, in this order, whatever the numbers in them. Everywhere else: verbs of make that are named exist,
and so do files. The first program of the how-to is built and booted.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import test_layer

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "scenarios/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OWN = {"READY", "V", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "LIBOS", "ARGS"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OWN}
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VERB = re.compile(r"(?:`|^ {4}|^)make ((?:[a-z-]+\b(?!=) ?)+)", re.MULTILINE)
TOP = "exokernel|libos|secure_bindings|stlb|tests|bench|tools|docs|scenarios|guests"
PATH = re.compile(rf"(?<![\w/.-])(?:{TOP})/(?!\d+\b)[\w./-]*[\w/]")


def run(command):
    """Status and output of a command line, as a person would type it."""
    made = subprocess.run(["sh", "-c", command], cwd=ROOT, env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", timeout=900, check=False)
    return made.returncode, made.stdout


def pattern(line):
    """A line as a regular expression in which numbers and gaps are free."""
    return r"\s+".join(re.sub(r"\d[\d,.]*", r"\\d[\\d,.]*", re.escape(word).replace(r"\,", ",").replace(r"\.", "."))
                       for word in line.split())


class Documents(unittest.TestCase):
    def test_commands(self):
        printed = []
        for document in DOCUMENTS:
            for kind, body in FENCED.findall(document.read_text("utf-8")):
                if kind == "sh run":
                    printed = []
                    for command in body.splitlines():
                        with self.subTest(document=document.name, command=command):
                            status, output = run(command)
                            self.assertEqual(status, 0, output)
                            printed += output.splitlines()
                elif kind == "text shows":
                    rest = iter(printed)
                    for line in body.splitlines():
                        with self.subTest(document=document.name, line=line):
                            wanted = re.compile(pattern(line))
                            self.assertTrue(any(wanted.search(one) for one in rest), "\n".join(printed[-60:]))

    def test_verbs(self):
        _, text = run("make help")
        verbs = set(re.findall(r"^  ([a-z-]+) ", text, re.MULTILINE))
        self.assertIn("run", verbs)
        for document in DOCUMENTS:
            for named in VERB.findall(document.read_text("utf-8")):
                with self.subTest(document=document.name, verbs=named):
                    self.assertLessEqual(set(named.split()), verbs)

    def test_paths(self):
        found = 0
        for document in DOCUMENTS:
            for path in PATH.findall(document.read_text("utf-8")):
                found += 1
                with self.subTest(document=document.name, path=path):
                    if path.endswith(".rpc.hpp"):  # made from the interface file
                        path = path.removesuffix(".hpp")
                    self.assertTrue((ROOT / path).exists() or list(ROOT.glob(path + "*")), "there is no such file")
        self.assertGreater(found, 50)

    def test_first_program(self):
        text = (ROOT / "docs/how-to-write-a-libos.md").read_text("utf-8")
        blocks = re.findall(r"(?:^(?: {4}[^\n]*)?\n)+", text, re.MULTILINE)
        program = next(block for block in blocks if "int libos_main()" in block)
        file = ROOT / "build/docs/my.cpp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(re.sub(r"^ {4}", "", program.split("    make run")[0], flags=re.MULTILINE))
        status, output = run('make run LIBOS=build/docs/my.cpp ARGS="rounds=3"')
        self.assertEqual(status, 0, output)
        self.assertIn("[my] hello, I am my and was told: rounds=3\n", output)


if __name__ == "__main__":
    sys.exit(test_layer.main_of_module())
