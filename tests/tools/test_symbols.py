"""Names behind addresses: from a log made up here and an image compiled here."""

import pathlib
import subprocess
import tempfile
import unittest

from tessera_run import iso, report, scenario as scenarios, symbols
from tessera_run.emulate import Outcome
from tessera_run.records import Record

SOURCE = """
extern "C" int callee(int x) { return x + 1; }
namespace deep { int caller(int x) {
    return callee(x) * 2;
} }
int main() { return deep::caller(0); }
"""


class Symbols(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        (folder / "a.cpp").write_text(SOURCE)
        cls.image = folder / "a.elf"
        subprocess.run(["g++", f"-ffile-prefix-map={folder}=.", "-g", "-O0", "-fno-inline", "-no-pie", "-o", "a.elf", "a.cpp"],
                       cwd=folder, check=True)
        listed = subprocess.run(["nm", "-C", cls.image], capture_output=True, text=True, check=True).stdout
        cls.at = {line.split(maxsplit=2)[2]: int(line.split()[0], 16) for line in listed.splitlines()
                  if len(line.split()) > 2 and line.split()[1] == "T"}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        (self.scenario,) = scenarios.read(b'[[libos]]\nimage = "hello"\n', "x.toml", "x")
        kernels, image_path = iso.KERNELS, iso.image_path
        self.addCleanup(lambda: (setattr(iso, "KERNELS", kernels), setattr(iso, "image_path", image_path)))
        iso.KERNELS = {"kernel": self.image}
        iso.image_path = lambda libos: self.image
        self.namer = symbols.Namer(self.scenario)
        self.callee, self.caller = self.at["callee"], self.at["deep::caller(int)"]

    def test_backtrace(self):
        self.assertRegex(self.namer(f"[tessera]   #0 {self.callee:#x}"), r"#0 0x[0-9a-f]+  callee \(a\.cpp:2\)$")
        self.assertRegex(self.namer(f"[tessera]   #3 {self.caller + 12:#x}"), r"  deep::caller\(int\) \(a\.cpp:[34]\)$")

    def test_return_address_is_behind_the_call(self):
        self.assertNotIn("callee", self.namer(f"[tessera]   #1 {self.callee:#x}"))

    def test_registers_of_a_panic(self):
        self.assertIn("  callee (", self.namer(f"[tessera] rip {self.callee:#x} cs 0x8 rflags 0x2 rsp 0x0"))

    def test_end_of_a_libos(self):
        line = f"[tessera] hello ended: exception 6, error 0, rip {self.callee:#x}, and no upcall entry for it; 3 frames"
        self.assertRegex(self.namer(line), r"3 frames  callee \(")
        self.assertEqual(self.namer(line.replace("hello", "other")), line.replace("hello", "other"))

    def test_what_a_libos_prints_gets_no_name(self):
        for line in (f"[hello]   #0 {self.callee:#x}", f"[hello] rip {self.callee:#x} cs 0x8", "[tessera] rip 0xzz cs ",
                     f"[hello] [tessera]   #0 {self.callee:#x}", "[tessera]   #0 0x10", "[tessera]   #1 0x0"):
            self.assertEqual(self.namer(line), line)

    def test_no_image(self):
        iso.KERNELS = {"kernel": pathlib.Path(self.folder.name) / "none.elf"}
        line = f"[tessera]   #0 {self.callee:#x}"
        self.assertEqual(symbols.Namer(self.scenario)(line), line)

    def test_result_file(self):
        log = ["[tessera] panic: x", f"[tessera]   #0 {self.callee:#x}"]
        ended = {"name": "hello", "reason": f"page fault at 0x0, error 4, rip {self.caller:#x}, and no upcall entry for it"}
        outcome = Outcome(["qemu"], log=log, records=[Record("ended", 0, ended)])
        made = report.result(self.scenario, outcome, [])
        self.assertIn("callee (", made["log"][1])
        self.assertIn("deep::caller", made["environments"][0]["where"])
        self.assertEqual(outcome.log[1], log[1])


if __name__ == "__main__":
    unittest.main()
